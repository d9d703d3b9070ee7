// What the cluster has of what is declared, for whoever looks whether an installation is sound. Changes nothing.
import { deadLetterTopic, type Topic } from '@reeve/contracts';
import type { Admin } from 'kafkajs';
import { isImpaired } from './cluster-status.ts';
import { whenLoaded } from './errors.ts';

/** Of a topic that is there; `retentionMs` and the like are null where the cluster does not let us see them. */
type InspectedTopic = {
  partitions: number;
  /** Of the partition that has the fewest. */
  replicas: number;
  /** Partitions that have no leader, or a replica that is not in sync. */
  unhealthyPartitions: number;
  retentionMs: number | null;
  compacted: boolean | null;
};
type InspectedGroup = { group: string; messagesBehind: number; deadLetters: number };
export type Inspected = {
  brokers: number;
  /** Null for one that is not there. */
  topics: Map<string, InspectedTopic | null>;
  groups: InspectedGroup[];
};

type Asked = { topics: Record<string, Topic>; groups: readonly { group: string; topics: readonly string[] }[] };

/** Of Kafka's own list of resources, which the client does not export to modules. */
const topicResource = 2;
const configNames = ['cleanup.policy', 'retention.ms'];

export function inspect(admin: Admin, { topics: declared, groups }: Asked): Promise<Inspected> {
  return whenLoaded(async () => {
    const { brokers } = await admin.describeCluster();
    const existing = new Set(await admin.listTopics());
    const there = Object.keys(declared).filter(name => existing.has(name));
    const topics = new Map<string, InspectedTopic | null>(Object.keys(declared).map(name => [name, null]));
    const configs = await configsOf(admin, there);
    for (const { name, partitions } of (await admin.fetchTopicMetadata({ topics: there })).topics) {
      const config = configs.get(name);
      const retention = config?.get('retention.ms');
      topics.set(name, {
        partitions: partitions.length,
        replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        unhealthyPartitions: partitions.filter(isImpaired).length,
        retentionMs: retention === undefined ? null : Number(retention),
        compacted: config?.get('cleanup.policy')?.includes('compact') ?? null,
      });
    }
    const inspected: InspectedGroup[] = [];
    for (const { group, topics: own } of groups) {
      const read = own.filter(name => existing.has(name));
      const setAside = read.map(name => deadLetterTopic(name, group)).filter(name => existing.has(name));
      inspected.push({
        group,
        messagesBehind: await behind(admin, group, read),
        deadLetters: await messagesIn(admin, setAside),
      });
    }
    return { brokers: brokers.length, topics, groups: inspected };
  });
}

/** Empty where this principal may not see them. */
async function configsOf(admin: Admin, names: readonly string[]): Promise<Map<string, Map<string, string>>> {
  if (names.length === 0) return new Map();
  const resources = names.map(name => ({ type: topicResource, name, configNames }));
  const described = await admin.describeConfigs({ includeSynonyms: false, resources }).catch(() => ({ resources: [] }));
  return new Map(
    described.resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

async function behind(admin: Admin, groupId: string, topics: readonly string[]): Promise<number> {
  if (topics.length === 0) return 0;
  let total = 0;
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const committed = Number(partitions.find(one => one.partition === partition)?.offset ?? -1);
      total += Number(high) - Math.max(Number(low), committed);
    }
  }
  return total;
}

async function messagesIn(admin: Admin, topics: readonly string[]): Promise<number> {
  let total = 0;
  for (const topic of topics)
    for (const { low, high } of await admin.fetchTopicOffsets(topic)) total += Number(high) - Number(low);
  return total;
}
