// Whom an identity provider means: nobody but those who have an identity at its connection.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FindIdentityRequest, newId, type TenantId } from '@reeve/contracts';
import { callers, type RunningService } from '@reeve/testing';
import { newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

let provisioning: RunningService;
let tenantId: TenantId;

beforeAll(async () => {
  provisioning = await startProvisioning();
  tenantId = await newTenant(provisioning);
});
afterAll(() => provisioning.stop());

const issuer = 'https://idp.example';
const [own, other] = [newId('connection'), newId('connection')];
const address = () => `${newId('request')}@acme.example`;

async function signedIn(change: { subject: string; email: string; domainOwned?: boolean; connectionId?: string }) {
  const { body } = await provisioning.ask<{ userId: string }>('POST', '/internal/identities:resolve', {
    as: callers.service(),
    body: {
      tenantId,
      connectionId: own,
      issuer,
      emailVerified: true,
      domainOwned: true,
      displayName: 'Somebody',
      origin: { correlationId: 'c', ip: null, userAgent: null },
      jit: { enabled: true, defaultRoles: [] },
      ...change,
    },
  });
  return body.userId;
}

async function find(by: FindIdentityRequest['by'], where: object = {}) {
  const body = { tenantId, connectionId: own, by, ...where };
  return provisioning.ask<{ userId: string | null }>('POST', '/internal/identities:find', {
    as: callers.service(),
    body,
  });
}
const found = async (by: FindIdentityRequest['by'], where: object = {}) => (await find(by, where)).body.userId;

describe('somebody who was made by signing in', () => {
  test('is found by subject, by address in any case, and by the id that they have here', async () => {
    const [subject, email] = [newId('request'), address()];
    const userId = await signedIn({ subject, email });
    expect(await found({ issuer, subject })).toBe(userId);
    expect(await found({ email: email.toUpperCase() })).toBe(userId);
    expect(await found({ userId })).toBe(userId);
  });

  test('is not there for another connection, issuer or tenant', async () => {
    const [subject, email] = [newId('request'), address()];
    const userId = await signedIn({ subject, email });
    const elsewhere = await newTenant(provisioning);
    for (const by of [{ issuer, subject }, { email }, { userId }]) {
      expect(await found(by)).toBe(userId);
      expect(await found(by, { connectionId: other })).toBeNull();
      expect(await found(by, { tenantId: elsewhere })).toBeNull();
    }
    expect(await found({ issuer: 'https://other.example', subject })).toBeNull();
  });
});

describe('somebody who was there before', () => {
  test('is found by a connection once they have signed in by it, until that is unlinked', async () => {
    const email = address();
    const userId = await newUser(provisioning, tenantId, { email });
    const subject = newId('request');
    for (const by of [{ issuer, subject }, { email }, { userId }]) expect(await found(by)).toBeNull();
    expect(await signedIn({ subject, email })).toBe(userId);
    for (const by of [{ issuer, subject }, { email }, { userId }]) expect(await found(by)).toBe(userId);
    const path = `/v1/tenants/${tenantId}/users/${userId}/identities`;
    const { body } = await provisioning.ask<{ items: { id: string }[] }>('GET', path, { as: callers.platform() });
    await provisioning.ask('DELETE', `${path}/${body.items[0]?.id}`, { as: callers.platform() });
    for (const by of [{ issuer, subject }, { email }, { userId }]) expect(await found(by)).toBeNull();
  });
});

test('nobody else may ask, and nothing is made by asking', async () => {
  const body = { tenantId, connectionId: own, by: { issuer, subject: 'nobody' } };
  const asked = await provisioning.ask('POST', '/internal/identities:find', { as: callers.platform(), body });
  expect(asked.status).toBe(403);
  expect(await found({ issuer, subject: 'nobody' })).toBeNull();
  expect((await find({ issuer, subject: '' })).status).toBe(400);
});
