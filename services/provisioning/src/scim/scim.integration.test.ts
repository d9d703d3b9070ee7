// SCIM at its edges; that directories can work with it is shown end to end (test/src/e2e/scim.test.ts).
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, type RunningService, readEvents } from '@reeve/testing';
import { newDirectory, newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const scimType = { 'content-type': 'application/scim+json' };

let provisioning: RunningService;
let events: EventReader;
let tenantId: TenantId;
let directory: Awaited<ReturnType<typeof newDirectory>>;

beforeAll(async () => {
  provisioning = await startProvisioning();
  events = await readEvents('reeve.directory.v1');
  tenantId = await newTenant(provisioning);
  directory = await newDirectory(provisioning, tenantId);
});
afterAll(async () => {
  await events.stop();
  await provisioning.stop();
});

type ScimUser = {
  id: Id<'user'>;
  active: boolean;
  displayName?: string;
  emails?: { value: string }[];
  detail?: string;
  scimType?: string;
};
const create = (body: object | string, as = directory.token) =>
  provisioning.ask<ScimUser>('POST', `${directory.baseUrl}/Users`, { as, body, headers: scimType });
/** The ids of the users with that name, as a directory finds them. */
async function found(userName: string, { baseUrl, token } = directory): Promise<string[]> {
  const filter = encodeURIComponent(`userName eq ${JSON.stringify(userName)}`);
  const { body } = await provisioning.ask<{ Resources: ScimUser[] }>('GET', `${baseUrl}/Users?filter=${filter}`, {
    as: token,
  });
  return body.Resources.map(({ id }) => id);
}
/** Together 201 characters, of which the last two are one to the eye. */
function longNames() {
  return { name: { givenName: 'x'.repeat(198), familyName: '😀' } };
}
const user = (userName: string, more: object = {}) => ({ schemas: [core], userName, ...more });
const active = (value: boolean) => ({ schemas: [patchOp], Operations: [{ op: 'replace', path: 'active', value }] });

describe('a user that a directory pushes', () => {
  test('inactive was never active to anybody: one write tells both', async () => {
    const { status, body, headers } = await create(user('off@acme.example', { active: false }));
    expect(status).toBe(201);
    expect(body.active).toBe(false);
    expect(headers.get('location')).toBe(`${directory.baseUrl}/Users/${body.id}`);
    await events.seen(tenantId, 'user.deactivated', body.id);
    const types = events.of(tenantId).filter(({ data }) => data.target.id === body.id);
    expect(types.map(({ type }) => type)).toEqual(['user.created', 'role.assigned', 'user.deactivated']);
  });

  test('is changed in the version that was read, with an ETag as SCIM has it', async () => {
    const { body, headers } = await create(user('etag@acme.example'));
    const patch = (etag: string) =>
      provisioning.ask('PATCH', `${directory.baseUrl}/Users/${body.id}`, {
        as: directory.token,
        body: active(false),
        headers: { ...scimType, 'if-match': etag },
      });
    expect(headers.get('etag')).toBe('W/"1"');
    expect((await patch('W/"1"')).status).toBe(200);
    expect(await patch('W/"1"')).toMatchObject({ status: 412, body: { status: '412' } });
  });
});

describe('the users of a directory', () => {
  test('are not those of another directory of the tenant, nor those that nobody pushed', async () => {
    const other = await newDirectory(provisioning, tenantId);
    const { body: pushed } = await create(user('own@acme.example'));
    const made = await newUser(provisioning, tenantId, { email: 'made@acme.example' });
    for (const id of [pushed.id, made]) {
      const url = `${other.baseUrl}/Users/${id}`;
      expect((await provisioning.ask('GET', url, { as: other.token })).status).toBe(404);
      const change = { as: other.token, body: active(false), headers: scimType };
      expect((await provisioning.ask('PATCH', url, change)).status).toBe(404);
    }
    expect(await found('own@acme.example', other)).toEqual([]);
    expect(await found('own@acme.example')).toEqual([pushed.id]);
    expect(await found('made@acme.example')).toEqual([]);
  });

  test('are found by ids alone: for another text nobody is there, and the token stays good', async () => {
    for (const id of ['x', 'own@acme.example', `usr_${'0'.repeat(36)}`]) {
      const asked = { as: directory.token };
      expect((await provisioning.ask('GET', `${directory.baseUrl}/Users/${id}`, asked)).status).toBe(404);
    }
  });

  test('have user names of their own, which another directory may know somebody else by', async () => {
    const other = await newDirectory(provisioning, tenantId);
    const { body: first } = await create(user('E123'));
    expect(await create(user('e123'))).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } });
    const elsewhere = await provisioning.ask<ScimUser>('POST', `${other.baseUrl}/Users`, {
      as: other.token,
      body: user('e123'),
    });
    expect(elsewhere.status).toBe(201);
    expect([await found('e123'), await found('e123', other)]).toEqual([[first.id], [elsewhere.body.id]]);
  });

  test('are found in another composition of the same letters, and with quotes in their names', async () => {
    const zoe = await create(user('zo\u00eb@acme.example', { emails: [] }));
    expect(await found('zoe\u0308@acme.example')).toEqual([zoe.body.id]);
    const quoted = await create(user('a "b" \\ c'));
    expect(await found('A "b" \\ c')).toEqual([quoted.body.id]);
  });
});

