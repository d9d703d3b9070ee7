// Reads what topics hold now, without a place in a group: for recovery, for dead letters, and for who verifies a topic.
import { randomUUID } from 'node:crypto';
import type { Admin, Kafka, KafkaMessage } from 'kafkajs';
import { whenLoaded } from './errors.ts';

const silenceMs = 60_000;
/**
 * Message timestamps are the producer's, taken after the event's time; this much for a clock that was set back in
 * between.
 */
const marginMs = 10_000;

export type Found = { topic: string; partition: number; message: KafkaMessage };

type Reader = { kafka: Kafka; admin: Admin };
type Asked = { topics: Iterable<string>; since?: Date; each: (found: Found) => Promise<void> | void };

type Reading = { topic: string; partition: number; next: bigint; end: bigint };

async function whatToRead(
  admin: Admin,
  topics: Iterable<string>,
  since: Date | undefined,
): Promise<Map<string, Reading>> {
  const toRead = new Map<string, Reading>();
  for (const topic of topics) {
    const ends = await admin.fetchTopicOffsets(topic);
    const starts = since
      ? await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, since.getTime() - marginMs))
      : null;
    for (const { partition, low, high } of ends) {
      const next = BigInt(starts?.find(one => one.partition === partition)?.offset ?? low);
      if (next >= 0n && next < BigInt(high))
        toRead.set(`${topic} ${partition}`, { topic, partition, next, end: BigInt(high) });
    }
  }
  return toRead;
}

/**
 * Hands each message of these topics to `each`, in the order of its partition, from `since` (or the beginning) to
 * where they ended at the call.
 */
export function readToEnd(by: Reader, asked: Asked): Promise<void> {
  // Nothing has been handed on before the group is joined.
  return whenLoaded(() => read(by, asked));
}

async function read({ kafka, admin }: Reader, { topics, since, each }: Asked): Promise<void> {
  const toRead = await whatToRead(admin, topics, since);
  if (toRead.size === 0) return;
  const consumer = kafka.consumer({ groupId: `reeve.read.${randomUUID()}`, maxWaitTimeInMs: 100 });
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  // It may fail while nobody waits for it yet.
  done.catch(() => undefined);
  const timer = setTimeout(() => reject(new Error('Kafka did not show in time what it has')), silenceMs);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set([...toRead.values()].map(({ topic }) => topic))] });
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    // Before anything is fetched.
    consumer.on(consumer.events.GROUP_JOIN, () => {
      for (const { topic, partition, next } of toRead.values())
        consumer.seek({ topic, partition, offset: String(next) });
    });
    // Offsets have gaps where something was compacted away or a transaction ended: what counts is how far a batch
    // reaches, be it empty.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
      timer.refresh();
      const key = `${topic} ${partition}`;
      const reading = toRead.get(key);
      if (!reading) return;
      reading.next = BigInt(lastOffset) + 1n;
      if (reading.next >= reading.end) toRead.delete(key);
      if (toRead.size === 0) resolve();
    });
    await consumer.run({
      autoCommit: false,
      async eachBatch({ batch: { topic, partition, messages }, heartbeat }) {
        const reading = toRead.get(`${topic} ${partition}`);
        if (!reading) return;
        for (const message of messages) {
          const offset = BigInt(message.offset);
          if (offset < reading.next || offset >= reading.end) continue;
          try {
            await each({ topic, partition, message });
          } catch (error) {
            return reject(error);
          }
        }
        await heartbeat();
      },
    });
    await done;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}
