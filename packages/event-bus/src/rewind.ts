// Sets a consumer group back, so that it reads again what its service's store has lost: after a restore from a backup.
// What it has read before it recognises, as with any redelivery.
import type { Admin } from 'kafkajs';
import { whenLoaded } from './errors.ts';

/** For clocks that differ: to read more again is harmless, and to read less is not. */
const marginMs = 600_000;

type Group = { group: string; topics: readonly string[] };

/**
 * To what its topics have had since shortly before `to`; never forward. False while the group has members: whoever
 * reads would go on from where it is.
 */
export function rewind(admin: Admin, { group: groupId, topics }: Group, to: Date): Promise<boolean> {
  return whenLoaded(async () => {
    const [described] = (await admin.describeGroups([groupId])).groups;
    if (described && described.members.length > 0) return false;
    const existing = await admin.listTopics();
    const committed = await admin.fetchOffsets({ groupId, topics: topics.filter(topic => existing.includes(topic)) });
    for (const { topic, partitions } of committed) {
      const since = await admin.fetchTopicOffsetsByTimestamp(topic, to.getTime() - marginMs);
      const earlier = partitions.flatMap(({ partition, offset }) => {
        const found = since.find(one => one.partition === partition)?.offset;
        const isEarlier = found !== undefined && BigInt(found) >= 0n && BigInt(found) < BigInt(offset);
        return isEarlier ? [{ partition, offset: found }] : [];
      });
      if (earlier.length > 0 && !(await setOffsets(admin, { groupId, topic, partitions: earlier }))) return false;
    }
    return true;
  });
}

/** False where the group has members by now: another instance that does the same is one for a moment. */
async function setOffsets(admin: Admin, to: Parameters<Admin['setOffsets']>[0]): Promise<boolean> {
  try {
    await admin.setOffsets(to);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes('must have no running instances')) return false;
    throw error;
  }
}
