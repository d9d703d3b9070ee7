// Alerts and dashboards as the chart brings them: those of infra/prometheus and infra/grafana, and only where wanted.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { repositoryRoot } from '@reeve/local/paths';
import { parse } from 'yaml';
import { chart, one, render } from './chart.test-support.ts';

type Rules = { groups: { rules: { annotations?: { runbook_url: string } }[] }[] };

const rules = parse(readFileSync(join(repositoryRoot, 'infra/prometheus/reeve.rules.yaml'), 'utf8')) as Rules;
const dashboards = join(repositoryRoot, 'infra/grafana');
const wanted = ['prometheusRule.enabled=true', 'dashboards.enabled=true'];
const kindsOf = (set: string[]) =>
  render('minimal', { set }).filter(
    ({ kind, metadata }) => kind === 'PrometheusRule' || metadata.name.includes('-dashboard-'),
  );

chart.describe('the chart', () => {
  test('brings neither unless it is told to', () => {
    expect(kindsOf([])).toEqual([]);
    expect(kindsOf(wanted).length).toBeGreaterThan(1);
  });

  test('brings the rules as they are', () => {
    const { spec } = one(kindsOf(wanted).filter(({ kind }) => kind === 'PrometheusRule'));
    expect(spec).toEqual(rules);
  });

  test('says where runbooks are, where that is set', () => {
    const base = 'https://git.example.com/reeve/';
    const found = one(
      kindsOf([...wanted, `prometheusRule.runbookBase=${base}`]).filter(({ kind }) => kind === 'PrometheusRule'),
    );
    const urls = (found['spec'] as Rules).groups.flatMap(group =>
      group.rules.flatMap(rule => rule.annotations?.runbook_url ?? []),
    );
    expect(urls.length).toBeGreaterThan(30);
    expect(urls.filter(url => !url.startsWith(`${base}docs/runbooks/`))).toEqual([]);
    expect(() => kindsOf([...wanted, 'prometheusRule.runbookBase=https://git.example.com/reeve'])).toThrow(
      'runbookBase',
    );
  });

  test('brings each dashboard as it is, under the label that Grafana looks for', () => {
    const maps = kindsOf(wanted).filter(({ kind }) => kind === 'ConfigMap');
    const files = Object.fromEntries(maps.flatMap(map => Object.entries(map['data'] as Record<string, string>)));
    const all = readdirSync(dashboards).map(name => [`reeve-${name}`, readFileSync(join(dashboards, name), 'utf8')]);
    expect(files).toEqual(Object.fromEntries(all));
    for (const { metadata } of maps) expect(metadata.labels['grafana_dashboard']).toBe('1');
  });
});
