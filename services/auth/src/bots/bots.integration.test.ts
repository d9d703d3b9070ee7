// Bots as administrators keep them: what a bot names has to be its tenant's, and what it does is on the record.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type EventReader, readEvents } from '@reeve/testing';
import { type Auth, startAuth } from '../auth.test-support.ts';
import { api, botConnection, newApi, newBot, newMachine, tokenOf } from './bots.test-support.ts';

let auth: Auth;
let events: EventReader;
let admin: string;

beforeAll(async () => {
  auth = await startAuth();
  events = await readEvents('reeve.auth.v1');
  admin = await auth.asPlatform();
  await newApi(auth, api);
  await newApi(auth, 'https://opaque.example', { format: 'opaque' });
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});

test('a bot is made, read, changed by its version and deleted, and each is told', async () => {
  const { tenantId, botId, machine } = await newBot(auth);
  const path = `/v1/tenants/${tenantId}/bots`;
  expect((await auth.ask<{ items: unknown[] }>('GET', path, { as: admin })).body.items).toHaveLength(1);
  const read = await auth.ask<object>('GET', `${path}/${botId}`, { as: admin });
  expect(read.body).toMatchObject({ id: botId, clientId: machine.id, connections: [botConnection()] });
  const changed = await auth.ask('PATCH', `${path}/${botId}`, {
    as: admin,
    body: { name: 'Porter' },
    headers: { 'If-Match': '"1"' },
  });
  expect([changed.status, changed.body]).toEqual([200, expect.objectContaining({ name: 'Porter' })]);
  const late = await auth.ask('PATCH', `${path}/${botId}`, {
    as: admin,
    body: { name: 'Late' },
    headers: { 'If-Match': '"1"' },
  });
  expect(late.status).toBe(412);
  expect((await auth.ask('DELETE', `${path}/${botId}`, { as: admin })).status).toBe(204);
  expect((await auth.ask('GET', `${path}/${botId}`, { as: admin })).status).toBe(404);
  for (const type of ['bot.created', 'bot.updated', 'bot.deleted'] as const)
    expect((await events.seen(tenantId, type, botId)).data.actor.type).toBe('client');
});

test('what is another tenant’s, is not there, or is not for the application is refused by its field', async () => {
  const { tenantId, machine } = await newBot(auth);
  const other = await newBot(auth);
  await auth.ask('POST', `/v1/tenants/${other.tenantId}/auth-keys`, {
    as: admin,
    body: { authKey: 'theirs', connectionId: other.idp },
  });
  const own = await newMachine(auth, tenantId);
  const path = `/v1/tenants/${tenantId}/bots`;
  const ask = (body: object) =>
    auth.ask<{ code?: string; errors?: { field: string }[] }>('POST', path, {
      as: admin,
      body: { name: 'Another', clientId: own.id, ...body },
    });
  const fieldOf = async (body: object) => (await ask(body)).body.errors?.[0]?.field;
  expect(await fieldOf({ clientId: other.machine.id })).toBe('clientId');
  expect(await fieldOf({ clientId: (await auth.newApplication(tenantId)).id })).toBe('clientId');
  expect(await fieldOf({ connections: [botConnection({ authKey: 'theirs' })] })).toBe('connections.0.authKey');
  expect(await fieldOf({ connections: [botConnection({ resource: 'https://not.example' })] })).toBe(
    'connections.0.resource',
  );
  expect(await fieldOf({ connections: [botConnection({ resource: auth.url })] })).toBe('connections.0.resource');
  expect(await fieldOf({ connections: [botConnection({ resource: 'https://opaque.example' })] })).toBe(
    'connections.0.resource',
  );
  expect(await fieldOf({ connections: [botConnection({ scopes: ['events.burn'] })] })).toBe('connections.0.scopes');
  expect(await fieldOf({ connections: [botConnection(), botConnection()] })).toBe('connections');
  expect((await ask({ clientId: machine.id })).body.code).toBe('bot_exists');
  expect((await ask({ connections: [botConnection()] })).status).toBe(201);
});

test('another tenant’s bot is not there, also for the administrators of a tenant with one of its own', async () => {
  const [one, two] = [await newBot(auth), await newBot(auth)];
  const path = `/v1/tenants/${one.tenantId}/bots/${two.botId}`;
  for (const method of ['GET', 'PATCH', 'DELETE'] as const)
    expect((await auth.ask(method, path, { as: admin, ...(method === 'PATCH' ? { body: {} } : {}) })).status).toBe(404);
});

test('the token of a bot reaches nothing of its tenant’s, also where it names the tenant', async () => {
  const { tenantId, as, machine } = await newBot(auth);
  const named = await tokenOf(auth, machine, `bots:act tenant:${tenantId}`);
  const wide = await tokenOf(auth, machine, `tenant:${tenantId}`);
  const ask = async (token: string) =>
    (await auth.ask('GET', `/v1/tenants/${tenantId}/auth-keys`, { as: token })).status;
  expect([await ask(as), await ask(named), await ask(wide)]).toEqual([403, 403, 200]);
});
