// Sets a consumer group back, so that it reads again what its service's store has lost: after a restore from a backup.
// What it has read before it recognises, as with any redelivery.
import type { Admin, Kafka } from 'kafkajs';
import { isKafkaUnavailable, whenLoaded } from './errors.ts';

/** For clocks that differ: to read more again is harmless, and to read less is not. */
const marginMs = 600_000;
const joinWithinMs = 20_000;
/** What a broker answers while others join or leave. */
const membersChanged = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

type By = { kafka: Kafka; admin: Admin };
type Group = { group: string; topics: readonly string[] };
type Place = { topic: string; partition: number; offset: string };

/**
 * To what its topics have had since shortly before `to`; never forward. False while the group has members: whoever
 * reads would go on from where it is.
 */
export function rewind(by: By, { group, topics }: Group, to: Date): Promise<boolean> {
  return whenLoaded(async () => {
    const { admin } = by;
    const [described] = (await admin.describeGroups([group])).groups;
    if (described && described.members.length > 0) return false;
    const existing = new Set(await admin.listTopics());
    const places: Place[] = [];
    const there = topics.filter(topic => existing.has(topic));
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group, topics: there })) {
      const since = await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, to.getTime() - marginMs));
      for (const { partition, offset: committed } of partitions) {
        const offset = since.find(one => one.partition === partition)?.offset;
        const isEarlier = offset !== undefined && BigInt(offset) >= 0n && BigInt(offset) < BigInt(committed);
        if (isEarlier) places.push({ topic, partition, offset });
      }
    }
    return places.length === 0 || commit(by, group, places);
  });
}

/**
 * As a member that reads nothing: kafkajs's own way joins the group once for each topic, which takes seconds each time.
 * False where another member is in the way, as another instance that does the same.
 */
async function commit({ kafka }: By, groupId: string, places: Place[]): Promise<boolean> {
  const consumer = kafka.consumer({ groupId });
  const { promise: joined, resolve, reject } = Promise.withResolvers<void>();
  // It may fail while nobody waits for it yet.
  joined.catch(() => undefined);
  const timer = setTimeout(() => reject(new Error(`${groupId} was not joined in time`)), joinWithinMs);
  consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set(places.map(({ topic }) => topic))] });
    await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
    await joined;
    await consumer.commitOffsets(places);
    return true;
  } catch (error) {
    if (isKafkaUnavailable(error) || membersChanged.has(String((error as { type?: string }).type))) return false;
    throw error;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}
