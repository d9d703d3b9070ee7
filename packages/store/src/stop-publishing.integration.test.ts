// A store that has stopped publishing is still: what it did by itself has ended, and begins no more.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { emptyContext, event, newEventId, newId } from '@reeve/contracts';
import type { CommandStartedEvent } from 'mongodb';
import { collection } from './definition.ts';
import { journal } from './journal-definition.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

const cause = {
  actor: { type: 'service', id: 'test', name: null, via: 'system' },
  context: emptyContext,
  correlationId: 'c-1',
} as const;
const happened = event('endpoint.enabled', { id: 'whe_a', because: 'requested', details: { cause: 'test' } });
const things = collection<object>({ name: 'things' });
const rows = journal<object>({ name: 'rows', eventsOf: () => [{ ...happened, cause }], topics: new Set() });
const tenantId = newId('tenant');

const opened: Store[] = [];
afterEach(() => Promise.all(opened.splice(0).map(store => store.close())));

function open(database: string, options: Partial<StoreOptions> = {}): Store {
  const store = openStore({
    uri: uri ?? '',
    database,
    source: '/test',
    contents: { collections: [things], journals: [rows] },
    journalLeaseMs: 1_000,
    sweepMs: 50,
    tendMs: 50,
    ...options,
  });
  opened.push(store);
  return store;
}

/** All commands of a store, and a promise of the first of a name after `from` was called. */
function listen() {
  const commands: string[] = [];
  let awaited: { name: string; met: () => void } | undefined;
  return {
    commands,
    onCommand({ commandName, command }: CommandStartedEvent) {
      const name = `${commandName} ${command[commandName]}`;
      commands.push(name);
      if (awaited?.name === name) awaited.met();
    },
    next: (name: string) =>
      new Promise<void>(met => {
        awaited = { name, met };
      }),
  };
}

const change = (store: Store) =>
  store
    .collection(things)
    .in(tenantId)
    .create(newId('endpoint'), { state: {}, events: [happened] }, cause);
const findPublished = () => Promise.resolve(new Set<string>());
const newDatabase = () => `stop_${randomUUID().slice(0, 8)}`;

test.each(['find things', 'update rows_segments'])(
  'a round that is at "%s" while the store publishes the rest is the last',
  async name => {
    const { commands, onCommand, next } = listen();
    const store = open(newDatabase(), { onCommand });
    await store.prepare();
    const begun = Promise.withResolvers<void>();
    const publish = () => {
      begun.resolve();
      return pause(1_200);
    };
    const own = store.journal(rows);
    store.startPublishing({ publish, findPublished, once: true });
    await Promise.all([change(store), own.append([{ tenantId, id: 'a', state: {} }])]);
    await begun.promise;
    await next(name);
    await store.stopPublishing();
    const before = commands.length;
    await pause(200);
    expect(commands.slice(before)).toEqual([]);
  },
);

test('outboxes that are being taken over are so to the end before the store has stopped', async () => {
  const database = newDatabase();
  const lost = open(database, { clock: { now: () => new Date(Date.now() - 60_000), newEventId } });
  await lost.prepare();
  await Promise.all([change(lost), change(lost), change(lost)]);
  const { commands, onCommand, next } = listen();
  const store = open(database, { onCommand });
  store.startPublishing({ publish: () => Promise.resolve(), findPublished, once: true });
  await next('find things');
  await store.stopPublishing();
  const before = commands.length;
  await pause(200);
  expect(commands.slice(before)).toEqual([]);
  expect(commands.filter(name => name === 'findAndModify things')).toHaveLength(3);
});

test('whoever takes over a lost segment from a Kafka that says nothing stops all the same', async () => {
  const database = newDatabase();
  const lost = open(database, { clock: { now: () => new Date(Date.now() - 60_000), newEventId } });
  await lost.prepare();
  await lost.journal(rows).append([{ tenantId, id: 'a', state: {} }]);
  const asked = Promise.withResolvers<void>();
  const store = open(database);
  store.journal(rows);
  store.startPublishing({
    publish: () => Promise.resolve(),
    findPublished: () => {
      asked.resolve();
      return new Promise(() => undefined);
    },
    once: true,
  });
  await asked.promise;
  const began = performance.now();
  await store.stopPublishing();
  expect(performance.now() - began).toBeLessThan(8_000);
}, 30_000);