describe('what a directory says of a user', () => {
  test.each([
    [
      'the primary address',
      { emails: [{ value: 'a@x.example' }, { value: 'b@x.example', primary: true }] },
      'b@x.example',
    ],
    [
      'the first address, where none is primary',
      { emails: [{ value: 'c@x.example' }, { value: 'd@x.example' }] },
      'c@x.example',
    ],
    ['the user name, where it is one', { userName: 'e@x.example' }, 'e@x.example'],
    ['nothing, where it has none', { userName: 'no address' }, undefined],
  ])('is their address: %s', async (_, said, address) => {
    const { body } = await create(user(newId('request'), said));
    expect(body.emails?.map(({ value }) => value)).toEqual(address === undefined ? undefined : [address]);
  });

  test.each([
    ['as it shows it', { displayName: 'Ada L.', name: { givenName: 'A' } }, 'Ada L.'],
    ['of its parts', { name: { givenName: ' 有希 ', familyName: '山田' } }, '有希 山田'],
    ['of the one part there is', { name: { familyName: 'Lovelace' } }, 'Lovelace'],
    ['none', { name: {} }, undefined],
    ['no longer than a name may be, and no half of a character', longNames(), 'x'.repeat(198)],
  ])('is their name: %s', async (_, said, name) => {
    expect((await create(user(newId('request'), said))).body.displayName).toBe(name);
  });

  test('is taken without the fields that Reeve does not know, as those of extensions', async () => {
    const extension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const body = {
      ...user(newId('request'), { [extension]: { costCenter: '7' }, nickName: 'A' }),
      schemas: [core, extension],
    };
    const { status, body: made } = await create(body);
    expect([status, Object.keys(made)]).toEqual([201, expect.not.arrayContaining(['nickName', extension])]);
  });
});

describe('a change', () => {
  test.each([
    ['of the address', [{ op: 'replace', path: 'emails', value: [] }]],
    ['that adds', [{ op: 'add', path: 'active', value: true }]],
    ['to something between true and false', [{ op: 'replace', path: 'active', value: 'maybe' }]],
    ['of more than active', [{ op: 'replace', value: { active: false, displayName: 'x' } }]],
    ['of nothing', []],
    ['that comes 101 times', Array.from({ length: 101 }, () => active(false).Operations).flat()],
  ])('%s is refused, and nothing of it is done', async (_, Operations) => {
    const { body } = await create(user(newId('request')));
    const url = `${directory.baseUrl}/Users/${body.id}`;
    const ask = (method: string, change?: object) =>
      provisioning.ask<ScimUser>(method, url, {
        as: directory.token,
        headers: scimType,
        ...(change ? { body: change } : {}),
      });
    // What could be done stands before what could not.
    const both = [...active(false).Operations, ...Operations];
    for (const some of Operations.length > 0 ? [Operations, both] : [Operations])
      expect((await ask('PATCH', { schemas: [patchOp], Operations: some })).status).toBe(400);
    expect((await ask('GET')).body.active).toBe(true);
    expect((await ask('PATCH', active(false))).body.active).toBe(false);
  });
});

