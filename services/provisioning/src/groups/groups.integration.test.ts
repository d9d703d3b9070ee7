import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, eventually, type RunningService, readEvents } from '@reeve/testing';
import { newGroup, newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

let provisioning: RunningService;
let events: EventReader;
let tenantId: TenantId;
let as: ReturnType<typeof callers.tenantClient>;

beforeAll(async () => {
  provisioning = await startProvisioning();
  events = await readEvents('reeve.directory.v1');
  tenantId = await newTenant(provisioning);
  as = callers.tenantClient(tenantId);
});
afterAll(async () => {
  await events.stop();
  await provisioning.stop();
});

type Answer = {
  id: string;
  groups: string[];
  items: { id: string }[];
  nextCursor: string | null;
  code: string;
  errors: { field: string }[];
};
const groups = (of: TenantId = tenantId) => `/v1/tenants/${of}/groups`;
const ask = (method: string, path: string, body?: object) =>
  provisioning.ask<Answer>(method, path, { as, ...(body ? { body } : {}) });
const newMember = (of: TenantId = tenantId) => newUser(provisioning, of, { email: `${newId('request')}@acme.example` });
const newName = () => `Group ${newId('request')}`;
const membersOf = async (id: string) =>
  (await ask('GET', `${groups()}/${id}/members`)).body.items.map(member => member.id);
const groupsOf = async (userId: string) => (await ask('GET', `/v1/tenants/${tenantId}/users/${userId}`)).body.groups;
const add = (group: string, userId: string) => ask('PUT', `${groups()}/${group}/members/${userId}`);

describe('a group', () => {
  test('is made, found, changed in the version that was read, and deleted', async () => {
    const name = newName();
    const made = await ask('POST', groups(), { name });
    expect(made).toMatchObject({ status: 201, body: { name, description: null } });
    const path = `${groups()}/${made.body.id}`;
    const read = await ask('GET', path);
    const change = (description: string) =>
      provisioning.ask<Answer>('PATCH', path, {
        as,
        body: { description },
        headers: { 'if-match': read.headers.get('etag') ?? '' },
      });
    expect(await change('Answers customers')).toMatchObject({
      status: 200,
      body: { description: 'Answers customers' },
    });
    expect(await change('Nobody')).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect((await ask('GET', groups())).body.items.map(({ id }) => id)).toContain(made.body.id);
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
    expect((await ask('GET', groups())).body.items.map(({ id }) => id)).not.toContain(made.body.id);
    for (const type of ['group.created', 'group.updated', 'group.deleted'] as const)
      await events.seen(tenantId, type, made.body.id);
  });

  test('has a name that no other in the tenant has, in whatever case; of a deleted one it is free', async () => {
    const name = newName();
    const id = await newGroup(provisioning, tenantId, name);
    const taken = { status: 409, body: { code: 'group_name_taken' } };
    expect(await ask('POST', groups(), { name: name.toUpperCase() })).toMatchObject(taken);
    const other = await newGroup(provisioning, tenantId, newName());
    expect(await ask('PATCH', `${groups()}/${other}`, { name })).toMatchObject(taken);
    await newGroup(provisioning, await newTenant(provisioning), name);
    await ask('DELETE', `${groups()}/${id}`);
    expect((await ask('POST', groups(), { name })).status).toBe(201);
  });

  test.each([
    ['without a name', {}, 'name'],
    ['with an empty name', { name: '  ' }, 'name'],
    ['with a name of 201 characters', { name: 'x'.repeat(201) }, 'name'],
    ['with a name with a NUL', { name: 'a\u0000b' }, 'name'],
    ['with members', { name: 'x', members: [] }, 'members'],
  ])('%s is refused by name', async (_, body, field) => {
    expect(await ask('POST', groups(), body)).toMatchObject({
      status: 400,
      body: { code: 'input_invalid', errors: [{ field }] },
    });
  });

  test('of another tenant is not there, and nobody of another tenant comes into one', async () => {
    const elsewhere = await newTenant(provisioning);
    const group = await newGroup(provisioning, elsewhere, newName());
    const own = await newGroup(provisioning, tenantId, newName());
    const [here, there] = [await newMember(), await newMember(elsewhere)];
    for (const [method, path] of [
      ['GET', `${groups()}/${group}`],
      ['GET', `${groups(elsewhere)}/${group}`],
      ['PUT', `${groups()}/${group}/members/${here}`],
      ['PUT', `${groups(elsewhere)}/${group}/members/${there}`],
      ['PUT', `${groups()}/${own}/members/${there}`],
      ['DELETE', `${groups(elsewhere)}/${group}`],
    ] as const)
      expect([path, await ask(method, path)]).toMatchObject([path, { status: 404, body: { code: 'not_found' } }]);
    expect((await add(own, here)).status).toBe(204);
  });

  test('is no affair of somebody who administers nothing', async () => {
    const member = callers.person(tenantId, { id: await newMember(), roles: ['tenant_member'] });
    for (const [method, body] of [['GET'], ['POST', { name: newName() }]] as const)
      expect(await provisioning.ask(method, groups(), { as: member, ...(body ? { body } : {}) })).toMatchObject({
        status: 403,
        body: { code: 'access_denied' },
      });
  });
});

describe('whoever is in a group', () => {
  test('came in once, however often they are added, is listed with it, and leaves', async () => {
    const group = await newGroup(provisioning, tenantId, newName());
    const userId = await newMember();
    for (const status of [204, 204]) expect((await add(group, userId)).status).toBe(status);
    expect([await membersOf(group), await groupsOf(userId)]).toEqual([[userId], [group]]);
    const path = `${groups()}/${group}/members/${userId}`;
    for (const status of [204, 204]) expect((await ask('DELETE', path)).status).toBe(status);
    expect([await membersOf(group), await groupsOf(userId)]).toEqual([[], []]);
    await events.seen(tenantId, 'membership.removed', group);
    const told = events.of(tenantId).filter(({ data }) => data.target.id === group);
    expect(told.map(({ type }) => type)).toEqual(['group.created', 'membership.added', 'membership.removed']);
    expect(told[1]?.data).toMatchObject({ target: { type: 'membership' }, details: { userId } });
  });

  test('is not lost when many come at once, and when one comes into many at once (L9)', async () => {
    const made = Array.from({ length: 6 }, () => newGroup(provisioning, tenantId, newName()));
    const all = await Promise.all(made);
    const people = await Promise.all(Array.from({ length: 4 }, () => newMember()));
    const added = await Promise.all(all.flatMap(group => people.map(userId => add(group, userId))));
    expect(new Set(added.map(({ status }) => status))).toEqual(new Set([204]));
    for (const group of all) expect((await membersOf(group)).toSorted()).toEqual(people.toSorted());
  });

  test('is listed page by page', async () => {
    const group = await newGroup(provisioning, tenantId, newName());
    const people: Id<'user'>[] = [];
    for (let index = 0; index < 3; index += 1) people.push(await newMember());
    for (const userId of people.toReversed()) await add(group, userId);
    const first = await ask('GET', `${groups()}/${group}/members?limit=2`);
    expect(first.body.items.map(({ id }) => id)).toEqual(people.slice(0, 2));
    const cursor = first.body.nextCursor ?? '';
    expect((await ask('GET', `${groups()}/${group}/members?limit=2&cursor=${cursor}`)).body).toMatchObject({
      items: [{ id: people[2] }],
      nextCursor: null,
    });
  });

  test('is in it no more when it was deleted, also when they came at that moment', async () => {
    const group = await newGroup(provisioning, tenantId, newName());
    const people = await Promise.all(Array.from({ length: 8 }, () => newMember()));
    const [early, late] = [people.slice(0, 4), people.slice(4)];
    for (const userId of early) await add(group, userId);
    const [deleted, ...added] = await Promise.all([
      ask('DELETE', `${groups()}/${group}`),
      ...late.map(userId => add(group, userId)),
    ]);
    expect(deleted.status).toBe(204);
    expect(added.every(({ status }) => status === 204 || status === 404)).toBe(true);
    await eventually('nobody is in it', async () => {
      const left = await Promise.all(people.map(groupsOf));
      return left.every(held => held.length === 0);
    });
    const removals = events
      .of(tenantId)
      .filter(({ type, data }) => type === 'membership.removed' && data.target.id === group);
    expect(removals.every(({ data }) => data.reason.code === 'group_deleted')).toBe(true);
  });
});
