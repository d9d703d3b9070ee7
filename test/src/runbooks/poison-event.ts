// The fault: somebody's program writes to a topic of Reeve what is no event.
import { expect } from '@jest/globals';
import type { Credentials } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import { freshTenant } from '../support/running-system.ts';
import { openTopics } from '../support/topics.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

export async function rehearsePoisonEvent(credentials: Credentials): Promise<void> {
  const runbook = openRunbook('poison-event');
  const TOPIC = 'reeve.directory.v1';
  const { tenant } = await freshTenant(credentials, 'named');
  const variables = { ...variablesOf(credentials), TOPIC, GROUP: 'audit.chain', OFFSET: '0', TENANT: tenant.slug };
  const topics = await openTopics(credentials);
  await topics.write(TOPIC, { key: tenant.id, value: 'no event', headers: { ce_tenantid: tenant.id } });
  const setAside = (count: number) =>
    eventually(`${count} dead letters`, async () => (await topics.count(`${TOPIC}.audit.chain.dlq`)) >= count);
  await setAside(1);

  expect((await runbook.run('list', variables)).out).toContain('1 dead letters of');
  await eventually('it is in the log', async () => {
    // What comes after it is read.
    const { tenant: next, api } = await freshTenant(credentials, 'after');
    const events = `${credentials.urls.audit}/v1/tenants/${next.id}/audit/events?type=tenant.created`;
    return (await api.get<{ items: unknown[] }>(events)).items.length === 1;
  });
  expect((await runbook.run('audit.dead_lettered', variables)).out).toContain(
    `"deadLetters": "${TOPIC}.audit.chain.dlq"`,
  );
  expect((await runbook.run('--offset', variables)).out).toContain('1 dead letters published');
  await setAside(2);
  expect((await runbook.run('replay', variables)).out).toContain('2 dead letters published');
  await setAside(4);
  expect((await runbook.run('list', variables)).out).toContain('4 dead letters of');
  await topics.close();
  runbook.isDone();
}
