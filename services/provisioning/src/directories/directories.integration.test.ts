// Who may let a directory in, and that nobody learns its token who is not to.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, type RunningService, readEvents } from '@reeve/testing';
import { newDirectory, newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

let provisioning: RunningService;
let events: EventReader;
let tenantId: TenantId;
let own: Caller;

beforeAll(async () => {
  provisioning = await startProvisioning();
  events = await readEvents('reeve.directory.v1');
  tenantId = await newTenant(provisioning);
  own = callers.tenantClient(tenantId);
});
afterAll(async () => {
  await events.stop();
  await provisioning.stop();
});

type Caller = ReturnType<typeof callers.tenantClient>;
type Directory = { id: Id<'directory'>; name: string; baseUrl: string; token?: string | null; code?: string };
type Errors = { code: string; errors: { field: string }[] };
const path = (id = '') => `/v1/tenants/${tenantId}/directories${id === '' ? '' : `/${id}`}`;
const ask = <T = Directory>(method: string, url: string, body?: object, headers: Record<string, string> = {}) =>
  provisioning.ask<T>(method, url, { as: own, headers, ...(body ? { body } : {}) });
/** What its token is good for. */
const push = async ({ baseUrl, token }: { baseUrl: string; token: string }) =>
  (await provisioning.ask('GET', `${baseUrl}/Users?filter=userName%20eq%20%22x%22`, { as: token })).status;

describe('the token of a directory', () => {
  test('is shown once, and never by a request that is sent again', async () => {
    const headers = { 'idempotency-key': newId('request') };
    const first = await ask('POST', path(), { name: 'HR' }, headers);
    const again = await ask('POST', path(), { name: 'HR' }, headers);
    expect(first).toMatchObject({ status: 201, body: { token: expect.any(String) } });
    expect(again.body).toEqual({ ...first.body, token: null });
    for (const url of [path(first.body.id), path()]) {
      const { status, body } = await ask<object>('GET', url);
      expect([status, JSON.stringify(body).includes(first.body.token ?? '')]).toEqual([200, false]);
    }
  });

  test('is rotated in the version that was read, and in no other', async () => {
    const directory = await newDirectory(provisioning, tenantId);
    const old = { 'if-match': '"1"' };
    expect((await ask('PATCH', path(directory.id), { name: 'People' }, old)).status).toBe(200);
    const late = await ask('POST', `${path(directory.id)}:rotate-token`, undefined, old);
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await push(directory)).toBe(200);
    const { body } = await ask('POST', `${path(directory.id)}:rotate-token`, undefined, { 'if-match': '"2"' });
    expect([await push(directory), await push({ ...directory, token: body.token ?? '' })]).toEqual([401, 200]);
  });
});

describe('a directory', () => {
  test('is renamed, and keeps its token and address', async () => {
    const directory = await newDirectory(provisioning, tenantId);
    const { body } = await ask('PATCH', path(directory.id), { name: '  Personal 人事 😀 ' });
    expect(body).toMatchObject({ name: 'Personal 人事 😀', baseUrl: directory.baseUrl });
    expect(await push(directory)).toBe(200);
    expect((await events.seen(tenantId, 'directory.updated', directory.id)).data.details).toEqual({
      changed: ['name'],
    });
  });

  test.each([
    ['without a name', {}, 'name'],
    ['with an empty name', { name: ' ' }, 'name'],
    ['with a name of 201 characters', { name: 'a'.repeat(201) }, 'name'],
    ['with a token of the caller’s choice', { name: 'HR', token: 'a'.repeat(43) }, 'token'],
  ])('%s is refused by name', async (_, body, field) => {
    const directory = await newDirectory(provisioning, tenantId);
    for (const [method, url] of [
      ['POST', path()],
      ['PATCH', path(directory.id)],
    ] as const)
      expect(await ask<Errors>(method, url, body)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  test('is not deleted by whoever has seen another version', async () => {
    const directory = await newDirectory(provisioning, tenantId);
    expect((await ask('DELETE', path(directory.id), undefined, { 'if-match': '"7"' })).status).toBe(412);
    expect(await push(directory)).toBe(200);
    expect((await ask('DELETE', path(directory.id), undefined, { 'if-match': '"1"' })).status).toBe(204);
    expect(await push(directory)).toBe(401);
    expect((await ask('DELETE', path(directory.id))).status).toBe(404);
  });

  test('is listed page by page, as long as it is there', async () => {
    const another = await newTenant(provisioning);
    const list = `/v1/tenants/${another}/directories`;
    const as = callers.tenantClient(another);
    const made = [];
    for (let index = 0; index < 4; index += 1) made.push((await newDirectory(provisioning, another)).id);
    await provisioning.ask('DELETE', `${list}/${made[1]}`, { as });
    type Page = { items: Directory[]; nextCursor: string | null };
    const first = await provisioning.ask<Page>('GET', `${list}?limit=2`, { as });
    const second = await provisioning.ask<Page>('GET', `${list}?limit=2&cursor=${first.body.nextCursor}`, { as });
    expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual([made[0], made[2], made[3]]);
    expect(second.body.nextCursor).toBeNull();
  });

  test('is let in by an administrator, and by no other person and no other tenant', async () => {
    const { id } = await newDirectory(provisioning, tenantId);
    const person = async (roles: readonly string[]) => {
      const user = { email: `${newId('request')}@acme.example`, roles };
      return callers.person(tenantId, { id: await newUser(provisioning, tenantId, user), roles });
    };
    const create = async (as: Caller) => (await provisioning.ask('POST', path(), { as, body: { name: 'x' } })).status;
    expect(await create(await person(['tenant_admin']))).toBe(201);
    expect(await create(await person(['tenant_auditor', 'tenant_member']))).toBe(403);
    const elsewhere = await newTenant(provisioning);
    expect(await create(callers.tenantClient(elsewhere))).toBe(404);
    const stranger = { as: callers.tenantClient(elsewhere) };
    for (const tenant of [tenantId, elsewhere])
      for (const method of ['GET', 'DELETE'])
        expect((await provisioning.ask(method, `/v1/tenants/${tenant}/directories/${id}`, stranger)).status).toBe(404);
    expect((await ask('GET', path(id))).status).toBe(200);
  });
});
