// Reads what topics hold now, without a place in a group: for recovery, for dead letters, and for who verifies a topic.
import { randomUUID } from 'node:crypto';
import type { Admin, Kafka, KafkaMessage } from 'kafkajs';

const silenceMs = 60_000;
/** Message timestamps are the producer's, taken after the event's time; this much for a clock that was set back in between. */
const marginMs = 10_000;

export type Found = { topic: string; partition: number; message: KafkaMessage };

type Reading = { topic: string; partition: number; next: bigint; end: bigint };

async function whatToRead(
  admin: Admin,
  topics: Iterable<string>,
  since: Date | undefined,
): Promise<Map<string, Reading>> {
  const toRead = new Map<string, Reading>();
  for (const topic of topics) {
    const ends = await admin.fetchTopicOffsets(topic);
    const starts = since ? await admin.fetchTopicOffsetsByTimestamp(topic, since.getTime() - marginMs) : null;
    for (const { partition, low, high } of ends) {
      const next = BigInt(starts?.find(one => one.partition === partition)?.offset ?? low);
      if (next >= 0n && next < BigInt(high))
        toRead.set(`${topic} ${partition}`, { topic, partition, next, end: BigInt(high) });
    }
  }
  return toRead;
}

/** Hands each message of these topics to `each`, in the order of its partition, from `since` (or the beginning) to where they ended at the call. */
export async function readToEnd(
  { kafka, admin }: { kafka: Kafka; admin: Admin },
  { topics, since, each }: { topics: Iterable<string>; since?: Date; each: (found: Found) => Promise<void> | void },
): Promise<void> {
  const toRead = await whatToRead(admin, topics, since);
  if (toRead.size === 0) return;
  const consumer = kafka.consumer({ groupId: `reeve.read.${randomUUID()}`, maxWaitTimeInMs: 100 });
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('Kafka did not show in time what it has')), silenceMs);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set([...toRead.values()].map(({ topic }) => topic))] });
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    await consumer.run({
      autoCommit: false,
      async eachBatch({ batch, heartbeat }) {
        timer.refresh();
        const key = `${batch.topic} ${batch.partition}`;
        const reading = toRead.get(key);
        const [first] = batch.messages;
        // A fetch from before the seek took effect shows another part of the partition: it does not count.
        if (!reading || !first || BigInt(first.offset) > reading.next) return;
        for (const message of batch.messages) {
          const offset = BigInt(message.offset);
          if (offset < reading.next || offset >= reading.end) continue;
          try {
            await each({ topic: batch.topic, partition: batch.partition, message });
          } catch (error) {
            return reject(error);
          }
        }
        const after = BigInt(batch.lastOffset()) + 1n;
        if (after > reading.next) reading.next = after;
        if (reading.next >= reading.end) toRead.delete(key);
        if (toRead.size === 0) resolve();
        await heartbeat();
      },
    });
    for (const { topic, partition, next } of toRead.values()) consumer.seek({ topic, partition, offset: String(next) });
    await done;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}
