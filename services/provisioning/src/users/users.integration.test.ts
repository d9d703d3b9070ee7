import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, eventually, type RunningService, readEvents } from '@reeve/testing';
import { newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

let provisioning: RunningService;
let events: EventReader;
let directory: EventReader;
let tenantId: TenantId;

beforeAll(async () => {
  provisioning = await startProvisioning();
  events = await readEvents('reeve.activity.v1');
  directory = await readEvents('reeve.directory.v1');
  tenantId = await newTenant(provisioning);
});
afterAll(async () => {
  await events.stop();
  await directory.stop();
  await provisioning.stop();
});

type User = {
  id: Id<'user'>;
  email: string;
  displayName: string | null;
  roles: string[];
  status: string;
  code?: string;
};
const address = () => `${newId('request')}@acme.example`;
const users = () => `/v1/tenants/${tenantId}/users`;
const admin = async (roles: readonly string[] = ['tenant_admin']) =>
  callers.person(tenantId, { id: await newUser(provisioning, tenantId, { email: address(), roles }), roles });

describe('a user', () => {
  test('is changed in the version that was read, and not in another', async () => {
    const as = callers.tenantClient(tenantId);
    const id = await newUser(provisioning, tenantId, { email: address() });
    const path = `${users()}/${id}`;
    const etag = (await provisioning.ask(`GET`, path, { as })).headers.get('etag') ?? '';
    const change = (displayName: string) =>
      provisioning.ask<User>('PATCH', path, { as, body: { displayName }, headers: { 'if-match': etag } });
    expect((await change('Ada')).status).toBe(200);
    expect(await change('Eve')).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
  });

  test('has an address that nobody else in the tenant has, in whatever case', async () => {
    const email = address();
    await newUser(provisioning, tenantId, { email });
    const again = { as: callers.tenantClient(tenantId), body: { email: email.toUpperCase() } };
    expect(await provisioning.ask('POST', users(), again)).toMatchObject({
      status: 409,
      body: { code: 'user_email_taken' },
    });
    const elsewhere = await newTenant(provisioning);
    await newUser(provisioning, elsewhere, { email });
  });

  test('is not given the address of another, and keeps what it has', async () => {
    const as = callers.tenantClient(tenantId);
    const email = address();
    await newUser(provisioning, tenantId, { email });
    const own = address();
    const path = `${users()}/${await newUser(provisioning, tenantId, { email: own })}`;
    const taken = await provisioning.ask<User>('PATCH', path, { as, body: { email, displayName: 'Eve' } });
    expect(taken).toMatchObject({ status: 409, body: { code: 'user_email_taken' } });
    expect((await provisioning.ask<User>('GET', path, { as })).body).toMatchObject({ email: own, displayName: null });
    const free = await provisioning.ask<User>('PATCH', path, { as, body: { email: address() } });
    expect(free.status).toBe(200);
    await newUser(provisioning, tenantId, { email: own });
  });

  test.each([
    ['an address that is none', { email: 'nobody' }, 'email'],
    ['an address of 321 characters', { email: `a@${'b'.repeat(315)}.com` }, 'email'],
    ['an empty name', { displayName: ' ' }, 'displayName'],
    ['a name with a NUL', { displayName: 'a\u0000b' }, 'displayName'],
    ['a role that does not exist', { roles: ['platform_admin'] }, 'roles.0'],
    ['a role by a name of every object', { roles: ['constructor'] }, 'roles.0'],
    ['a status', { status: 'active' }, 'status'],
    ['a tenant', { tenantId: 'ten_x' }, 'tenantId'],
  ])('with %s is refused by name', async (_, wrong, field) => {
    const as = callers.tenantClient(tenantId);
    const id = await newUser(provisioning, tenantId, { email: address() });
    for (const [method, path, rest] of [
      ['POST', users(), { email: address() }],
      ['PATCH', `${users()}/${id}`, {}],
    ] as const)
      expect(await provisioning.ask<User>(method, path, { as, body: { ...rest, ...wrong } })).toMatchObject({
        status: 400,
        body: { code: 'input_invalid', errors: [{ field }] },
      });
  });

  test('has a name of whatever script, and may have none again', async () => {
    const as = callers.tenantClient(tenantId);
    const body = { email: address(), displayName: ' 山田 Zoë 👩‍👩‍👧 ' };
    const made = await provisioning.ask<User>('POST', users(), { as, body });
    expect(made.body.displayName).toBe('山田 Zoë 👩‍👩‍👧');
    const path = `${users()}/${made.body.id}`;
    expect((await provisioning.ask<User>('PATCH', path, { as, body: { displayName: null } })).body).toMatchObject({
      displayName: null,
      email: body.email,
    });
  });

  test('that is deactivated by ten at once is deactivated once', async () => {
    const as = callers.tenantClient(tenantId);
    const id = await newUser(provisioning, tenantId, { email: address() });
    const changed = (verb: string) => provisioning.ask<User>('POST', `${users()}/${id}:${verb}`, { as });
    const all = await Promise.all(Array.from({ length: 10 }, () => changed('deactivate')));
    expect(all.map(({ body }) => body.status)).toEqual(all.map(() => 'deactivated'));
    await changed('reactivate');
    // Events of one user come in order.
    await directory.seen(tenantId, 'user.reactivated', id);
    const told = directory
      .of(tenantId)
      .filter(({ type, data }) => type === 'user.deactivated' && data.target.id === id);
    expect(told).toHaveLength(1);
  });

  test('is listed by status, page by page', async () => {
    const own = await newTenant(provisioning);
    const made = [];
    for (let index = 0; index < 3; index += 1) made.push(await newUser(provisioning, own, { email: address() }));
    const as = callers.tenantClient(own);
    await provisioning.ask('POST', `/v1/tenants/${own}/users/${made[1]}:deactivate`, { as });
    const list = (query: string) =>
      provisioning.ask<{ items: User[]; nextCursor: string | null }>('GET', `/v1/tenants/${own}/users?${query}`, {
        as,
      });
    expect((await list('status=active')).body.items.map(({ id }) => id)).toEqual([made[0], made[2]]);
    expect((await list('status=deactivated')).body.items.map(({ id }) => id)).toEqual([made[1]]);
    const pages: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await list(`limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      pages.push(page.body.items.map(({ id }) => id).join(' '));
      cursor = page.body.nextCursor;
    }
    expect(pages).toEqual([`${made[0]} ${made[1]}`, `${made[2]}`]);
    expect(await list('status=gone')).toMatchObject({ status: 400, body: { errors: [{ field: 'query.status' }] } });
  });

  test('is not found by a place in the list of another tenant, or of another kind', async () => {
    const elsewhere = await newTenant(provisioning);
    const list = (of: TenantId, query: string) =>
      provisioning.ask<{ nextCursor: string | null; code?: string }>('GET', `/v1/tenants/${of}/users?${query}`, {
        as: callers.tenantClient(of),
      });
    for (let index = 0; index < 2; index += 1) await newUser(provisioning, elsewhere, { email: address() });
    const cursor = String((await list(elsewhere, 'limit=1')).body.nextCursor);
    expect((await list(elsewhere, `limit=1&cursor=${cursor}`)).status).toBe(200);
    for (const [of, query] of [
      [tenantId, `cursor=${cursor}`],
      [elsewhere, `status=active&cursor=${cursor}`],
      [elsewhere, 'cursor=nonsense'],
    ] as const)
      expect(await list(of, query)).toMatchObject({ status: 400, body: { code: 'cursor_invalid' } });
  });

  test('of another tenant is not there', async () => {
    const elsewhere = await newTenant(provisioning);
    const id = await newUser(provisioning, elsewhere, { email: address() });
    const as = callers.tenantClient(tenantId);
    for (const path of [`${users()}/${id}`, `/v1/tenants/${elsewhere}/users/${id}`])
      expect(await provisioning.ask('GET', path, { as })).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('an access token that lives longer than what it says', () => {
  test('does not let somebody administer who is no administrator any more, be it to become one again', async () => {
    const as = await admin();
    const self = `${users()}/${as.sub}`;
    const promote = () => provisioning.ask('PATCH', self, { as, body: { roles: ['tenant_admin'] } });
    expect((await promote()).status).toBe(200);
    await provisioning.ask('PATCH', self, { as: await admin(), body: { roles: ['tenant_member'] } });
    expect(await promote()).toMatchObject({ status: 403, body: { code: 'access_denied' } });
  });

  test('does not let somebody back in who was deactivated', async () => {
    const as = await admin();
    const reactivate = () => provisioning.ask('POST', `${users()}/${as.sub}:reactivate`, { as });
    expect((await reactivate()).status).toBe(200);
    await provisioning.ask('POST', `${users()}/${as.sub}:deactivate`, { as: await admin() });
    expect(await reactivate()).toMatchObject({ status: 401, body: { code: 'token_invalid' } });
  });

  test('of somebody who was made an administrator since is as good as a new one', async () => {
    const as = await admin(['tenant_member']);
    const list = () => provisioning.ask('GET', users(), { as });
    expect((await list()).status).toBe(403);
    await provisioning.ask('PATCH', `${users()}/${as.sub}`, { as: await admin(), body: { roles: ['tenant_admin'] } });
    expect((await list()).status).toBe(200);
  });
});

describe('a client that is limited to the directory', () => {
  const limitedTo = (...areas: string[]) => ({ ...callers.tenantClient(tenantId), areas });
  type Caller = ReturnType<typeof callers.tenantClient>;

  test.each([
    ['tenant_admin', ['directory'], 403],
    ['tenant_admin', ['directory', 'audit'], 403],
    ['tenant_auditor', ['directory'], 403],
    ['tenant_auditor', ['directory', 'audit'], 200],
    ['tenant_member', ['directory'], 200],
  ])('gives nobody a role that reaches further: %s by one of %j', async (role, areas, status) => {
    const as = limitedTo(...areas);
    const id = await newUser(provisioning, tenantId, { email: address(), roles: [] });
    const change = await provisioning.ask('PATCH', `${users()}/${id}`, { as, body: { roles: [role] } });
    const made = await provisioning.ask('POST', users(), { as, body: { email: address(), roles: [role] } });
    expect([change.status, made.status]).toEqual([status, status === 200 ? 201 : status]);
    if (status === 200) return;
    await eventually('the denials', () => {
      const denied = events
        .of(tenantId)
        .filter(({ type, data }) => type === 'access.denied' && data.actor.id === as.sub);
      return denied.length === 2;
    });
  });

  test('changes neither the address nor the roles of somebody who has such a role', async () => {
    const id = await newUser(provisioning, tenantId, { email: address(), roles: ['tenant_admin'] });
    const by = (as: Caller, body: object) => provisioning.ask('PATCH', `${users()}/${id}`, { as, body });
    const changes = [{ email: address() }, { roles: ['tenant_member'] }, { displayName: 'Ada' }];
    const statuses = async (as: Caller) => {
      const found: number[] = [];
      for (const body of changes) found.push((await by(as, body)).status);
      return found;
    };
    expect(await statuses(limitedTo('directory'))).toEqual([403, 403, 200]);
    expect(await statuses(callers.tenantClient(tenantId))).toEqual([200, 200, 200]);
  });
});

describe('the record', () => {
  test('of what the platform does in a tenant has its stated reason, whatever the token says of a tenant', async () => {
    const own = await newTenant(provisioning);
    const platform = { ...callers.platform(), tid: own };
    await provisioning.ask('GET', `/v1/tenants/${own}/users`, {
      as: platform,
      headers: { 'reeve-reason': 'ticket 7' },
    });
    expect(await events.seen(own, 'access.platform_used', 'users:read')).toMatchObject({
      data: { details: { statedReason: 'ticket 7' } },
    });
  });

  test('of a denial names the action and who tried', async () => {
    const as = await admin(['tenant_member']);
    await provisioning.ask('POST', users(), { as, body: { email: address() } });
    const denied = await eventually('the denial', () =>
      events.of(tenantId).find(({ type, data }) => type === 'access.denied' && data.actor.id === as.sub),
    );
    expect(denied.data).toMatchObject({ target: { id: 'users:write' }, reason: { code: 'no_rule_permits' } });
  });
});
