// Exchanges of several processes at once, some of which are lost. Each process is one of what exchanges over one real
// store; the identity
// provider and the directory are at the edge here, and answer when a test says.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { openStore, type Store } from '@reeve/store';
import { engines, eventually } from '@reeve/testing';
import { noProfile, type UpstreamIdentity } from '../connections/kinds/kind.ts';
import type { AtBot } from './at-bot.ts';
import { type BotUser, botUsers as botUsersOf, chatKey } from './bot-user.ts';
import { createExchangeToken } from './exchange-token.ts';
import { signOutAt } from './sign-out.ts';
import { timeOutSignIns } from './time-out-sign-ins.ts';

let store: Store;
let tenantId: TenantId;
let at: AtBot;
let opened: number;
/** The bot and its application are. */
let isThere: boolean;

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
  [opened, isThere] = [0, true];
  const connection = { name: 'c', tokenExchange: { audience: 'api://bot', clients: [] }, consent: 'administrator' };
  const chat = { botId: newId('bot'), connectionName: 'c', channelId: 'webchat', channelUserId: 'u' };
  const bot = { tenantId, id: chat.botId, state: { name: 'Bot', clientId: newId('client') } };
  at = { tenantId, bot, connection, chat } as unknown as AtBot;
});

const clock = { now: () => new Date(), newEventId };
const users = () => store.collection(botUsersOf);
const stored = async () => (await users().in(tenantId).get(chatKey(at.chat)))?.state;

/** `read` is what the identity provider's keys say of a token. */
function instance(read: () => Promise<unknown>) {
  const ended: string[] = [];
  let reads = 0;
  const exchange = createExchangeToken({
    users: users(),
    atBots: { providerOf: async () => provider, isThere: async () => isThere },
    kinds: {
      oidc: {
        readBrought() {
          reads += 1;
          return read();
        },
      },
    },
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
      sessionIn: async (_: unknown, user: BotUser) => user.sessionId && { id: user.sessionId, tenantId },
      newName: () => ({ id: newEventId(), at: 1 }),
      make: async (_: unknown, __: unknown, { id }: { id: string }) => ({ token: id }),
    },
    clock,
    log: { warn: () => undefined },
  } as unknown as Parameters<typeof createExchangeToken>[0]);
  return {
    ended,
    reads: () => reads,
    exchange: (exchangeId = 'one') => exchange({ at, exchangeId, token: 't', cause }),
  };
}

test('whose process hangs is done by the next one at once, and the other finds its answer later', async () => {
  const gate = Promise.withResolvers<unknown>();
  const hanging = instance(() => gate.promise);
  const next = instance(async () => said);
  const late = hanging.exchange();
  const answers = await Promise.all(Array.from({ length: 50 }, () => next.exchange()));
  expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ token: { token: expect.any(String) } });
  gate.resolve(said);
  expect(await late).toEqual(answers[0]);
  expect([hanging.ended, next.ended]).toEqual([[], []]);
  expect(await stored()).toMatchObject({ sessionId, bond: { userId, subject: 'ada' } });
});

test('of several processes at once is one, with the same answer', async () => {
  const instances = Array.from({ length: 5 }, () => instance(async () => said));
  const answers = await Promise.all(instances.flatMap(({ exchange }) => Array.from({ length: 10 }, () => exchange())));
  expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1);
  // Each process may have gone as far as the session, which is the same one; one of them has written what came of it.
  expect(opened).toBeLessThanOrEqual(5);
  const { version, state } = (await users().in(tenantId).get(chatKey(at.chat))) ?? {};
  expect([version, state?.exchanges.length]).toEqual([1, 1]);
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

test('that is slow is no sign-out because others came meanwhile; one that a sign-out overtakes is', async () => {
  const gate = Promise.withResolvers<unknown>();
  const slow = instance(() => gate.promise);
  const late = slow.exchange('slow');
  expect(await instance(async () => said).exchange('quick')).toMatchObject({ token: {} });
  gate.resolve(said);
  expect(await late).toMatchObject({ token: {} });
  expect(slow.ended).toEqual([]);

  const second = Promise.withResolvers<unknown>();
  const overtaken = instance(() => second.promise);
  const begun = overtaken.exchange('overtaken');
  await eventually('it has begun', async () => overtaken.reads() === 1);
  await signOutAt({ users: users(), live: { end: async () => undefined }, clock }, at, cause);
  second.resolve(said);
  expect(await begun).toEqual({ failed: 'signed_out' });
  expect([overtaken.ended, (await stored())?.sessionId]).toEqual([[sessionId], null]);
});

test('whose identity provider fails in a way that nobody foresaw is answered, and done anew by the next', async () => {
  const broken = instance(async () => {
    throw new Error('out of order');
  });
  expect(await broken.exchange()).toEqual({ failed: 'internal' });
  expect(await instance(async () => said).exchange()).toMatchObject({ token: {} });
});

test('whose keys one instance cannot get is answered by another that can, and judged anew a moment later', async () => {
  const step = new StepError('provider_unreachable');
  const alone = instance(async () => {
    throw step;
  });
  expect(await alone.exchange()).toEqual({ failed: 'provider_unreachable', problem: null });
  expect((await stored())?.exchanges).toEqual([]);
  expect(await instance(async () => said).exchange()).toMatchObject({ token: {} });
  // What the answer is by now is theirs as well.
  expect(await alone.exchange()).toMatchObject({ token: {} });
});

test('of a bot that is gone meanwhile comes to nothing, and nothing is kept of it', async () => {
  const late = instance(async () => said);
  isThere = false;
  expect(await late.exchange()).toEqual({ failed: 'signed_out' });
  expect([late.ended, await stored()]).toEqual([[sessionId], undefined]);
});

test('that loses what it has begun ends it: also where it fails for good after that', async () => {
  let reads = 0;
  const failing = instance(async () => {
    reads += 1;
    if (reads > 1) throw new Error('out of order');
    // Somebody else writes, so that it is judged once more.
    await instance(async () => said).exchange('other');
    await users()
      .in(tenantId)
      .change(chatKey(at.chat), user => user && { state: { ...user, sessionId: null }, events: [] }, { cause });
    return said;
  });
  expect(await failing.exchange()).toEqual({ failed: 'internal' });
  expect([reads, failing.ended]).toEqual([2, [sessionId]]);
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
