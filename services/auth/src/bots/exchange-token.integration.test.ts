// An exchange whose doer is lost on the way. Two processes are two of what exchanges over one real store; the identity
// provider and the directory are at the edge here, and answer when a test says.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines, eventually } from '@reeve/testing';
import { noProfile, type UpstreamIdentity } from '../connections/kinds/kind.ts';
import type { AtBot } from './at-bot.ts';
import { botUsers as botUsersOf, chatKey } from './bot-user.ts';
import { createExchangeToken } from './exchange-token.ts';
import { timeOutSignIns } from './time-out-sign-ins.ts';

let store: Store;
let tenantId: TenantId;
let at: AtBot;
/** Ahead of the world. */
let aheadMs: number;
let opened: number;

const provider = { id: newId('connection'), state: { kind: 'oidc', attributes: {}, identifier: null, settings: {} } };
const [sessionId, userId] = [newId('session'), newId('user')];
const said: UpstreamIdentity = {
  issuer: 'https://idp.example',
  subject: 'ada',
  email: null,
  emailVerified: null,
  displayName: null,
  profile: noProfile,
  amr: [],
  acr: null,
  authenticatedAt: null,
  sessionEndsAt: null,
  providerSession: null,
  claims: {},
  claimsDropped: [],
};
const cause = serviceCause('test', { correlationId: newEventId() });

beforeAll(async () => {
  const contents = { collections: [botUsersOf], platformRecords: [] };
  const database = `bots_${Date.now().toString(36)}`;
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  await store.prepare();
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  [aheadMs, opened] = [0, 0];
  const connection = { name: 'c', tokenExchange: { audience: 'api://bot', clients: [] }, consent: 'administrator' };
  const chat = { botId: newId('bot'), connectionName: 'c', channelId: 'webchat', channelUserId: 'u' };
  const bot = { tenantId, id: chat.botId, state: { name: 'Bot', clientId: newId('client') } };
  at = { tenantId, bot, connection, chat } as unknown as AtBot;
});

const clock = { now: () => new Date(Date.now() + aheadMs), newEventId };
const users = () => store.collection(botUsersOf);
const stored = async () => (await users().in(tenantId).get(chatKey(at.chat)))?.state;

/** `read` is what the identity provider's keys say of a token. */
function instance(read: () => Promise<unknown>) {
  const ended: string[] = [];
  const exchange = createExchangeToken({
    users: users(),
    atBots: { providerOf: async () => provider },
    kinds: { oidc: { readBrought: read } },
    delegated: {
      async open() {
        opened += 1;
        return { id: sessionId, tenantId, state: { userId } };
      },
    },
    live: {
      find: async () => ({ id: sessionId, tenantId, state: { userId } }),
      end: async ({ sessionId: id }: { sessionId: string }) => void ended.push(id),
    },
    tokens: {
      grantedTo: async () => ({}),
      newName: () => ({ id: newEventId(), at: 1 }),
      make: async (_: unknown, __: unknown, { id }: { id: string }) => ({ token: id }),
    },
    clock,
    log: { warn: () => undefined },
  } as unknown as Parameters<typeof createExchangeToken>[0]);
  return { ended, exchange: (exchangeId = 'one') => exchange({ at, exchangeId, token: 't', cause }) };
}

test('is done by the next one, once, and the lost one finds the answer when it comes back', async () => {
  const gate = Promise.withResolvers<unknown>();
  const lost = instance(() => gate.promise);
  const next = instance(async () => said);
  const late = lost.exchange();
  await eventually('it is claimed', async () => (await stored())?.exchanges.length === 1);
  const waiting = Array.from({ length: 50 }, () => next.exchange());
  // They wait for whoever has it, until that is lost.
  expect(opened).toBe(0);
  aheadMs = 6_000;
  const answers = await Promise.all(waiting);
  expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ token: { token: expect.any(String) } });
  gate.resolve(said);
  expect(await late).toEqual(answers[0]);
  expect([lost.ended, next.ended]).toEqual([[], []]);
  expect(await stored()).toMatchObject({ sessionId, bond: { userId, subject: 'ada' } });
});

test('of several processes at once is one, with the same answer', async () => {
  const instances = Array.from({ length: 5 }, () => instance(async () => said));
  const answers = await Promise.all(instances.flatMap(({ exchange }) => Array.from({ length: 10 }, () => exchange())));
  expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1);
  expect(opened).toBe(1);
  const other = await instances[0]?.exchange('two');
  expect(JSON.stringify(other)).not.toBe(JSON.stringify(answers[0]));
});

test('of many different tokens of one person at once all come to their answer, however many there are', async () => {
  const instances = Array.from({ length: 2 }, () => instance(async () => said));
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => instances[index % 2]?.exchange(`token ${index}`)),
  );
  expect(answers).toEqual(answers.map(() => ({ token: { token: expect.any(String) } })));
  expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(60);
  expect(instances.map(({ ended }) => ended)).toEqual([[], []]);
  expect(await stored()).toMatchObject({ sessionId });
});

test('waits where very many are under way, and takes the answer of none of them from it', async () => {
  const gate = Promise.withResolvers<unknown>();
  const slow = instance(() => gate.promise);
  const first = Array.from({ length: 20 }, (_, index) => slow.exchange(`first ${index}`));
  await eventually('they are under way', async () => (await stored())?.exchanges.length === 20);
  const more = Array.from({ length: 10 }, (_, index) => instance(async () => said).exchange(`more ${index}`));
  await new Promise(resolve => setTimeout(resolve, 300));
  expect((await stored())?.exchanges).toHaveLength(20);
  gate.resolve(said);
  for (const answer of await Promise.all([...first, ...more])) expect(answer).toMatchObject({ token: {} });
});

test('that is slow is not taken for a sign-out because others came meanwhile', async () => {
  const gate = Promise.withResolvers<unknown>();
  const slow = instance(() => gate.promise);
  const late = slow.exchange('slow');
  await eventually('it is claimed', async () => (await stored())?.exchanges.length === 1);
  aheadMs = 6_000;
  expect(await instance(async () => said).exchange('quick')).toMatchObject({ token: {} });
  gate.resolve(said);
  expect(await late).toMatchObject({ token: {} });
  expect(slow.ended).toEqual([]);
});

test('whose identity provider fails in a way that nobody foresaw is answered, and done anew by the next', async () => {
  const broken = instance(async () => {
    throw new Error('out of order');
  });
  expect(await broken.exchange()).toEqual({ failed: 'internal' });
  expect(await instance(async () => said).exchange()).toMatchObject({ token: {} });
});

test('a way to the page that nobody goes is over by itself, and told once', async () => {
  await users()
    .in(tenantId)
    .change(chatKey(at.chat), () => ({ state: pendingFor(-1), events: [] }), { cause });
  const workers = [1, 2].map(() => timeOutSignIns({ users: users(), clock, onError: () => {} }));
  for (const one of workers) one.start();
  for (const one of workers) one.lookNow();
  await eventually('it is over', async () => (await stored())?.pending === null);
  await Promise.all(workers.map(one => one.stop()));
  const { version } = (await users().in(tenantId).get(chatKey(at.chat))) ?? {};
  expect(version).toBe(2);
});

const pendingFor = (seconds: number) => ({
  ...at.chat,
  clientId: at.bot.state.clientId,
  bond: null,
  userId: null,
  agreed: null,
  sessionId: null,
  pending: { nonce: 'n', until: new Date(Date.now() + seconds * 1_000).toISOString(), code: null },
  exchanges: [],
  touchedAt: new Date().toISOString(),
});
