// By what services are scaled: processor time, and where KEDA is wanted, how far behind they are as well.
import { expect, test } from '@jest/globals';
import { chart, one, render } from './chart.test-support.ts';

const keda = ['keda.enabled=true', 'keda.prometheus=http://prometheus.monitoring:9090'];
const scalers = (set: string[]) =>
  render('ha', { set }).filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject');
type Spec = { triggers: { type: string; metadata: Record<string, string> }[]; minReplicaCount: number };

chart.describe('a service with autoscaling', () => {
  test('is scaled by one of the two, and by processor time unless it is said', () => {
    const [plain, byKeda] = [scalers([]), scalers(keda)];
    expect(new Set(plain.map(({ kind }) => kind))).toEqual(new Set(['HorizontalPodAutoscaler']));
    expect(new Set(byKeda.map(({ kind }) => kind))).toEqual(new Set(['ScaledObject']));
    expect(byKeda.map(({ metadata }) => metadata.name)).toEqual(plain.map(({ metadata }) => metadata.name));
  });

  test('is scaled by its own consumer groups, under the prefix that they have', () => {
    const found = scalers([...keda, 'kafka.groupPrefix=eu.']).filter(({ metadata }) => metadata.name === 'reeve-auth');
    const { triggers, minReplicaCount } = one(found)['spec'] as Spec;
    expect(minReplicaCount).toBe(3);
    expect(triggers.map(({ type }) => type)).toEqual(['cpu', 'prometheus']);
    const pattern = /group=~"([^"]*)"/.exec(triggers[1]?.metadata['query'] ?? '')?.[1] ?? '';
    // As Prometheus reads it: the whole text has to match; and in its texts a backslash begins an escape.
    expect(pattern).not.toContain('\\');
    const matches = (group: string) => new RegExp(`^(?:${pattern})$`).test(group);
    expect(matches('eu.auth.tenants')).toBe(true);
    for (const other of ['auth.tenants', 'euxauth.tenants', 'eu.audit.chain', 'eu.authx.tenants'])
      expect([other, matches(other)]).toEqual([other, false]);
  });

  test('has to be told where Prometheus is', () => {
    expect(() => scalers(['keda.enabled=true'])).toThrow('keda.prometheus');
  });
});
