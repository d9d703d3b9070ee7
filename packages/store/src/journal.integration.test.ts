// A journal against the real store; Kafka is stood in for by a list, which is all that the journal asks of it.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { emptyContext, event, type Message, newEventId, newId, type TenantId } from '@reeve/contracts';
import fc from 'fast-check';
import { journal as asJournal } from './journal-definition.ts';
import type { FindPublished, Publish } from './publish.ts';
import { type Journal, openStore, type Store } from './store.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

type Row = { name: string; silent: boolean };
type Process = { store: Store; journal: Journal<Row>; recovered: string[]; shift: { ms: number } };

const cause = {
  actor: { type: 'service', id: 'test', name: null, via: 'system' },
  context: emptyContext,
  correlationId: 'c-1',
} as const;
const tenantId: TenantId = newId('tenant');
const opened: Store[] = [];
afterEach(() => Promise.all(opened.splice(0).map(store => store.close())));

const enabled = (name: string) => ({
  ...event('endpoint.enabled', { id: `whe_${name}`, because: 'requested', details: { cause: 'test' } }),
  cause,
});

const rows = asJournal<Row>({
  name: 'rows',
  unique: { name: ({ name }) => name },
  eventsOf: ({ name, silent }) => (silent ? [] : [enabled(name)]),
  topics: new Set(['reeve.webhook.v1']),
});

function start(database: string, journalRowsInMemory = 1_000): Process {
  const shift = { ms: 0 };
  const clock = { now: () => new Date(Date.now() + shift.ms), newEventId };
  const store = openStore({
    uri: uri ?? '',
    database,
    source: '/test',
    contents: { journals: [rows] },
    clock,
    journalLeaseMs: 3_000,
    tendMs: 50,
    journalRowsInMemory,
  });
  opened.push(store);
  const recovered: string[] = [];
  const journal = store.journal(rows, ({ state }) => Promise.resolve(void recovered.push(state.name)));
  return { store, journal, recovered, shift };
}

const publishTo = (store: Store, publish: Publish, findPublished: FindPublished) =>
  store.startPublishing({ publish, findPublished, once: true });

const row = (name: string, silent = false) => ({ tenantId, id: randomUUID(), state: { name, silent } });
const names = (messages: readonly Message[]) => messages.map(({ event }) => event.subject.split('/whe_')[1]);
const findIn =
  (topic: readonly Message[]): FindPublished =>
  ({ ids }) =>
    Promise.resolve(new Set(topic.map(({ event }) => event.id).filter(id => ids.has(id))));

async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 240 && !holds(); attempt += 1) await new Promise(resolve => setTimeout(resolve, 50));
  expect(holds()).toBe(true);
}

