// The store against a real server: tenants, races, unique keys, expiry, pages, outboxes.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Cause,
  type EventDraft,
  emptyContext,
  event,
  type Message,
  newEventId,
  newId,
  type TenantId,
} from '@reeve/contracts';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { collection } from './definition.ts';
import { DuplicateKeyError, VersionConflictError } from './errors.ts';
import { platformRecords } from './platform-records.ts';
import type { Publish, Publishing } from './publish.ts';
import { openStore, type Store } from './store.ts';

type Account = { name: string; balance: number; until?: string };

const cause: Cause = {
  actor: { type: 'service', id: 'test', name: null, via: 'system' },
  context: emptyContext,
  correlationId: 'c-1',
};
const renamed = (id: string): EventDraft =>
  event('tenant.updated', {
    id: `ten_${id}`,
    because: 'requested',
    details: { slug: 'x', status: 'active', changed: [] },
  });

let clockShiftMs = 0;
const clock = { now: () => new Date(Date.now() + clockShiftMs), newEventId };
const commands: CommandStartedEvent[] = [];
const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

const accountCollection = collection<Account>({
  name: 'accounts',
  unique: { name: account => account.name },
  queries: {
    inOrder: { equality: [] },
    byName: { equality: ['name'], sort: 'balance', direction: 'descending' },
  },
  expiresAt: account => (account.until === undefined ? null : new Date(account.until)),
});

function open(database: string): Store {
  return openStore({
    uri: uri as string,
    database,
    source: '/test',
    contents: { collections: [accountCollection] },
    clock,
    publishLeaseMs: 600,
    takeOverAfterMs: 100,
    sweepMs: 50,
    onCommand: command => commands.push(command),
  });
}

const define = (store: Store) => store.collection(accountCollection);
const publishing = (publish: Publish): Publishing => ({ publish, findPublished: async () => new Set(), once: false });

const database = `store_${randomUUID().slice(0, 8)}`;
let store: Store;
let accounts: ReturnType<typeof define>;
let mine: TenantId;
let theirs: TenantId;

beforeAll(async () => {
  store = open(database);
  accounts = define(store);
  await store.prepare();
});

afterAll(() => store.close());

beforeEach(() => {
  [mine, theirs] = [newId('tenant'), newId('tenant')];
  commands.length = 0;
  clockShiftMs = 0;
});

const opening = (name: string, balance = 0) => ({ state: { name, balance }, events: [] });

describe('tenants', () => {
  test('every command on a tenant’s collection carries the tenant', async () => {
    const collection = accounts.in(mine);
    await collection.create('a', opening('a'), cause);
    await collection.get('a');
    await collection.getByUnique('name', 'a');
    await collection.change('a', state => state && { state: { ...state, balance: 1 }, events: [renamed('a')] }, {
      cause,
    });
    await collection.list('inOrder', {}, { limit: 1 });
    await collection.list('byName', { name: 'a' }, { limit: 1, range: { from: 0 } });
    await collection.insertInOrder([{ id: 'b', state: { name: 'b', balance: 0 } }]);
    await collection.put('c', { name: 'c', balance: 0 });
    await collection.take('c');
    await collection.remove('b');
    const seen = commands.filter(({ commandName }) =>
      ['insert', 'update', 'find', 'delete', 'findAndModify', 'aggregate'].includes(commandName),
    );
    expect(seen.length).toBeGreaterThanOrEqual(11);
    for (const { command } of seen) {
      const parts = (command['documents'] ??
        (command['updates'] as { q: object }[] | undefined)?.map(({ q }) => q) ??
        (command['deletes'] as { q: object }[] | undefined)?.map(({ q }) => q) ?? [
          command['filter'] ?? command['query'],
        ]) as { tenantId: string }[];
      expect(parts.map(({ tenantId }) => tenantId)).toEqual(parts.map(() => mine));
    }
  });

  test('the same ids and unique keys in two tenants are two things, and neither sees the other’s', async () => {
    await accounts.in(mine).create('a', opening('same', 1), cause);
    await accounts.in(theirs).create('a', opening('same', 2), cause);
    expect((await accounts.in(mine).get('a'))?.state.balance).toBe(1);
    expect((await accounts.in(theirs).getByUnique('name', 'same'))?.state.balance).toBe(2);
    await accounts.in(theirs).remove('a');
    expect(await accounts.in(mine).get('a')).not.toBeNull();
  });

  test('a cursor of another tenant, of another list or of nobody is refused', async () => {
    for (const id of ['a', 'b', 'c']) await accounts.in(mine).create(id, opening(id), cause);
    const { nextCursor } = await accounts.in(mine).list('inOrder', {}, { limit: 2 });
    const cursor = String(nextCursor);
    expect((await accounts.in(mine).list('inOrder', {}, { limit: 2, cursor })).items.map(({ id }) => id)).toEqual([
      'c',
    ]);
    await expect(accounts.in(theirs).list('inOrder', {}, { limit: 2, cursor })).rejects.toMatchObject({
      code: 'cursor_invalid',
    });
    await expect(accounts.in(mine).list('byName', { name: 'a' }, { limit: 2, cursor })).rejects.toMatchObject({
      code: 'cursor_invalid',
    });
    for (const forged of [
      '',
      'x',
      Buffer.from('[1,2,3]').toString('base64url'),
      Buffer.from('{"$gt":""}').toString('base64url'),
    ]) {
      await expect(accounts.in(mine).list('inOrder', {}, { limit: 2, cursor: forged })).rejects.toMatchObject({
        code: 'cursor_invalid',
      });
    }
  });
});

