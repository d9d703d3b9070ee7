// Following a topic, on a broker that can be held up and killed.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startOwnKafka } from '@reeve/local/own-kafka';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { collectLog, freshTopic, message, until } from './event-bus.test-support.ts';
import { createEventBus, type EventBus } from './event-bus.ts';
import type { Following } from './follow.ts';

let own: Awaited<ReturnType<typeof startOwnKafka>>;
let bus: EventBus;
let kafka: Kafka;
const { log, lines } = collectLog();

beforeAll(async () => {
  own = await startOwnKafka({ properties: ['log.cleaner.backoff.ms=100'] });
  bus = createEventBus({ brokers: [own.address], clientId: 'test', log });
  kafka = new Kafka({ brokers: [own.address], clientId: 'test', logLevel: logLevel.NOTHING });
}, 120_000);
afterAll(async () => {
  await bus.stop();
  await own.stop();
});

const numbered = (topic: string, n: number, key = 'k') => ({ ...message(topic, { n }), key });
const publish = (topic: string, numbers: readonly number[]) => bus.publish(numbers.map(n => numbered(topic, n)));

async function followed(topic: string): Promise<{ seen: number[]; following: Following }> {
  const seen: number[] = [];
  const following = await bus.follow(topic, ({ value }) => {
    seen.push((JSON.parse(String(value)) as { n: number }).n);
  });
  return { seen, following };
}

async function withAdmin<T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function inTransactions(topic: string, transactions: readonly { numbers: number[]; ends: 'commit' | 'abort' }[]) {
  const producer = kafka.producer({
    transactionalId: randomUUID(),
    maxInFlightRequests: 1,
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  for (const { numbers, ends } of transactions) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: numbers.map(n => ({ key: 'k', value: JSON.stringify({ n }) })) });
    await transaction[ends]();
  }
  await producer.disconnect();
}

describe('whoever follows a topic', () => {
  test('has seen all that was on it when it has caught up, and then sees what comes', async () => {
    const topic = await freshTopic(bus, { partitions: 3 });
    const numbers = Array.from({ length: 300 }, (_, n) => n);
    await bus.publish(numbers.map(n => numbered(topic, n, `key ${n % 7}`)));
    const { seen, following } = await followed(topic);
    await following.caughtUp;
    expect(seen.toSorted((one, other) => one - other)).toEqual(numbers);
    for (const key of [0, 1, 2, 3, 4, 5, 6]) {
      const ofKey = seen.filter(n => n % 7 === key);
      expect(ofKey).toEqual(ofKey.toSorted((one, other) => one - other));
    }
    await publish(topic, [300]);
    await until(() => seen.includes(300));
  });

  test('has caught up at once with an empty topic', async () => {
    const { following } = await followed(await freshTopic(bus));
    await following.caughtUp;
  });

  test('has caught up with a topic that ends in marks of transactions, and sees nothing that was aborted', async () => {
    const topic = await freshTopic(bus);
    await inTransactions(topic, [
      { numbers: [1, 2], ends: 'commit' },
      { numbers: [3], ends: 'abort' },
    ]);
    const { seen, following } = await followed(topic);
    await following.caughtUp;
    expect(seen).toEqual([1, 2]);
    await inTransactions(topic, [{ numbers: [4], ends: 'abort' }]);
    const then = Date.now();
    await until(() => following.upToDateAt() > then);
  });

  test('has caught up with a topic of which nothing is left but its end', async () => {
    const topic = await freshTopic(bus);
    await publish(topic, [1, 2, 3]);
    await withAdmin(async admin => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
    });
    const { seen, following } = await followed(topic);
    await following.caughtUp;
    expect(seen).toEqual([]);
  });

  test('has caught up with a topic whose older messages were compacted away', async () => {
    const topic = `test.${randomUUID()}`;
    const configEntries = [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'segment.ms', value: '100' },
      { name: 'min.cleanable.dirty.ratio', value: '0.001' },
    ];
    await withAdmin(admin => admin.createTopics({ topics: [{ topic, configEntries }], waitForLeaders: true }));
    const left = async () => {
      const found: number[] = [];
      await bus.readTopics([topic], ({ message: { value } }) => {
        found.push((JSON.parse(String(value)) as { n: number }).n);
      });
      return found;
    };
    const numbers = Array.from({ length: 10 }, (_, n) => n);
    for (const n of numbers) {
      await publish(topic, [n]);
      await pause(150);
    }
    let kept = numbers;
    while (kept.length === numbers.length) kept = await left();
    const { seen, following } = await followed(topic);
    await following.caughtUp;
    expect(seen).toContain(9);
    expect(seen.length).toBeLessThan(numbers.length);
  });

  test('is told of a topic that is not there, and may ask again when it is', async () => {
    const topic = `test.${randomUUID()}`;
    await expect(followed(topic)).rejects.toThrow();
    await bus.ensureTopics({
      [topic]: { summary: '', key: '', writers: [], partitions: 1, retentionMs: -1, compacted: true },
    });
    await publish(topic, [1]);
    const { seen, following } = await followed(topic);
    await following.caughtUp;
    expect(seen).toEqual([1]);
  });

  test('sees what is in partitions that were added, and is not up to date before', async () => {
    const topic = await freshTopic(bus);
    const { seen, following } = await followed(topic);
    await following.caughtUp;
    await withAdmin(admin => admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] }));
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic, messages: [{ partition: 3, value: JSON.stringify({ n: 1 }) }] });
    const sentAt = Date.now();
    await producer.disconnect();
    await until(() => seen.includes(1) || following.upToDateAt() > sentAt);
    expect(seen).toEqual([1]);
    await until(() => following.upToDateAt() > sentAt);
  });

  test('sees nothing more after it has stopped', async () => {
    const topic = await freshTopic(bus);
    await publish(topic, [1]);
    const [stopped, other] = [await followed(topic), await followed(topic)];
    await Promise.all([stopped.following.caughtUp, other.following.caughtUp]);
    await stopped.following.stop();
    const known = stopped.following.upToDateAt();
    await publish(topic, [2]);
    await until(() => other.seen.includes(2) && other.following.upToDateAt() > known + 2_000);
    expect([stopped.seen, stopped.following.upToDateAt()]).toEqual([[1], known]);
  });
});

describe('what a follower knows', () => {
  test('stays fresh while nothing comes, and gets old while the broker does not answer', async () => {
    const topic = await freshTopic(bus);
    const { following } = await followed(topic);
    await following.caughtUp;
    await pause(1_500);
    expect(Date.now() - following.upToDateAt()).toBeLessThan(4_000);
    own.proxy.hold({ answers: true });
    const heldAt = Date.now();
    await pause(3_000);
    expect(following.upToDateAt()).toBeLessThanOrEqual(heldAt);
    own.proxy.hold({});
    await until(() => Date.now() - following.upToDateAt() < 500);
  });

  test('gets old while the broker is away; after that it sees what came', async () => {
    const topic = await freshTopic(bus);
    const { seen, following } = await followed(topic);
    await publish(topic, [1]);
    await until(() => seen.includes(1));
    await own.kill();
    const killedAt = Date.now();
    await pause(4_000);
    expect(following.upToDateAt()).toBeLessThanOrEqual(killedAt);
    await own.start();
    await publish(topic, [2]);
    await until(() => seen.includes(2) && Date.now() - following.upToDateAt() < 2_000);
    expect(lines.filter(line => line.startsWith('error'))).toEqual([]);
  }, 60_000);
});
