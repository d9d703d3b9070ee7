// The fault: a receiver that answers 500.
import { expect } from '@jest/globals';
import type { Credentials } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import { freshTenant } from '../support/running-system.ts';
import { type Receiver, variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

type Sink = { id: string; status: string; health: string; behind: number; lastError: { code: string } | null };

export async function rehearseStuckSink(credentials: Credentials, receiver: Receiver): Promise<void> {
  const runbook = openRunbook('stuck-sink');
  const { tenant, api } = await freshTenant(credentials, 'stuck');
  const sinks = `${credentials.urls.audit}/v1/tenants/${tenant.id}/audit/sinks`;
  const target = { kind: 'https', url: receiver.url };
  receiver.answers(500);
  const { id: SINK } = await api.post<Sink>(sinks, { name: 'SIEM', target, start: 'beginning' });
  const variables = { ...variablesOf(credentials), TENANT: tenant.slug, SINK };
  const seen = (holds: (sink: Sink) => boolean) =>
    eventually('the sink is seen so', async () => {
      const sink = await api.get<Sink>(`${sinks}/${SINK}`);
      return holds(sink) ? sink : null;
    });
  expect(await seen(({ health }) => health === 'failing')).toMatchObject({ lastError: { code: 'busy' } });

  const { out } = await runbook.run('--failing', variables, { code: 1 });
  expect(out).toContain(`${tenant.slug}  ${SINK}  https  failing`);
  expect((await runbook.run(':test', variables)).out).toContain('"busy"');
  expect(JSON.parse((await runbook.run(':pause', variables)).out)).toMatchObject({ status: 'paused' });
  receiver.answers(200);
  expect(receiver.taken()).toBe(0);
  await runbook.run(':resume', variables);
  await seen(({ behind, health }) => behind === 0 && health === 'ok');
  const once = receiver.taken();
  await runbook.run(':replay', variables);
  await eventually('it is delivered again', async () => receiver.taken() > once);
  await seen(({ behind }) => behind === 0);
  expect((await runbook.run('sinks list', variables)).out).toContain(`${SINK}  https  ok`);
  runbook.isDone();
}
