// Who may become whom. The attacks are those that an identity provider can make which the tenant trusts for its own
// people and for nobody else's.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type ResolveIdentityRequest, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, eventually, type RunningService, readEvents } from '@reeve/testing';
import { identityRequest, newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

let provisioning: RunningService;
let events: EventReader;
let tenantId: TenantId;

beforeAll(async () => {
  provisioning = await startProvisioning();
  events = await readEvents('reeve.directory.v1');
  tenantId = await newTenant(provisioning);
});
afterAll(async () => {
  await events.stop();
  await provisioning.stop();
});

type Resolved = { userId: string; email: string | null; roles: string[]; created: boolean; code?: string };

const ownConnection = newId('connection');
const request = (change: Partial<ResolveIdentityRequest>) =>
  identityRequest(tenantId, { connectionId: ownConnection, ...change });
const resolve = (change: Partial<ResolveIdentityRequest>, as = callers.service()) =>
  provisioning.ask<Resolved>('POST', '/internal/identities:resolve', { as, body: request(change) });
const address = () => `${newId('request')}@acme.example`;
const conflicts = () =>
  events
    .of(tenantId)
    .filter(({ type }) => type === 'identity.conflicted')
    .map(({ data }) => data.reason.code);

describe('a tenant that was suspended', () => {
  test('takes in nobody, known or new, until it is resumed', async () => {
    const suspended = await newTenant(provisioning);
    const ask = (subject: string) => resolve({ tenantId: suspended, subject, email: address() });
    const before = await ask('known');
    expect(before.status).toBe(200);
    const turn = (verb: string) =>
      provisioning.ask('POST', `/v1/tenants/${suspended}:${verb}`, { as: callers.platform() });
    expect((await turn('suspend')).status).toBe(200);
    for (const subject of ['known', 'new'])
      expect(await ask(subject)).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    expect((await turn('resume')).status).toBe(200);
    expect((await ask('known')).body).toMatchObject({ userId: before.body.userId, created: false });
    // Nothing was made of the one who came meanwhile.
    expect((await ask('new')).body).toMatchObject({ created: true });
  });
});

describe('an identity that is known', () => {
  test('is the same user again, whatever address it comes with', async () => {
    const first = await resolve({ subject: 'known', email: address() });
    const again = await resolve({ subject: 'known', email: address() });
    expect(first.body).toMatchObject({ created: true, roles: ['tenant_member'] });
    expect(again.body).toMatchObject({ created: false, userId: first.body.userId, email: first.body.email });
  });

  test('is another one by way of another connection, though issuer and subject are the same', async () => {
    const first = await resolve({ subject: 'twice' });
    const other = await resolve({ subject: 'twice', connectionId: newId('connection') });
    expect(other.body.userId).not.toBe(first.body.userId);
  });

  test('is one user when it comes ten times at once', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => resolve({ subject: 'at-once', email: address() })));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(new Set(all.map(({ body }) => body.userId)).size).toBe(1);
  });

  test('is one user when it comes at several browsers at once with an address that its connection speaks for', async () => {
    const before = conflicts().length;
    for (let round = 0; round < 15; round += 1) {
      const asked = { subject: newId('request'), email: address(), emailVerified: true, domainOwned: true };
      const all = await Promise.all(Array.from({ length: 8 }, () => resolve(asked)));
      expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
      expect(new Set(all.map(({ body }) => body.userId)).size).toBe(1);
    }
    expect(conflicts().length).toBe(before);
  });

  test('of somebody who is deactivated does not get in', async () => {
    const { body } = await resolve({ subject: 'gone' });
    await provisioning.ask('POST', `/v1/tenants/${tenantId}/users/${body.userId}:deactivate`, {
      as: callers.tenantClient(tenantId),
    });
    expect(await resolve({ subject: 'gone' })).toMatchObject({ status: 403, body: { code: 'user_deactivated' } });
  });
});

describe('an address that somebody has', () => {
  test('leads to them when the provider has verified it and the connection speaks for its domain', async () => {
    const email = address();
    const ada = await newUser(provisioning, tenantId, { email, roles: ['tenant_admin'] });
    const signedIn = await resolve({ email: email.toUpperCase(), emailVerified: true, domainOwned: true });
    expect(signedIn.body).toMatchObject({ userId: ada, roles: ['tenant_admin'], created: false });
  });

  test.each([
    ['a second provider asserts it, verified, with just-in-time provisioning off', false, true, 'domain_not_verified'],
    ['a second provider asserts it, verified, with just-in-time provisioning on', true, true, 'domain_not_verified'],
    ['a provider asserts it without having verified it', true, false, 'address_not_verified'],
  ])('stays theirs when %s', async (_, enabled, emailVerified, conflict) => {
    const email = address();
    await newUser(provisioning, tenantId, { email, roles: ['tenant_admin'] });
    const before = conflicts().length;
    const taken = await resolve({
      email,
      emailVerified,
      connectionId: newId('connection'),
      jit: { enabled, defaultRoles: [] },
    });
    expect(taken).toMatchObject({ status: 409, body: { code: 'identity_conflict' } });
    expect((await untilMore(before)).at(-1)).toBe(conflict);
  });

  test('is not inherited by whoever gets the mailbox after them at the same provider', async () => {
    const email = address();
    const owned = { email, emailVerified: true, domainOwned: true };
    const first = await resolve({ ...owned, subject: 'first-owner' });
    const second = await resolve({ ...owned, subject: 'second-owner' });
    expect(second).toMatchObject({ status: 409, body: { code: 'identity_conflict' } });
    expect((await resolve({ ...owned, subject: 'first-owner' })).body.userId).toBe(first.body.userId);
  });
});

describe('an address that a provider only claims', () => {
  test('is not kept from its owner, who does not land in the account of whoever claimed it first', async () => {
    const email = address();
    const impostor = await resolve({ email, connectionId: newId('connection') });
    expect(impostor.body).toMatchObject({ created: true, email });
    const owner = await resolve({ email, emailVerified: true, domainOwned: true });
    expect(owner.status).toBe(200);
    expect(owner.body.userId).not.toBe(impostor.body.userId);
    // And an administrator can still make a user with it, where the owner has not come yet.
    const claimed = address();
    await resolve({ email: claimed, connectionId: newId('connection') });
    await newUser(provisioning, tenantId, { email: claimed });
  });
});

describe('somebody unknown', () => {
  test('does not get in where just-in-time provisioning is off', async () => {
    const unknown = await resolve({ email: address(), jit: { enabled: false, defaultRoles: [] } });
    expect(unknown).toMatchObject({ status: 403, body: { code: 'identity_unknown' } });
  });
});

describe('the question', () => {
  test('is for auth alone: whoever else asks could forge what an identity provider says', async () => {
    const id = await newUser(provisioning, tenantId, { email: address(), roles: ['tenant_admin'] });
    for (const as of [callers.platform(), callers.tenantClient(tenantId), callers.person(tenantId, { id })])
      expect(await resolve({}, as)).toMatchObject({ status: 403, body: { code: 'access_denied' } });
    expect((await resolve({})).status).toBe(200);
  });
});

async function untilMore(than: number): Promise<string[]> {
  return eventually('another conflict', () => conflicts().length > than && conflicts());
}
