// The metrics of docs/observability.md, as its tables have them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';
import type { Instrument } from './instruments.ts';

export type Documented = Instrument & { attributes: string[] };

export type Sample = { name: string; labels: string[] };

const row = /^\| `(?<name>[a-z0-9_.]+)` \| (?<kind>[a-z-]+(?: counter)?) \|(?<unit>[^|]*)\|(?<attributes>[^|]*)\|/;

export function documentedMetrics(): Documented[] {
  const text = readFileSync(join(repositoryRoot, 'docs/observability.md'), 'utf8');
  return text.split('\n').flatMap(line => {
    const { name, kind, unit = '', attributes = '' } = row.exec(line)?.groups ?? {};
    if (name === undefined || kind === undefined) return [];
    const names = [...attributes.matchAll(/`([a-z0-9_.]+)`/g)].map(([, each = '']) => each);
    return [{ name, kind, unit: unit.trim() === '' ? null : unit.trim(), attributes: names }];
  });
}

/** The names of samples that Prometheus reads of it, with the labels that they may have. */
export function samplesOf({ name, kind, attributes }: Documented): Sample[] {
  const base = name.replaceAll('.', '_');
  const labels = attributes.map(attribute => attribute.replaceAll('.', '_'));
  if (kind !== 'histogram') return [{ name: kind === 'counter' ? `${base}_total` : base, labels }];
  return [
    { name: `${base}_bucket`, labels: [...labels, 'le'] },
    { name: `${base}_sum`, labels },
    { name: `${base}_count`, labels },
  ];
}