describe('what is not offered yet', () => {
  test.each([
    ['PUT', 'Users/usr_01934f4c-0000-7000-8000-000000000001'],
    ['DELETE', 'Users/usr_01934f4c-0000-7000-8000-000000000001'],
    ['GET', 'Groups'],
    ['POST', 'Groups'],
    ['POST', 'Bulk'],
    ['GET', 'ServiceProviderConfig'],
    ['GET', 'ResourceTypes'],
    ['GET', 'Schemas'],
  ])('(%s %s) says so in SCIM’s words, to a directory alone', async (method, path) => {
    const ask = (as: string) => provisioning.ask(method, `${directory.baseUrl}/${path}`, { as });
    const { status, body, headers } = await ask(directory.token);
    expect([status, headers.get('content-type')]).toEqual([501, expect.stringContaining('application/scim+json')]);
    expect(body).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '501' });
    expect((await ask('a'.repeat(43))).status).toBe(401);
  });
});

describe('input', () => {
  test.each([
    ['a NUL', user('nul\u0000@acme.example'), 'userName'],
    ['half a character', `{"schemas":["${core}"],"userName":"x\\ud800"}`, 'userName'],
    ['an address of 120 kB', user('long', { emails: [{ value: `${'a'.repeat(120_000)}@acme.example` }] }), 'emails.0'],
    ['a name of 120 kB', user('long', { displayName: 'a'.repeat(120_000) }), 'displayName'],
  ])('with %s is refused by name', async (_, body, field) => {
    const { status, body: error } = await create(body);
    expect(status).toBe(400);
    expect(error.detail).toContain(field);
  });

  test('of 10,000 levels is refused, as is what is no JSON', async () => {
    expect(await create(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)).toMatchObject({ status: 400 });
    expect(await create('{"schemas": [')).toMatchObject({ status: 400, body: { scimType: 'invalidSyntax' } });
  });

  test('of a stranger is not even parsed', async () => {
    for (const as of ['a'.repeat(43), callers.platform()])
      expect(await create('{"schemas": [', as as string)).toMatchObject({ status: 401 });
  });
});

describe('a token', () => {
  test('that was rotated opens nothing, and its successor does', async () => {
    const path = `/v1/tenants/${tenantId}/directories`;
    const own = await newDirectory(provisioning, tenantId);
    const find = (as: string) => provisioning.ask('GET', `${own.baseUrl}/Users?filter=userName%20eq%20%22x%22`, { as });
    const rotated = await provisioning.ask<{ token: string }>('POST', `${path}/${own.id}:rotate-token`, {
      as: callers.platform(),
    });
    expect((await find(own.token)).status).toBe(401);
    expect((await find(rotated.body.token)).status).toBe(200);
    await events.seen(tenantId, 'directory.token_rotated', own.id);
  });

  test('of a directory that was deleted opens nothing, and its users stay', async () => {
    const path = `/v1/tenants/${tenantId}/directories`;
    const own = await newDirectory(provisioning, tenantId);
    const pushed = await provisioning.ask<ScimUser>('POST', `${own.baseUrl}/Users`, {
      as: own.token,
      body: user('stays@acme.example'),
    });
    const as = callers.platform();
    expect((await provisioning.ask('DELETE', `${path}/${own.id}`, { as })).status).toBe(204);
    expect((await provisioning.ask('GET', `${own.baseUrl}/Users/${pushed.body.id}`, { as: own.token })).status).toBe(
      401,
    );
    expect((await provisioning.ask('GET', `${path}/${own.id}`, { as })).status).toBe(404);
    expect((await provisioning.ask('GET', `/v1/tenants/${tenantId}/users/${pushed.body.id}`, { as })).status).toBe(200);
    await events.seen(tenantId, 'directory.deleted', own.id);
  });
});
