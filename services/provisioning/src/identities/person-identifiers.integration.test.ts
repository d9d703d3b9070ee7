// The same person at several identity providers, by what the tenant knows them by. The attacks are those of a provider
// that is believed for its own people alone, and of whoever may set up connections.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type ResolveIdentityRequest, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, eventually, type RunningService, readEvents } from '@reeve/testing';
import { identityRequest, newTenant, startProvisioning } from '../provisioning.test-support.ts';

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

type Answer = { id: string; userId: string; created: boolean; code?: string; outcome?: string; conflict?: string };
type Conflicts = { items: { id: string; conflict: string; userIds: string[]; count: number; subject: string }[] };

const path = (rest: string) => `/v1/tenants/${tenantId}/${rest}`;
const ask = <A = Answer>(method: string, rest: string, body?: object) =>
  provisioning.ask<A>(method, path(rest), { as, ...(body ? { body } : {}) });
const address = () => `${newId('request')}@acme.example`;
const newNumber = () => newId('request');

async function newUser(settings: object = {}): Promise<string> {
  const { status, body } = await ask('POST', 'users', { email: address(), ...settings });
  expect(status).toBe(201);
  return body.id;
}

const request = (change: Partial<ResolveIdentityRequest>) => identityRequest(tenantId, change);
const send = (what: 'resolve' | 'foresee', body: ResolveIdentityRequest) =>
  provisioning.ask<Answer>('POST', `/internal/identities:${what}`, { as: callers.service(), body });
const resolve = (change: Partial<ResolveIdentityRequest>) => send('resolve', request(change));
const employee = (value: string) => ({ person: { type: 'employee_id' as const, value } });

/** What would become of it, and what did. */
async function foreseenAndDone(change: Partial<ResolveIdentityRequest>) {
  const asked = request(change);
  const foreseen = await send('foresee', asked);
  return { foreseen: foreseen.body, done: await send('resolve', asked), asked };
}
const conflictOf = async ({ subject }: ResolveIdentityRequest) =>
  (await ask<Conflicts>('GET', 'identity-conflicts?limit=100')).body.items.find(one => one.subject === subject);

describe('a person who is known by an identifier', () => {
  test('is the same user from each connection that is believed in it, and stays it without it', async () => {
    const number = newNumber();
    const ada = await newUser({ identifiers: { employee_id: number } });
    const { foreseen, done, asked } = await foreseenAndDone(employee(number));
    expect(foreseen).toEqual({ outcome: 'linked', conflict: null });
    expect(done.body).toMatchObject({ userId: ada, created: false });
    expect((await resolve(employee(number))).body.userId).toBe(ada);
    const { person: _, ...without } = asked;
    expect((await resolve(without)).body.userId).toBe(ada);
    const linked = await eventually('the links are on the record', () => {
      const found = events
        .of(tenantId)
        .filter(({ type, data }) => type === 'identity.linked' && data.details?.['userId'] === ada);
      return found.length === 2 && found;
    });
    expect(linked.map(({ data }) => data.reason.code)).toEqual(['identifier', 'identifier']);
  });

  test('is somebody else by another kind of identifier, or another writing of it', async () => {
    const number = `A${newNumber()}`;
    const ada = await newUser({ identifiers: { employee_id: number } });
    for (const person of [
      { type: 'directory_id' as const, value: number },
      { type: 'employee_id' as const, value: number.toLowerCase() },
    ])
      expect((await resolve({ person })).body.userId).not.toBe(ada);
    expect((await resolve(employee(number))).body.userId).toBe(ada);
  });

  test('is nobody by a connection that is not believed in it', async () => {
    const number = newNumber();
    const ada = await newUser({ identifiers: { employee_id: number } });
    expect((await resolve({ subject: `employee_id:${number}` })).body.userId).not.toBe(ada);
  });

  test('is made with it where there is nobody, once, and the next connection finds them', async () => {
    const number = newNumber();
    const all = await Promise.all(Array.from({ length: 8 }, () => resolve(employee(number))));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(new Set(all.map(({ body }) => body.userId)).size).toBe(1);
    expect(all.filter(({ body }) => body.created)).toHaveLength(1);
  });

  test('is not made where just-in-time provisioning is off: they are not in the roster', async () => {
    const jit = { enabled: false, defaultRoles: [] };
    const { foreseen, done } = await foreseenAndDone({ ...employee(newNumber()), jit });
    expect(foreseen.outcome).toBe('identity_unknown');
    expect(done).toMatchObject({ status: 403, body: { code: 'identity_unknown' } });
  });
});

