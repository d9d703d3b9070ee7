// Asks the topics themselves which messages they hold. For whoever does not know whether a message that it was about to publish
// arrived: after a crash, or a request that was never answered.
import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';

const withinMs = 60_000;
/** Message timestamps are the producer's, taken after the event's time; this much for a clock that was set back in between. */
const marginMs = 10_000;

/** The ids among those asked for that are on the topics. Reads from `since`, the time of the oldest event, to the end, so it takes seconds. */
export async function findPublished(
  { kafka, admin }: { kafka: Kafka; admin: Admin },
  { ids, topics, since }: { ids: ReadonlySet<string>; topics: ReadonlySet<string>; since: Date },
): Promise<Set<string>> {
  const found = new Set<string>();
  const toRead = new Map<string, { topic: string; partition: number; next: bigint; end: bigint }>();
  for (const topic of topics) {
    const starts = await admin.fetchTopicOffsetsByTimestamp(topic, since.getTime() - marginMs);
    const ends = new Map(
      (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, BigInt(high)]),
    );
    for (const { partition, offset } of starts) {
      const end = ends.get(partition) ?? 0n;
      if (BigInt(offset) >= 0n && BigInt(offset) < end)
        toRead.set(`${topic} ${partition}`, { topic, partition, next: BigInt(offset), end });
    }
  }
  if (toRead.size === 0) return found;

  const consumer = kafka.consumer({ groupId: `reeve.find-published.${randomUUID()}`, maxWaitTimeInMs: 100 });
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('Kafka did not show in time what it has')), withinMs);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set([...toRead.values()].map(({ topic }) => topic))] });
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        for (const { headers } of batch.messages) {
          const id = headers?.['ce_id']?.toString();
          if (id !== undefined && ids.has(id)) found.add(id);
        }
        const key = `${batch.topic} ${batch.partition}`;
        const reading = toRead.get(key);
        const [first] = batch.messages;
        // A fetch from before the seek took effect shows a later part of the partition: it does not count.
        if (reading && first && BigInt(first.offset) <= reading.next) {
          reading.next = BigInt(batch.lastOffset()) + 1n;
          if (reading.next >= reading.end) toRead.delete(key);
        }
        if (toRead.size === 0) resolve();
        return Promise.resolve();
      },
    });
    for (const { topic, partition, next } of toRead.values()) consumer.seek({ topic, partition, offset: String(next) });
    await done;
    return found;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}