describe('change', () => {
  test('64 writers at once lose no update', async () => {
    await accounts.in(mine).create('a', opening('a'), cause);
    const others = Array.from({ length: 16 }, () => accounts.in(mine));
    await Promise.all(
      others.map(async own => {
        for (let round = 0; round < 4; round += 1) {
          await own
            .change('a', state => state && { state: { ...state, balance: state.balance + 1 }, events: [] }, { cause })
            .catch(async (error: unknown) => {
              if (!(error instanceof VersionConflictError)) throw error;
              await own.change('a', state => state && { state: { ...state, balance: state.balance + 1 }, events: [] }, {
                cause,
              });
            });
        }
      }),
    );
    expect(await accounts.in(mine).get('a')).toMatchObject({ version: 65, state: { balance: 64 } });
  });

  test('of many that create the same thing one does, and the others find it', async () => {
    const created = await Promise.all(
      Array.from({ length: 20 }, (_, index) => accounts.in(mine).create('a', opening(`a${index}`), cause)),
    );
    expect(created.filter(entry => entry !== null)).toHaveLength(1);
  });

  test('another version than the expected one is refused and changes nothing', async () => {
    await accounts.in(mine).create('a', opening('a'), cause);
    const decide = (state: Account | null) => state && { state: { ...state, balance: 9 }, events: [] };
    await expect(accounts.in(mine).change('a', decide, { cause, expectedVersion: 2 })).rejects.toBeInstanceOf(
      VersionConflictError,
    );
    expect((await accounts.in(mine).get('a'))?.state.balance).toBe(0);
    expect((await accounts.in(mine).change('a', decide, { cause, expectedVersion: 1 }))?.version).toBe(2);
  });

  test('a taken unique key is named, by creation and by change', async () => {
    await accounts.in(mine).create('a', opening('taken'), cause);
    await accounts.in(mine).create('b', opening('free'), cause);
    await expect(accounts.in(mine).create('c', opening('taken'), cause)).rejects.toMatchObject({ unique: 'name' });
    await expect(
      accounts.in(mine).change('b', state => state && { state: { ...state, name: 'taken' }, events: [] }, { cause }),
    ).rejects.toBeInstanceOf(DuplicateKeyError);
  });

  test('what has expired is not there, though nobody has tidied it away', async () => {
    const until = new Date(Date.now() + 60_000).toISOString();
    await accounts.in(mine).create('a', { state: { name: 'a', balance: 0, until }, events: [] }, cause);
    expect(await accounts.in(mine).get('a')).not.toBeNull();
    clockShiftMs = 61_000;
    expect(await accounts.in(mine).get('a')).toBeNull();
    expect(await accounts.in(mine).getByUnique('name', 'a')).toBeNull();
    expect((await accounts.in(mine).list('inOrder', {}, { limit: 10 })).items).toEqual([]);
    expect(await accounts.in(mine).take('a')).toBeNull();
  });

  test('the server removes what has expired: records at once, and what may have events to be published a day later', async () => {
    const tickets = platformRecords<{ owner: string }>({ name: 'tickets', reason: 'a test' });
    const forever = collection<Account>({ name: 'forever' });
    const contents = { collections: [accountCollection, forever], platformRecords: [tickets] };
    const own = openStore({ uri: uri as string, database, source: '/test', contents });
    await own.prepare();
    const client = new MongoClient(uri as string);
    const removedAfter = async (name: string) => {
      const indexes = await client.db(database).collection(name).listIndexes().toArray();
      return indexes
        .filter(index => index['expireAfterSeconds'] !== undefined)
        .map(index => [index['key'], index['expireAfterSeconds']] as unknown);
    };
    expect(await removedAfter('tickets')).toEqual([[{ expiresAt: 1 }, 0]]);
    expect(await removedAfter('accounts')).toEqual([[{ expiresAt: 1 }, 86_400]]);
    expect(await removedAfter('forever')).toEqual([]);
    await Promise.all([client.close(), own.close()]);
  });

  test('what has expired holds its unique key against nobody, be it by creation or by change', async () => {
    const until = new Date(Date.now() + 60_000).toISOString();
    const held = (id: string) =>
      accounts.in(mine).create(id, { state: { name: 'held', balance: 0, until }, events: [] }, cause);
    await held('a');
    // The control: as long as it counts, it holds.
    await expect(held('b')).rejects.toMatchObject({ unique: 'name' });
    clockShiftMs = 61_000;
    expect(await held('b')).toMatchObject({ id: 'b' });
    expect(await accounts.in(mine).getByUnique('name', 'held')).toBeNull();
    await accounts.in(mine).create('c', opening('other'), cause);
    const renaming = (state: Account | null) => state && { state: { ...state, name: 'held' }, events: [] };
    expect((await accounts.in(mine).change('c', renaming, { cause }))?.state.name).toBe('held');
    await expect(accounts.in(mine).create('d', opening('held'), cause)).rejects.toMatchObject({ unique: 'name' });
  });

  test('a state of an older version is read as the present one, and stays so when it is changed', async () => {
    type Old = { name: string };
    type Now = { first: string; last: string };
    const name = `people_${randomUUID().slice(0, 8)}`;
    const old = collection<Old>({ name });
    const now = collection<Now>({
      name,
      version: 2,
      upgrade: state => {
        const [first = '', last = ''] = (state as Old).name.split(' ');
        return { first, last };
      },
      queries: { inOrder: { equality: [] } },
    });
    const [before, after] = [old, now].map(definition =>
      openStore({ uri: uri as string, database, source: '/test', contents: { collections: [definition] } }),
    ) as [Store, Store];
    await after.prepare();
    await before
      .collection(old)
      .in(mine)
      .create('a', { state: { name: 'Ada Lovelace' }, events: [] }, cause);
    const people = after.collection(now).in(mine);
    expect((await people.get('a'))?.state).toEqual({ first: 'Ada', last: 'Lovelace' });
    expect((await people.list('inOrder', {}, { limit: 1 })).items[0]?.state.last).toBe('Lovelace');
    await people.change('a', state => state && { state: { ...state, last: 'King' }, events: [] }, { cause });
    expect((await people.get('a'))?.state).toEqual({ first: 'Ada', last: 'King' });
    await Promise.all([before.close(), after.close()]);
  });

  test('what comes to be by adding to it is of the present version from the start', async () => {
    type Tally = { sum: number; unit: string };
    const tallies = collection<Tally>({
      name: `tallies_${randomUUID().slice(0, 8)}`,
      version: 2,
      upgrade: state => ({ ...(state as Tally), unit: 'unknown' }),
    });
    const own = openStore({ uri: uri as string, database, source: '/test', contents: { collections: [tallies] } });
    const of = own.collection(tallies).in(mine);
    expect(await of.add('a', { sum: 2 }, { sum: 0, unit: 'bytes' })).toEqual({ sum: 2, unit: 'bytes' });
    expect((await of.get('a'))?.state).toEqual({ sum: 2, unit: 'bytes' });
    await own.close();
  });

  test('inserting in order stops at what is there already, and says how far it came', async () => {
    const entry = (id: string) => ({ id, state: { name: id, balance: 0 } });
    expect(await accounts.in(mine).insertInOrder([entry('a'), entry('b')])).toBe(2);
    expect(await accounts.in(mine).insertInOrder([entry('c'), entry('b'), entry('d')])).toBe(1);
    expect(await accounts.in(mine).get('d')).toBeNull();
  });
});

