// How the cluster stands for the topics of Reeve, and how far consumers are: for whoever operates it.
import type { Admin, PartitionMetadata } from 'kafkajs';

export type ClusterStatus = {
  brokers: number;
  topics: number;
  /** Those that lack something: `leader` is null where nobody takes or gives messages. */
  impaired: { topic: string; partition: number; leader: number | null; replicas: number; inSync: number }[];
  /** Messages that a group has not committed, where there are any. */
  lag: { group: string; topic: string; messages: number }[];
};

/** kafkajs says so of a partition without one. */
const noLeader = -1;

/** Whether it has no leader, or a replica that is not in sync. */
export const isImpaired = ({ leader, replicas, isr }: Pick<PartitionMetadata, 'leader' | 'replicas' | 'isr'>) =>
  leader === noLeader || isr.length < replicas.length;

/** Looks at topics whose name begins with `prefix`. Throws where no broker answers. */
export async function clusterStatus(admin: Admin, prefix: string): Promise<ClusterStatus> {
  const { brokers } = await admin.describeCluster();
  const names = (await admin.listTopics()).filter(name => name.startsWith(prefix));
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  const impaired = topics.flatMap(({ name: topic, partitions }) =>
    partitions.filter(isImpaired).map(({ partitionId: partition, leader, replicas, isr }) => ({
      topic,
      partition,
      leader: leader === noLeader ? null : leader,
      replicas: replicas.length,
      inSync: isr.length,
    })),
  );
  return { brokers: brokers.length, topics: names.length, impaired, lag: await lagOf(admin, names) };
}

async function lagOf(admin: Admin, topics: readonly string[]): Promise<ClusterStatus['lag']> {
  const ends = new Map<string, Map<number, number>>();
  for (const topic of topics) {
    const offsets = await admin.fetchTopicOffsets(topic);
    ends.set(topic, new Map(offsets.map(({ partition, high }) => [partition, Number(high)])));
  }
  const lag: ClusterStatus['lag'] = [];
  for (const { groupId: group } of (await admin.listGroups()).groups)
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group })) {
      const end = ends.get(topic);
      if (!end) continue;
      // Of a partition of which nothing was committed nothing is known: an offset of -1.
      const messages = partitions
        .filter(({ offset }) => Number(offset) >= 0)
        .reduce((sum, { partition, offset }) => sum + Math.max(0, (end.get(partition) ?? 0) - Number(offset)), 0);
      if (messages > 0) lag.push({ group, topic, messages });
    }
  return lag;
}
