// The rules as Prometheus reads them. Each alert fires in one case and does not in another that is like it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { rulesFile, runbooksDirectory } from './paths.ts';
import { prometheus, promtool } from './promtool.test-support.ts';
import { cases, lookedAt } from './rules.cases.ts';
import { type Alert, groups, isAlert, runbooks } from './rules.ts';

const alerts = groups.flatMap(({ rules }) => rules).filter(isAlert);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'reeve-rules-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

test('each alert says how bad it is, what has happened, what to do and where that is told at length', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect([alert, ['critical', 'warning'].includes(labels.severity)]).toEqual([alert, true]);
    for (const text of [annotations.summary, annotations.what_to_do])
      expect([alert, text.length > 10]).toEqual([alert, true]);
    const name = /^docs\/runbooks\/(?<name>[a-z-]+)\.md$/.exec(annotations.runbook_url)?.groups?.['name'];
    expect(runbooks).toContain(name);
  }
});

test('where there are runbooks, that of each alert is there', () => {
  if (!existsSync(runbooksDirectory)) return;
  for (const { annotations } of alerts)
    expect([annotations.runbook_url, existsSync(join(runbooksDirectory, '../..', annotations.runbook_url))]).toEqual([
      annotations.runbook_url,
      true,
    ]);
});

test('each alert has its cases, and none has two', () => {
  expect(cases.map(({ alert }) => alert).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

type Expected = { series: Record<string, string>; alert: Alert; labels: Record<string, string> | null };

const filledIn = (text: string, labels: Record<string, string>) =>
  text.replace(/{{ \$labels\.(\w+) }}/g, (_, name: string) => labels[name] ?? '');

function unitTest({ series, alert, labels }: Expected) {
  const exp_alerts =
    labels === null
      ? []
      : [
          {
            exp_labels: { ...alert.labels, ...labels },
            exp_annotations: Object.fromEntries(
              Object.entries(alert.annotations).map(([name, text]) => [name, filledIn(text, labels)]),
            ),
          },
        ];
  return {
    name: `${alert.alert} ${labels === null ? 'rests' : 'fires'}`,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: lookedAt, alertname: alert.alert, exp_alerts }],
  };
}

/** By promtool, over a file of rules. */
function judge(rules: string, tests: readonly object[]) {
  const file = join(directory, `tests-${tests.length}.yaml`);
  // What is recorded has to be there before alerts look at it: by the next time it would be too old.
  const group_eval_order = groups.map(({ name }) => name);
  writeFileSync(file, stringify({ rule_files: [rules], evaluation_interval: '5m', group_eval_order, tests }));
  return promtool('test', 'rules', file);
}

const all = cases.flatMap(({ alert: name, fires, rests }) => {
  const alert = alerts.find(one => one.alert === name);
  if (!alert) throw new Error(`there is no alert ${name}`);
  return [
    unitTest({ series: fires.series, alert, labels: fires.labels ?? {} }),
    unitTest({ series: rests, alert, labels: null }),
  ];
});

prometheus.test('Prometheus takes the rules', async () => {
  expect(promtool('check', 'rules', '--lint=all', '--lint-fatal', rulesFile)).toMatchObject({ code: 0 });
});

prometheus.test(
  'each alert fires when it has to, and not when it must not',
  async () => {
    const { code, said } = judge(rulesFile, all);
    expect([code, said.replaceAll(directory, '')]).toEqual([0, expect.stringContaining('SUCCESS')]);
  },
  120_000,
);

prometheus.test('a limit that is another one is found by both of its cases', async () => {
  const changed = (from: string, to: string) => {
    const text = readFileSync(rulesFile, 'utf8');
    expect(text).toContain(from);
    const file = join(directory, `changed-${to.length}.yaml`);
    writeFileSync(file, text.replace(from, to));
    return judge(
      file,
      all.filter(({ name }) => name.startsWith('ReeveSinkStuck')),
    );
  };
  const from = 'reeve_audit_sink_lag) > 1800';
  expect(changed(from, 'reeve_audit_sink_lag) > 100')).toMatchObject({
    code: 1,
    said: expect.stringContaining('rests'),
  });
  expect(changed(from, 'reeve_audit_sink_lag) > 999999')).toMatchObject({
    code: 1,
    said: expect.stringContaining('fires'),
  });
});
