// The instruments that the sources make, read from them: what docs/observability.md is held against.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';

export type Instrument = { name: string; kind: string; unit: string | null };

const kinds: Record<string, string> = {
  Counter: 'counter',
  UpDownCounter: 'up-down counter',
  Histogram: 'histogram',
  Gauge: 'gauge',
  ObservableGauge: 'gauge',
};
const made = /\.create(?<kind>\w+)\(\s*'(?<name>[a-z_.]+)',\s*\{(?<options>[^}]*)/g;

/** Throws for a kind of instrument that has no word in the documents. */
export function instrumentsOfSources(): Instrument[] {
  const files = globSync('{packages,services}/*/src/**/*.ts', { cwd: repositoryRoot });
  return files
    .filter(file => !/\.test(-support)?\.ts$/.test(file))
    .flatMap(file => instrumentsIn(readFileSync(join(repositoryRoot, file), 'utf8')))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function instrumentsIn(source: string): Instrument[] {
  return [...source.matchAll(made)].map(({ groups }) => {
    const { kind = '', name = '', options = '' } = groups ?? {};
    const word = kinds[kind];
    if (word === undefined) throw new Error(`${name} is a ${kind}, which infra/observability has no word for`);
    return { name, kind: word, unit: /unit: '([^']+)'/.exec(options)?.[1] ?? null };
  });
}
