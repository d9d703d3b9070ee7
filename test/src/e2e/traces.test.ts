import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { logWith } from '../support/audit.ts';
import { freshTenant, runningSystem } from '../support/running-system.ts';

test('one trace id runs from the HTTP request through Kafka, over what follows from it in another service, to the audit record', async () => {
  const credentials = runningSystem();
  const { provisioning, connectorConsent } = credentials.urls;
  const own = await freshTenant(credentials, 'traces');
  const traceId = randomBytes(16).toString('hex');
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
  const user = await own.api.post<{ id: string }>(
    `${provisioning}/v1/tenants/${own.tenant.id}/users`,
    { email: 'traced@example.org' },
    { headers },
  );
  const installation = await own.api.post<{ id: string }>(
    `${connectorConsent}/v1/tenants/${own.tenant.id}/installations:request`,
    { connectorId: 'demo-calendar', scopes: ['calendar.read'] },
  );
  const log = await logWith(
    { ...own, credentials },
    found => ['role.assigned', 'installation.requested'].every(one => found.some(({ type }) => type === one)),
    'both requests',
  );
  const traceOf = (id: string) =>
    log
      .filter(({ target }) => target.id === id)
      .map(record => [record.type, record.traceId === traceId, record.correlationId.startsWith('req_')]);
  expect(traceOf(user.id)).toEqual([
    ['user.created', true, true],
    ['role.assigned', true, true],
  ]);
  expect(traceOf(installation.id)).toEqual([['installation.requested', false, true]]);
});
