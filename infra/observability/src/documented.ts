// The metrics of docs/observability.md, as its tables have them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';
import type { Instrument } from './instruments.ts';

export type Documented = Instrument & { attributes: string[] };

const row = /^\| `(?<name>[a-z0-9_.]+)` \| (?<kind>[a-z-]+(?: counter)?) \|(?<unit>[^|]*)\|(?<attributes>[^|]*)\|/;

export function documentedMetrics(): Documented[] {
  const text = readFileSync(join(repositoryRoot, 'docs/observability.md'), 'utf8');
  return text.split('\n').flatMap(line => {
    const { name, kind, unit = '', attributes = '' } = row.exec(line)?.groups ?? {};
    if (name === undefined || kind === undefined) return [];
    const names = [...attributes.matchAll(/`([a-z_.]+)`/g)].map(([, each = '']) => each);
    return [{ name, kind, unit: unit.trim() === '' ? null : unit.trim(), attributes: names }];
  });
}

/** The names of samples that Prometheus reads of it. */
export function samplesOf({ name, kind }: Instrument): string[] {
  const base = name.replaceAll('.', '_');
  if (kind === 'histogram') return [`${base}_bucket`, `${base}_sum`, `${base}_count`];
  return [kind === 'counter' ? `${base}_total` : base];
}