describe('pages', () => {
  test('that keep only some entries go on where they stopped', async () => {
    const own = accounts.in(mine);
    for (let index = 0; index < 20; index += 1)
      await own.create(`e${String(index).padStart(2, '0')}`, opening(`n${index}`, index % 3), cause);
    const keep = ({ state }: { state: Account }) => state.balance === 0;
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await own.list('inOrder', {}, { limit: 3, cursor, keep });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['e00', 'e03', 'e06', 'e09', 'e12', 'e15', 'e18']);
  });

  test('are complete and without repetition while entries arrive', async () => {
    const own = accounts.in(theirs);
    for (let index = 0; index < 30; index += 1)
      await own.create(`e${String(index).padStart(2, '0')}`, opening(`n${index}`), cause);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await own.list('inOrder', {}, { limit: 7, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
      if (seen.length === 14) await own.create('e05b', opening('late'), cause);
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => `e${String(index).padStart(2, '0')}`));
  });
});

describe('outbox', () => {
  test('state and event are in one document until the event is published, in the order of the changes', async () => {
    const own = open(`${database}_outbox`);
    const collection = define(own);
    await own.prepare();
    const published: Message[] = [];
    await collection.in(mine).create('a', { state: { name: 'a', balance: 0 }, events: [renamed('1')] }, cause);
    await collection.in(mine).change('a', state => state && { state, events: [renamed('2'), renamed('3')] }, { cause });
    await own.recordFact(mine, renamed('fact'), cause);
    // Nobody publishes yet, as after a crash; a relay that starts later finds everything.
    own.startPublishing(publishing(messages => Promise.resolve(void published.push(...messages))));
    await until(() => published.length === 4);
    expect(published.filter(({ event }) => !event.subject.endsWith('fact')).map(({ event }) => event.subject)).toEqual([
      'tenant/ten_1',
      'tenant/ten_2',
      'tenant/ten_3',
    ]);
    expect(published[0]).toMatchObject({
      topic: 'reeve.directory.v1',
      key: mine,
      event: { tenantId: mine, source: '/test', type: 'tenant.updated', correlationId: 'c-1' },
    });
    await until(async () => (await own.sweep()) === 0);
    await own.close();
  });

  test('a failing publication is tried again, and every event comes out once to a reader that knows ids', async () => {
    const own = open(`${database}_failing`);
    const collection = define(own);
    await own.prepare();
    const published: Message[] = [];
    let calls = 0;
    own.startPublishing(
      publishing(messages => {
        calls += 1;
        if (calls % 3 === 1) return Promise.reject(new Error('the broker is away'));
        published.push(...messages);
        return Promise.resolve();
      }),
    );
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await collection
          .in(mine)
          .create(`a${index}`, { state: { name: `a${index}`, balance: 0 }, events: [renamed(`${index}.1`)] }, cause);
        await collection
          .in(mine)
          .change(`a${index}`, state => state && { state, events: [renamed(`${index}.2`)] }, { cause });
      }),
    );
    await until(() => new Set(published.map(({ event }) => event.id)).size === 40);
    const firsts = [...new Map(published.map(({ event }) => [event.id, event.subject])).values()];
    for (let index = 0; index < 20; index += 1)
      expect(firsts.indexOf(`tenant/ten_${index}.1`)).toBeLessThan(firsts.indexOf(`tenant/ten_${index}.2`));
    await own.close();
  });

  test('a message that is never taken holds up nobody else’s', async () => {
    const own = open(`${database}_poison`);
    const collection = define(own);
    await own.prepare();
    const published: string[] = [];
    own.startPublishing(
      publishing(messages => {
        if (messages.some(({ event }) => event.subject === 'tenant/ten_poison'))
          return Promise.reject(new Error('too large'));
        published.push(...messages.map(({ event }) => event.subject));
        return Promise.resolve();
      }),
    );
    await Promise.all(
      ['1', '2', 'poison', '3', '4'].map((id, index) =>
        collection
          .in(index % 2 === 0 ? mine : theirs)
          .create(id, { state: { name: id, balance: 0 }, events: [renamed(id)] }, cause),
      ),
    );
    await until(() => published.length >= 4);
    expect(new Set(published)).toEqual(new Set(['tenant/ten_1', 'tenant/ten_2', 'tenant/ten_3', 'tenant/ten_4']));
    await own.close();
  });

  test('two relays over one store publish every event, and share rather than repeat the work', async () => {
    const name = `${database}_two`;
    const [one, other] = [open(name), open(name)];
    const [first] = [define(one), define(other)];
    await one.prepare();
    for (let index = 0; index < 30; index += 1)
      await first
        .in(mine)
        .create(`a${index}`, { state: { name: `a${index}`, balance: 0 }, events: [renamed(String(index))] }, cause);
    const published: string[] = [];
    const publish = (messages: readonly Message[]) =>
      Promise.resolve(void published.push(...messages.map(({ event }) => event.id)));
    one.startPublishing(publishing(publish));
    other.startPublishing(publishing(publish));
    await until(() => new Set(published).size === 30);
    expect(published).toHaveLength(30);
    await Promise.all([one.close(), other.close()]);
  });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
