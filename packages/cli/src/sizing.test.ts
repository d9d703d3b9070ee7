import { expect, test } from '@jest/globals';
import { saidBy } from './run-command.test-support.ts';

const sizing = (...args: string[]) => saidBy(['sizing', ...args]);

test('it says what an installation needs, without any to ask', async () => {
  const { code, out } = await sizing('--tenants', '2_000', '--sign-ins', '400000', '--webhooks', '5e6');
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('events a day in the audit log') });
  for (const service of ['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'])
    expect(out).toMatch(new RegExp(`^${service} +[\\d.]+ +\\d+ +\\d+$`, 'm'));
  expect(out).not.toContain('A month');
});

test('as JSON, with what it costs', async () => {
  const prices = ['--core-price', '20', '--gigabyte-price', '0.1'];
  const { out } = await sizing('--tenants', '10', '--webhooks', '1000', ...prices, '--json');
  expect(JSON.parse(out)).toMatchObject({ mongodb: { cells: 1 }, kafka: { partitions: 3 } });
  expect((JSON.parse(out) as { costPerMonth: number }).costPerMonth).toBeGreaterThan(9 * 20);
});

test.each([
  [[], '--tenants'],
  [['--tenants', '-1'], '--tenants'],
  [['--tenants', 'many'], '--tenants'],
  [['--tenants', '1', '--webhooks', ''], '--webhooks'],
  [['--tenants', '1', '--peak', 'NaN'], '--peak'],
  [['--tenants', '1', '--core-price', '3'], '--gigabyte-price'],
  [['--tenants', '1', '--gigabyte-price', '3'], '--core-price'],
])('%j is refused by the name of the option', async (args, name) => {
  const { code, out } = await sizing(...args);
  expect({ code, out }).toEqual({ code: 2, out: expect.stringContaining(name) });
});
