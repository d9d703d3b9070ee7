// The fault: a partner sends what was taken long ago five thousand times more.
import { expect } from '@jest/globals';
import { send, signedWebhook } from '@reeve/local/partner';
import type { Credentials } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import { payloadsOf } from '../support/payloads.ts';
import { freshTenant } from '../support/running-system.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

type Endpoint = { id: string; url: string; secret: string };

const repetitions = 5_000;
const atOnce = 32;

export async function rehearseResendStorm(credentials: Credentials): Promise<void> {
  const runbook = openRunbook('resend-storm');
  const { tenant, api } = await freshTenant(credentials, 'storm');
  const base = `${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`;
  const endpoint = await api.post<Endpoint>(base, { connectorId: 'storm' });
  const webhooks = Array.from({ length: 50 }, (_, n) => signedWebhook(endpoint.secret, { n }));
  const statuses = new Map<number, number>();
  const sends = async (n: number) => {
    const { status } = await send(endpoint.url, webhooks[n % webhooks.length] as (typeof webhooks)[0]);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return status;
  };
  const storm = async (count: number) => {
    statuses.clear();
    let sent = 0;
    const connection = async () => {
      for (let n = sent++; n < count; n = sent++) await sends(n);
    };
    await Promise.all(Array.from({ length: atOnce }, connection));
    return Object.fromEntries(statuses);
  };
  expect(await storm(webhooks.length)).toEqual({ 202: webhooks.length });
  const variables = { ...variablesOf(credentials), TENANT: tenant.slug, ENDPOINT: endpoint.id };
  const during = await storm(repetitions);
  // Too many in a second are told when to come back.
  expect((during[200] ?? 0) + (during[429] ?? 0)).toBe(repetitions);

  expect((await runbook.run('/tallies', variables)).out).toContain('"duplicated"');
  expect((await runbook.run('$ENDPOINT"', variables)).out).toContain('"perSecond": 1000');
  await runbook.run('"perSecond": 20', variables);
  await eventually('it sends less', async () => (await storm(200))[429] !== undefined);
  await runbook.run(':disable', variables);
  await eventually('nothing is taken', async () => (await sends(0)) === 410);
  await runbook.run(':enable', variables);
  await runbook.run('"perSecond": 1000', variables);
  await eventually('it is taken again', async () => (await sends(0)) === 200);
  expect((await runbook.run('limit=5', variables)).out).toContain('"count"');
  runbook.isDone();
  // Each reached the product once.
  expect(await payloadsOf(credentials, endpoint.id, { count: webhooks.length })).toHaveLength(webhooks.length);
}
