// What a consumer waits for before it takes what there is.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Message, newEventId, newId } from '@reeve/contracts';
import { Kafka, logLevel } from 'kafkajs';
import type { ConsumerOptions } from './consumer.ts';
import { createEventBus, type EventBus } from './event-bus.ts';

const broker = process.env['REEVE_TEST_KAFKA'];
if (broker === undefined) throw new Error('there is no broker: use `npm test`, which starts one');
let bus: EventBus;
beforeAll(() => {
  bus = createEventBus({ brokers: [String(broker)], clientId: 'test' });
});
afterAll(() => bus.stop());

const message = (topic: string, data: string): Message => ({
  topic,
  key: 'k',
  event: {
    id: newEventId(),
    source: '/test',
    type: 'tenant.created',
    subject: 'tenant/1',
    time: new Date().toISOString(),
    tenantId: newId('tenant'),
    correlationId: 'c',
    contentType: 'text/plain',
    data: Buffer.from(data),
  },
});

async function consumed(gather: Partial<Pick<ConsumerOptions, 'gather'>>) {
  const topic = `test.${randomUUID()}`;
  await bus.ensureTopics({
    [topic]: { summary: '', key: '', writers: [], partitions: 1, retentionMs: 3_600_000, compacted: false },
  });
  const batches: { size: number; at: number }[] = [];
  const group = `test.${randomUUID()}`;
  const consumer = await bus.consume({
    group,
    topics: [topic],
    handleBatch: async ({ events }) => void batches.push({ size: events.length, at: performance.now() }),
    ...gather,
  });
  await consumer.joined;
  await pause(500);
  return { topic, group, batches, stop: consumer.stop };
}

const publishApart = async (topic: string, count: number) => {
  for (let n = 0; n < count; n += 1) {
    await bus.publish([message(topic, `${n}`)], { before: Date.now() + 10_000 });
    await pause(40);
  }
};

test('a consumer that gathers gets in one batch what comes within its time; another gets it as it comes', async () => {
  const gathering = await consumed({ gather: { ms: 1_000, bytes: 65_536 } });
  const began = performance.now();
  await publishApart(gathering.topic, 4);
  const come = () => gathering.batches.reduce((sum, { size }) => sum + size, 0);
  while (come() < 4) await pause(100);
  // One fetch may have been about to end when the first came.
  expect(gathering.batches.length).toBeLessThanOrEqual(2);
  expect((gathering.batches.at(-1)?.at ?? Infinity) - began).toBeLessThan(5_000);
  const other = await consumed({});
  await publishApart(other.topic, 4);
  await pause(500);
  expect(other.batches.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
}, 30_000);

test('a consumer that gathers does not wait where there is enough', async () => {
  const { topic, batches } = await consumed({ gather: { ms: 5_000, bytes: 10_000 } });
  const began = performance.now();
  await bus.publish([message(topic, 'x'.repeat(20_000))], { before: Date.now() + 10_000 });
  while (batches.length === 0) await pause(20);
  expect((batches[0]?.at ?? Infinity) - began).toBeLessThan(2_000);
}, 30_000);

test('a consumer that waits for more stops at once, and its group knows', async () => {
  const { group, stop } = await consumed({ gather: { ms: 9_000, bytes: 65_536 } });
  const began = performance.now();
  await stop();
  expect(performance.now() - began).toBeLessThan(5_000);
  const admin = new Kafka({ brokers: [String(broker)], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const { groups } = await admin.describeGroups([group]);
  await admin.disconnect();
  expect(groups).toMatchObject([{ members: [] }]);
}, 30_000);
