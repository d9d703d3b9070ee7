// What dashboards and rules ask Prometheus for is measured, under these names and with these labels.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { documentedMetrics, samplesOf } from './documented.ts';
import { prometheus, promtool } from './promtool.test-support.ts';
import { type Asked, allQueries, seriesIn } from './queries.ts';

const queries = allQueries();
const samples = documentedMetrics().flatMap(samplesOf);
/** Set by Prometheus, by the rules and by the SDK. */
const everywhere = ['job', 'instance', 'slo', 'otel_metric_overflow'];
const recorded = queries.flatMap(({ where }) => (where.startsWith('reeve:') ? [where] : []));

/** What of a query is not in docs/observability.md. */
function unknownIn({ where, expr }: Asked): string[] {
  return seriesIn(expr).flatMap(({ name, labels }) => {
    if (recorded.includes(name)) return [];
    const sample = samples.find(one => one.name === name);
    if (!sample) return [`${where}: ${name}`];
    return labels
      .filter(label => ![...sample.labels, ...everywhere].includes(label))
      .map(label => `${where}: ${name}{${label}}`);
  });
}

test('each series and label that dashboards and rules name is documented', () => {
  expect(queries.length).toBeGreaterThan(100);
  expect(queries.flatMap(unknownIn)).toEqual([]);
});

test.each([
  ['a name', 'sum(rate(reeve_sign_in_total[5m]))', ['test: reeve_sign_in_total']],
  ['a label that it chooses by', 'reeve_sign_ins_total{outcom="failed"}', ['test: reeve_sign_ins_total{outcom}']],
  [
    'a label that it groups by',
    'sum by (couse) (rate(reeve_sign_ins_total[5m]))',
    ['test: reeve_sign_ins_total{couse}'],
  ],
  ['a label of what is written before', 'sum(reeve_sign_ins_total) by (couse)', ['test: reeve_sign_ins_total{couse}']],
])('%s that is misspelt is found', (_, expr, found) => {
  expect(unknownIn({ where: 'test', expr })).toEqual(found);
});

test('what is no PromQL is found', () => {
  expect(() => seriesIn('sum(rate(reeve_sign_ins_total[5m])')).toThrow(SyntaxError);
});

prometheus.test('Prometheus reads each query of the dashboards, and none that is wrong', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-queries-'));
  const check = (name: string, exprs: string[]) => {
    const file = join(directory, `${name}.yaml`);
    const rules = exprs.map((expr, index) => ({ record: `query:${index}`, expr }));
    writeFileSync(file, stringify({ groups: [{ name, rules }] }));
    return promtool('check', 'rules', file);
  };
  try {
    expect(
      check(
        'all',
        queries.map(({ expr }) => expr),
      ),
    ).toMatchObject({ code: 0 });
    // A rate of what is no range.
    expect(check('wrong', ['rate(reeve_sign_ins_total)'])).toMatchObject({ code: 1 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