describe('is refused, and stands in the list of conflicts:', () => {
  async function expectConflict(change: Partial<ResolveIdentityRequest>, conflict: string) {
    const { foreseen, done, asked } = await foreseenAndDone(change);
    expect(foreseen).toEqual({ outcome: 'identity_conflict', conflict });
    expect(done).toMatchObject({ status: 409, body: { code: 'identity_conflict' } });
    return { asked, conflict: await conflictOf(asked) };
  }

  test.each(['tenant_admin', 'tenant_auditor'])('whoever would come into the account of a %s by it', async role => {
    const number = newNumber();
    const id = await newUser({ roles: [role], identifiers: { employee_id: number } });
    const { asked, conflict } = await expectConflict(employee(number), 'identifier_of_administrator');
    expect(conflict).toMatchObject({ conflict: 'identifier_of_administrator', userIds: [id], count: 1 });
    await send('resolve', asked);
    expect((await conflictOf(asked))?.count).toBe(2);
  });

  test('whose identifier and verified address are of two users', async () => {
    const [number, email] = [newNumber(), address()];
    const ids = [await newUser({ identifiers: { employee_id: number } }), await newUser({ email })];
    const both = { ...employee(number), email, emailVerified: true, domainOwned: true };
    const { conflict } = await expectConflict(both, 'identifier_and_address_differ');
    expect([...(conflict?.userIds ?? [])].toSorted()).toEqual(ids.toSorted());
  });

  test('a second subject of the same connection with the same identifier', async () => {
    const number = newNumber();
    await newUser({ identifiers: { employee_id: number } });
    const connectionId = newId('connection');
    expect((await resolve({ ...employee(number), connectionId })).status).toBe(200);
    const asked = request({ ...employee(number), connectionId });
    expect(await send('resolve', asked)).toMatchObject({ status: 409, body: { code: 'identity_conflict' } });
    expect(await conflictOf(asked)).toMatchObject({ conflict: 'identifier_of_another' });
    const made = newNumber();
    const first = await resolve({ ...employee(made), connectionId });
    expect(first.body.created).toBe(true);
    await expectConflict({ ...employee(made), connectionId }, 'identifier_of_another');
  });

  test('what an administrator has unlinked, until they link it again, which takes it off the list', async () => {
    const number = newNumber();
    const id = await newUser({ identifiers: { employee_id: number } });
    const asked = request(employee(number));
    await send('resolve', asked);
    const identities = await ask<{ items: { id: string }[] }>('GET', `users/${id}/identities`);
    const [identity] = identities.body.items;
    expect((await ask('DELETE', `users/${id}/identities/${identity?.id}`)).status).toBe(204);
    expect((await send('resolve', asked)).status).toBe(409);
    expect(await conflictOf(asked)).toMatchObject({ conflict: 'identifier_of_another' });
    const { connectionId, issuer, subject } = asked;
    expect((await ask('POST', `users/${id}/identities`, { connectionId, issuer, subject })).status).toBe(201);
    expect(await conflictOf(asked)).toBeUndefined();
    expect((await send('resolve', asked)).body.userId).toBe(id);
  });

  test('and is taken off the list by hand, until they come again', async () => {
    const number = newNumber();
    await newUser({ roles: ['tenant_admin'], identifiers: { employee_id: number } });
    const { asked, conflict } = await expectConflict(employee(number), 'identifier_of_administrator');
    const other = callers.tenantClient(await newTenant(provisioning));
    const dismissal = path(`identity-conflicts/${conflict?.id}`);
    expect((await provisioning.ask('DELETE', dismissal, { as: other })).status).toBe(404);
    expect((await provisioning.ask('DELETE', dismissal, { as })).status).toBe(204);
    expect(await conflictOf(asked)).toBeUndefined();
    await send('resolve', asked);
    expect(await conflictOf(asked)).toMatchObject({ count: 1 });
  });
});

describe('identifiers', () => {
  test('are of one user each, are changed and taken away, and find their user', async () => {
    const number = newNumber();
    const id = await newUser({ identifiers: { employee_id: number, custom: number } });
    expect(await ask('POST', 'users', { email: address(), identifiers: { custom: number } })).toMatchObject({
      status: 409,
      body: { code: 'user_identifier_taken' },
    });
    const found = (query: string) => ask<{ items: Answer[] }>('GET', `users?identifier=${query}`);
    expect((await found(`employee_id:${number}`)).body.items.map(user => user.id)).toEqual([id]);
    expect((await ask('PATCH', `users/${id}`, { identifiers: { custom: number } })).status).toBe(200);
    expect((await found(`employee_id:${number}`)).body.items).toEqual([]);
    expect(await found('badge:1')).toMatchObject({ status: 400, body: { errors: [{ field: 'query.identifier' }] } });
  });

  test('are given by whoever reaches as far as the user does, since somebody else may come in by them', async () => {
    const admin = await newUser({ roles: ['tenant_admin'] });
    const ofAuditors = { ...callers.tenantClient(tenantId), areas: ['users'] };
    const change = { body: { identifiers: { employee_id: newNumber() } } };
    const by = (caller: typeof as) => provisioning.ask('PATCH', path(`users/${admin}`), { as: caller, ...change });
    expect((await by(ofAuditors)).status).toBe(403);
    expect((await by(as)).status).toBe(200);
  });

  test.each([
    ['', 'of nothing'],
    [' 1', 'with a space at its end'],
    ['1\u0000', 'with NUL'],
    ['\ud800', 'with half a character'],
    ['1'.repeat(401), 'that is too long'],
  ])('one %j is refused: %s', async value => {
    const { status, body } = await ask('POST', 'users', { email: address(), identifiers: { custom: value } });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('identifiers.custom');
  });
});
