// Who may make whom another's account.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, eventually, type RunningService, readEvents } from '@reeve/testing';
import { newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

type Listed = { items: { id: string; connectionId: string; isFirst: boolean; subject: string | null }[] };
type Resolved = { userId: string; created: boolean; code?: string };

let provisioning: RunningService;
let events: EventReader;
let tenantId: TenantId;
const issuer = 'https://idp.example';

beforeAll(async () => {
  provisioning = await startProvisioning();
  events = await readEvents('reeve.directory.v1');
  tenantId = await newTenant(provisioning);
});
afterAll(async () => {
  await events.stop();
  await provisioning.stop();
});

const address = () => `${newId('request')}@acme.example`;
const person = (roles: string[] = ['tenant_member']) => newUser(provisioning, tenantId, { email: address(), roles });
const identity = () => ({ connectionId: newId('connection'), issuer, subject: newId('request') });
const path = (userId: Id<'user'>, id = '') => `/v1/tenants/${tenantId}/users/${userId}/identities${id && `/${id}`}`;
const ask = <T = { id: string; code?: string }>(method: string, url: string, body?: object, as = callers.platform()) =>
  provisioning.ask<T>(method, url, { as, ...(body ? { body } : {}) });
const origin = { correlationId: 'c', ip: '192.0.2.1', userAgent: null };
const resolve = (of: ReturnType<typeof identity>, more: object = {}) =>
  provisioning.ask<Resolved>('POST', '/internal/identities:resolve', {
    as: callers.service(),
    body: {
      tenantId,
      ...of,
      email: null,
      emailVerified: false,
      domainOwned: false,
      displayName: null,
      origin,
      jit: { enabled: true, defaultRoles: ['tenant_member'] },
      ...more,
    },
  });
const linkSignedIn = (userId: Id<'user'>, of: ReturnType<typeof identity>, as = callers.service(), tenant = tenantId) =>
  provisioning.ask<{ code?: string }>('POST', '/internal/identities:link', {
    as,
    body: { tenantId: tenant, userId, ...of, origin },
  });

describe('an administrator', () => {
  test('links an identity, by which the person is that user from then on, and unlinks it', async () => {
    const [ada, of] = [await person(), identity()];
    const { status, body } = await ask('POST', path(ada), of);
    expect(status).toBe(201);
    expect((await resolve(of)).body).toMatchObject({ userId: ada, created: false });
    const linked = await events.seen(tenantId, 'identity.linked', body.id);
    expect(linked.data).toMatchObject({ reason: { code: 'by_administrator' }, details: { userId: ada } });
    expect((await ask<Listed>('GET', path(ada))).body.items).toEqual([
      expect.objectContaining({ id: body.id, subject: of.subject, isFirst: false }),
    ]);
    expect((await ask('DELETE', path(ada, body.id))).status).toBe(204);
    expect((await ask<Listed>('GET', path(ada))).body.items).toEqual([]);
    await events.seen(tenantId, 'identity.unlinked', body.id);
    expect((await resolve(of)).body.userId).not.toBe(ada);
  });

  test('unlinks for good: no address leads to that user from the connection again, until it is linked anew', async () => {
    const email = address();
    const ada = await newUser(provisioning, tenantId, { email, roles: ['tenant_member'] });
    const of = identity();
    const verified = { email, emailVerified: true, domainOwned: true };
    expect((await resolve(of, verified)).body).toMatchObject({ userId: ada });
    const [linked] = (await ask<Listed>('GET', path(ada))).body.items;
    await ask('DELETE', path(ada, linked?.id));
    const another = { ...identity(), connectionId: of.connectionId };
    for (const comes of [of, another])
      expect(await resolve(comes, verified)).toMatchObject({ status: 409, body: { code: 'identity_conflict' } });
    // Another connection speaks for itself.
    expect((await resolve(identity(), verified)).body).toMatchObject({ userId: ada });
    expect((await ask('POST', path(ada), another)).status).toBe(201);
    expect((await resolve(another, verified)).body).toMatchObject({ userId: ada });
    expect((await resolve(of, verified)).status).toBe(409);
  });

  test('links again what was unlinked', async () => {
    const [ada, of] = [await person(), identity()];
    const { body } = await ask('POST', path(ada), of);
    await ask('DELETE', path(ada, body.id));
    expect((await ask('POST', path(ada), of)).status).toBe(201);
    expect((await resolve(of)).body.userId).toBe(ada);
  });

  test('links nothing that is somebody else’s, be it made for them or linked, and no second of a connection', async () => {
    const [ada, eve, of] = [await person(), await person(), identity()];
    await ask('POST', path(ada), of);
    const made = identity();
    await resolve(made);
    for (const taken of [of, made])
      expect(await ask('POST', path(eve), taken)).toMatchObject({ status: 409, body: { code: 'identity_taken' } });
    const second = { ...identity(), connectionId: of.connectionId };
    expect(await ask('POST', path(ada), second)).toMatchObject({ status: 409, body: { code: 'identity_taken' } });
    expect((await resolve(of)).body.userId).toBe(ada);
  });

  test('unlinks neither what is of another user nor what the user was made for', async () => {
    const [ada, eve, of] = [await person(), await person(), identity()];
    const { body } = await ask('POST', path(ada), of);
    expect((await ask('DELETE', path(eve, body.id))).status).toBe(404);
    const made = identity();
    const { userId } = (await resolve(made)).body as { userId: Id<'user'> };
    const [first] = (await ask<Listed>('GET', path(userId))).body.items;
    expect(first).toMatchObject({ isFirst: true, connectionId: made.connectionId });
    expect((await ask('DELETE', path(userId, first?.id))).status).toBe(404);
    expect((await resolve(of)).body.userId).toBe(ada);
  });

  test('of a part of the tenant opens no account that reaches further', async () => {
    const [admin, member] = [await person(['tenant_admin']), await person()];
    const limited = { ...callers.tenantClient(tenantId), areas: ['directory'] };
    expect((await ask('POST', path(admin), identity(), limited)).status).toBe(403);
    expect((await ask('POST', path(member), identity(), limited)).status).toBe(201);
  });

  test('of another tenant finds nobody', async () => {
    const ada = await person();
    const other = await newTenant(provisioning);
    expect((await ask('POST', path(ada), identity(), callers.tenantClient(other))).status).toBe(404);
    const elsewhere = path(ada).replace(tenantId, other);
    expect((await ask('POST', elsewhere, identity())).status).toBe(404);
    expect((await ask('GET', elsewhere)).status).toBe(404);
  });
});

describe('a person who is signed in', () => {
  test('links another identity, once however often it is said', async () => {
    const [ada, of] = [await person(), identity()];
    const all = await Promise.all([1, 2, 3].map(() => linkSignedIn(ada, of)));
    expect(all.map(({ status }) => status)).toEqual([204, 204, 204]);
    expect((await resolve(of)).body.userId).toBe(ada);
    const linked = () =>
      events.of(tenantId).filter(({ type, data }) => type === 'identity.linked' && data.actor.id === ada);
    await eventually('the link', () => linked().length > 0);
    expect(linked().map(({ data }) => data.reason.code)).toEqual(['by_person']);
  });

  test('of two who link one identity at once is the only one', async () => {
    const [ada, eve, of] = [await person(), await person(), identity()];
    const both = await Promise.all([linkSignedIn(ada, of), linkSignedIn(eve, of)]);
    expect(both.map(({ status }) => String(status)).toSorted()).toEqual(['204', '409']);
  });

  test('links nothing once deactivated, in a suspended tenant, or without the word of auth', async () => {
    const [ada, of] = [await person(), identity()];
    expect((await linkSignedIn(ada, of, callers.platform())).status).toBe(403);
    expect((await linkSignedIn(ada, of, callers.tenantClient(tenantId))).status).toBe(403);
    await ask('POST', `/v1/tenants/${tenantId}/users/${ada}:deactivate`);
    expect(await linkSignedIn(ada, of)).toMatchObject({ status: 403, body: { code: 'user_deactivated' } });
    const suspended = await newTenant(provisioning);
    await ask('POST', `/v1/tenants/${suspended}:suspend`);
    expect((await linkSignedIn(ada, of, callers.service(), suspended)).status).toBe(403);
  });
});
