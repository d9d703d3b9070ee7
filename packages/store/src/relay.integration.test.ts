// Several processes over one store, with a topic that counts: each event comes out once and in the order of its
// document, whoever is held up, lost or faster. What a process sends after its time is refused by the bus
// (packages/event-bus), and so it is here.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { emptyContext, event, type Message, newEventId, newId } from '@reeve/contracts';
import { collection } from './definition.ts';
import type { Publish } from './publish.ts';
import { openStore, type Store } from './store.ts';

type Counter = { count: number };

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

const counters = collection<Counter>({ name: 'counters' });
const tenantId = newId('tenant');
const cause = {
  actor: { type: 'service', id: 'test', name: null, via: 'system' },
  context: emptyContext,
  correlationId: 'c-1',
} as const;
const counted = (id: string, count: number) =>
  event('tenant.updated', {
    id: `ten_${id}.${count}`,
    because: 'requested',
    details: { slug: '', status: '', changed: [] },
  });

const opened: Store[] = [];
afterEach(() => Promise.all(opened.splice(0).map(store => store.close())));

/** One topic for all processes, which takes nothing that comes too late. */
function startTopic() {
  const messages: Message[] = [];
  const send: Publish = async (batch, { before }) => {
    if (Date.now() >= before) throw new Error('too late');
    messages.push(...batch);
  };
  const subjects = () => messages.map(({ event: { subject } }) => subject.split('/ten_')[1] ?? '');
  return { messages, send, subjects };
}
type Topic = ReturnType<typeof startTopic>;

function startProcess(database: string, topic: Topic, publish: Publish = topic.send): Store {
  const store = openStore({
    uri: uri ?? '',
    database,
    source: '/test',
    contents: { collections: [counters] },
    clock: { now: () => new Date(), newEventId },
    publishLeaseMs: 600,
    takeOverAfterMs: 200,
    sweepMs: 100,
  });
  opened.push(store);
  const findPublished = async ({ ids }: { ids: ReadonlySet<string> }) =>
    new Set(topic.messages.map(one => one.event.id).filter(id => ids.has(id)));
  store.startPublishing({ publish, findPublished, isTransient: () => true, once: true });
  return store;
}

const count = (store: Store, id: string) =>
  store
    .collection(counters)
    .in(tenantId)
    .change(
      id,
      state => {
        const next = (state?.count ?? 0) + 1;
        return { state: { count: next }, events: [counted(id, next)] };
      },
      { cause },
    );

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

function expectInOrder(topic: Topic, id: string, last: number) {
  const own = topic.subjects().filter(subject => subject.startsWith(`${id}.`));
  expect(own).toEqual(Array.from({ length: last }, (_, index) => `${id}.${index + 1}`));
}

describe('an outbox that several processes write to', () => {
  test('is published once and in order while three of them change the same documents as fast as they can', async () => {
    const database = `relay_${randomUUID().slice(0, 8)}`;
    const topic = startTopic();
    const processes = [1, 2, 3].map(() => startProcess(database, topic));
    await processes[0]?.prepare();
    const rounds = 60;
    const ids = ['a', 'b'];
    await Promise.all(
      processes.flatMap(store =>
        ids.map(async id => {
          for (let round = 0; round < rounds; round += 1) {
            // A writer that lost the race too often tries again, as a caller would.
            while (!(await count(store, id).catch(() => null)));
          }
        }),
      ),
    );
    await until(() => topic.messages.length >= processes.length * rounds * ids.length);
    await new Promise(resolve => setTimeout(resolve, 1_500));
    for (const id of ids) expectInOrder(topic, id, processes.length * rounds);
  }, 60_000);

  test('is taken over from a process that hangs while it publishes, and what that one sends when it wakes up is refused', async () => {
    const database = `relay_${randomUUID().slice(0, 8)}`;
    const topic = startTopic();
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
    const { promise: hanging, resolve: hangs } = Promise.withResolvers<void>();
    const slow = startProcess(database, topic, async (batch, options) => {
      hangs();
      await woken;
      return topic.send(batch, options);
    });
    await slow.prepare();
    await count(slow, 'a');
    await hanging;
    await count(slow, 'a');
    const other = startProcess(database, topic);
    await count(other, 'a');
    await until(() => topic.messages.length === 3);
    wake();
    await count(slow, 'a');
    await until(() => topic.messages.length === 4);
    await new Promise(resolve => setTimeout(resolve, 1_500));
    expectInOrder(topic, 'a', 4);
  }, 30_000);

  test('is taken over from a process whose publication arrived and was never noted, without a second time', async () => {
    const database = `relay_${randomUUID().slice(0, 8)}`;
    const topic = startTopic();
    let calls = 0;
    const lost = startProcess(database, topic, async (batch, options) => {
      calls += 1;
      await topic.send(batch, options);
      return new Promise(() => undefined);
    });
    await lost.prepare();
    await count(lost, 'a');
    await until(() => calls === 1);
    const next = startProcess(database, topic);
    await count(next, 'a');
    await until(() => topic.messages.length === 2);
    await new Promise(resolve => setTimeout(resolve, 1_500));
    expectInOrder(topic, 'a', 2);
  }, 30_000);

  test('is given free when it is empty: the next process to write publishes at once', async () => {
    const database = `relay_${randomUUID().slice(0, 8)}`;
    const topic = startTopic();
    const [one, other] = [startProcess(database, topic), startProcess(database, topic)];
    await one.prepare();
    const took = [];
    for (let round = 0; round < 10; round += 1) {
      const began = Date.now();
      await count(round % 2 === 0 ? one : other, 'a');
      await until(() => topic.messages.length === round + 1);
      took.push(Date.now() - began);
      // For the note of it, which comes after.
      await new Promise(resolve => setTimeout(resolve, 30));
    }
    expectInOrder(topic, 'a', 10);
    // A machine that is busy keeps one of them waiting; what waits for the end of a turn is each.
    expect(took.toSorted((a, b) => a - b)[5]).toBeLessThan(300);
  }, 30_000);
});
