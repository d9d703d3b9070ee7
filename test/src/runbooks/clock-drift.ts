// The fault: the clock of webhook-ingress is ten minutes behind, then that of auth.
import { expect } from '@jest/globals';
import type { FakeClock } from '@reeve/local/fake-clock';
import { send, signedWebhook } from '@reeve/local/partner';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import type { Credentials } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import { freshTenant } from '../support/running-system.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

type Clocks = { clockOfAuth: FakeClock; clockOfIngress: FakeClock };

const drift = -600;
/** That of this machine may be slow, and the lines of one command are not of one moment. */
const sameWithinMs = 60_000;

/** Of each service by its URL: how many milliseconds its clock is away from ours. */
function driftsIn(out: string): Map<string, number> {
  const lines = out.split('\n').map(line => /^(\w{3}, .* GMT) {2}(\S+)$/.exec(line));
  const times = new Map(lines.flatMap(line => (line ? [[line[2] as string, Date.parse(line[1] as string)]] : [])));
  return new Map([...times].map(([url, time]) => [url, time - (times.get('here') ?? 0)]));
}

const wrong = (out: string) => [...driftsIn(out)].filter(([, ms]) => Math.abs(ms) > sameWithinMs).map(([url]) => url);

export async function rehearseClockDrift(credentials: Credentials, { clockOfAuth, clockOfIngress }: Clocks) {
  const runbook = openRunbook('clock-drift');
  const { tenant, api } = await freshTenant(credentials, 'drift');
  const { auth, webhookIngress } = credentials.urls;
  const endpoints = `${webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`;
  const endpoint = await api.post<{ url: string; secret: string }>(endpoints, { connectorId: 'drift' });
  const comes = async () => (await send(endpoint.url, signedWebhook(endpoint.secret, {}))).status;
  const app = await registerProductApp(api, credentials, tenant);
  const [alice] = credentials.demoUsers as [Credentials['demoUsers'][0]];
  const variables = { ...variablesOf(credentials), TENANT: tenant.slug };
  expect(await comes()).toBe(202);

  clockOfIngress.isAhead(drift);
  await eventually('webhooks are refused', async () => (await comes()) === 401);
  const { out } = await runbook.run('healthz', variables);
  expect([driftsIn(out).size, wrong(out)]).toEqual([6, [webhookIngress]]);
  clockOfIngress.isAhead(0);
  await eventually('webhooks are taken', async () => (await comes()) === 202);

  clockOfAuth.isAhead(drift);
  await eventually('sign-ins fail', async () => (await signIn(app, tenant, alice).catch(() => null)) === null);
  const attempts = await runbook.run('outcome=failed', variables);
  expect(attempts.out).toMatch(/"cause": "(clock_behind|id_token_time)"/);
  clockOfAuth.isAhead(0);
  await eventually('somebody signs in', () => signIn(app, tenant, alice).catch(() => null));
  // A clock that has leapt forward makes auth believe that it has heard nothing of revocations for long: it asks first.
  const over = await runbook.run('healthz', variables, { withinMs: 30_000 });
  expect([driftsIn(over.out).has(auth), wrong(over.out)]).toEqual([true, []]);
  expect(over.out).toContain('"outcome": "succeeded"');
  runbook.isDone();
}