describe('a journal', () => {
  test('creates many in one call, tells which keys are taken, and publishes in the order of creation', async () => {
    const { store, journal } = start(`journal_${randomUUID().slice(0, 8)}`);
    await store.prepare();
    const topic: Message[] = [];
    publishTo(store, messages => Promise.resolve(void topic.push(...messages)), findIn(topic));
    expect(await journal.append(['a', 'b', 'a', 'c'].map(name => row(name)))).toEqual([
      'created',
      'created',
      { taken: 'name' },
      'created',
    ]);
    expect(await journal.append([row('c'), row('d')])).toEqual([{ taken: 'name' }, 'created']);
    await until(() => topic.length === 4);
    expect(names(topic)).toEqual(['a', 'b', 'c', 'd']);
    await until(() => journal.backlog() === 0);
  });

  test('whatever comes in whatever company, each key is created once and published once', async () => {
    const { store, journal } = start(`journal_${randomUUID().slice(0, 8)}`);
    await store.prepare();
    const topic: Message[] = [];
    publishTo(store, messages => Promise.resolve(void topic.push(...messages)), findIn(topic));
    const batches = fc.array(fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 8 }), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(batches, async keys => {
        const run = randomUUID();
        const known = new Set<number>();
        for (const batch of keys) {
          const results = await journal.append(batch.map(key => row(`${run}-${key}`)));
          for (const [index, key] of batch.entries()) {
            expect(results[index]).toEqual(known.has(key) ? { taken: 'name' } : 'created');
            known.add(key);
          }
        }
        await until(() => topic.filter(({ event }) => event.subject.includes(run)).length === known.size);
      }),
      { numRuns: 25 },
    );
    const all = names(topic);
    expect(new Set(all).size).toBe(all.length);
  }, 30_000);

  test('what a crashed process had not published another one publishes, and nothing twice', async () => {
    const database = `journal_${randomUUID().slice(0, 8)}`;
    const crashed = start(database);
    await crashed.store.prepare();
    const topic: Message[] = [];
    // The first request arrives and its answer is lost; then the process is gone.
    let calls = 0;
    publishTo(
      crashed.store,
      messages => {
        calls += 1;
        if (calls === 1) topic.push(...messages);
        return new Promise(() => undefined);
      },
      findIn(topic),
    );
    await crashed.journal.append([row('a'), row('b')]);
    await until(() => calls === 1);
    await crashed.journal.append([row('c'), row('still', true)]);

    const next = start(database);
    next.shift.ms = 60_000;
    publishTo(next.store, messages => Promise.resolve(void topic.push(...messages)), findIn(topic));
    await until(() => topic.length >= 3 && next.recovered.length > 0);
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(names(topic)).toEqual(['a', 'b', 'c']);
    expect(next.recovered).toEqual(['still']);
  });

  test('what an older version of the service had not published is published from the present form of its rows', async () => {
    const database = `journal_${randomUUID().slice(0, 8)}`;
    const older = start(database);
    await older.store.prepare();
    await older.journal.append([row('a'), row('b')]);

    type Renamed = { title: string };
    const renamed = asJournal<Renamed>({
      name: rows.name,
      version: 2,
      upgrade: state => ({ title: `was-${(state as Row).name}` }),
      eventsOf: ({ title }) => [enabled(title)],
      topics: rows.topics,
    });
    const next = openStore({
      uri: uri ?? '',
      database,
      source: '/test',
      contents: { journals: [renamed] },
      clock: { now: () => new Date(Date.now() + 60_000), newEventId },
      journalLeaseMs: 3_000,
      tendMs: 50,
    });
    opened.push(next);
    next.journal(renamed);
    const topic: Message[] = [];
    publishTo(next, messages => Promise.resolve(void topic.push(...messages)), findIn(topic));
    await until(() => topic.length === 2);
    expect(names(topic)).toEqual(['was-a', 'was-b']);
  });

  test('after a failed request Kafka is asked what it has before anything is sent again', async () => {
    const { store, journal } = start(`journal_${randomUUID().slice(0, 8)}`);
    await store.prepare();
    const topic: Message[] = [];
    let calls = 0;
    publishTo(
      store,
      messages => {
        calls += 1;
        // Half of it arrived.
        topic.push(...messages.slice(0, calls === 1 ? 1 : messages.length));
        return calls === 1 ? Promise.reject(new Error('no answer')) : Promise.resolve();
      },
      findIn(topic),
    );
    await journal.append([row('a'), row('b'), row('c')]);
    await until(() => topic.length === 3);
    expect(names(topic)).toEqual(['a', 'b', 'c']);
  });

  test('rows that are on their way while their segment ends are published too', async () => {
    const { store, journal } = start(`journal_${randomUUID().slice(0, 8)}`);
    await store.prepare();
    const topic: Message[] = [];
    publishTo(store, messages => Promise.resolve(void topic.push(...messages)), findIn(topic));
    let created = 0;
    const end = Date.now() + 5_000;
    const writer = async () => {
      while (Date.now() < end) {
        await journal.append([row(randomUUID()), row(randomUUID())]);
        created += 2;
      }
    };
    await Promise.all([writer(), writer(), writer()]);
    await until(() => topic.length === created);
    expect(new Set(topic.map(({ event }) => event.id)).size).toBe(created);
  }, 20_000);

  test('what is too much for the memory while Kafka is away comes later, once', async () => {
    const { store, journal } = start(`journal_${randomUUID().slice(0, 8)}`, 3);
    await store.prepare();
    const topic: Message[] = [];
    const { promise: back, resolve: comeBack } = Promise.withResolvers<void>();
    publishTo(store, messages => back.then(() => void topic.push(...messages)), findIn(topic));
    const all = Array.from({ length: 20 }, (_, index) => `row-${index}`);
    for (const name of all) expect(await journal.append([row(name)])).toEqual(['created']);
    expect(journal.backlog()).toBeLessThan(6);
    comeBack();
    await until(() => topic.length === all.length);
    expect(new Set(names(topic))).toEqual(new Set(all));
  }, 20_000);

  test('a row that was settled is not recovered', async () => {
    const database = `journal_${randomUUID().slice(0, 8)}`;
    const first = start(database);
    await first.store.prepare();
    publishTo(first.store, () => Promise.resolve(), findIn([]));
    const [settled, open] = [row('settled', true), row('open', true)];
    await first.journal.append([settled]);
    first.journal.settle(settled, true);
    await new Promise(resolve => setTimeout(resolve, 2_500));
    await first.journal.append([open]);
    const next = start(database);
    next.shift.ms = 60_000;
    publishTo(next.store, () => Promise.resolve(), findIn([]));
    await until(() => next.recovered.length > 0);
    expect(next.recovered).toEqual(['open']);
  });
});
