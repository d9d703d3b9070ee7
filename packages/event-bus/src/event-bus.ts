// Everything of Kafka that Reeve uses. No other file of the repository imports kafkajs, which is chosen but no longer
// maintained: should it be replaced, this package is the only one that changes.
import './frugal-encoder.ts';
import './quiet-queue.ts';
import { maxMessageBytes, type Topic } from '@reeve/contracts';
import { clusterStatus } from './cluster-status.ts';
import { type ConnectionOptions, createConnect } from './connection.ts';
import { type ConsumerOptions, type RunningConsumer, startConsumer } from './consumer.ts';
import { type DeadLetter, readDeadLetters, replayDeadLetters } from './dead-letters.ts';
import { isKafkaUnavailable } from './errors.ts';
import { findPublished } from './find-published.ts';
import { type Following, follow } from './follow.ts';
import { type Inspected, inspect } from './inspect.ts';
import { createPublisher } from './publisher.ts';
import { type Found, readToEnd } from './read-to-end.ts';
import { rewind } from './rewind.ts';
import { type Handlers, subscription } from './subscribe.ts';

export type EventBusOptions = ConnectionOptions & {
  /** Put before the names of consumer groups, where several installations share a cluster. */
  groupPrefix?: string;
  /** Awaited before a group is joined: it may have the group read again what there is since a time. */
  beforeJoining?: (group: string, rewindTo: (time: Date) => Promise<boolean>) => Promise<void>;
  /** True for a failure of a handler that will pass, such as a store that is down. */
  isTransient?: (error: unknown) => boolean;
};

export type EventBus = ReturnType<typeof createEventBus>;

const topicAttempts = 8;

export function createEventBus(options: EventBusOptions) {
  const {
    clientId,
    groupPrefix = '',
    isTransient = () => false,
    beforeJoining = async () => undefined,
    log = () => undefined,
  } = options;
  const connect = createConnect(options);
  const publisher = createPublisher(connect);
  const { kafka, cut } = connect();
  const followed: Following[] = [];
  const consumers: RunningConsumer[] = [];
  const groups: { group: string; topics: readonly string[] }[] = [];
  const admin = kafka.admin();
  let adminReady: Promise<void> | undefined;

  async function connectedAdmin() {
    adminReady ??= admin.connect();
    try {
      await adminReady;
    } catch (error) {
      adminReady = undefined;
      throw error;
    }
    return admin;
  }

  async function createMissing(topics: Record<string, Topic>): Promise<void> {
    const existing = new Set(await (await connectedAdmin()).listTopics());
    const missing = Object.entries(topics).filter(([name]) => !existing.has(name));
    if (missing.length === 0) return;
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(([topic, { partitions, retentionMs, compacted }]) => ({
        topic,
        numPartitions: partitions,
        configEntries: [
          { name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' },
          { name: 'retention.ms', value: String(retentionMs) },
          { name: 'max.message.bytes', value: String(maxMessageBytes) },
        ],
      })),
    });
  }

  async function consume({ group: name, ...rest }: ConsumerOptions): Promise<RunningConsumer> {
    const group = groupPrefix + name;
    const { topics } = rest;
    groups.push({ group, topics });
    await beforeJoining(group, async time => rewind({ kafka, admin: await connectedAdmin() }, { group, topics }, time));
    const consumer = await startConsumer(
      {
        connect,
        connectedAdmin,
        isTransient,
        onError: (error, about) => log('warn', 'a partition is paused and will be tried again', { ...about, error }),
      },
      { group, ...rest },
    );
    consumers.push(consumer);
    return consumer;
  }

  return {
    /**
     * Creates the topics that do not exist, with their declared partitions and retention. Existing ones are left as
     * they are.
     */
    async ensureTopics(topics: Record<string, Topic>): Promise<void> {
      // Services that start together create the same topics: whoever meets a half-made one looks again.
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await createMissing(topics);
        } catch (error) {
          if (attempt >= topicAttempts || !isKafkaUnavailable(error)) throw error;
          await new Promise(resolve => setTimeout(resolve, 200 * attempt));
        }
      }
    },

    publish: publisher.publish,

    /** Which of these events are on the topics. Slow: for recovery. */
    findPublished: async (query: Parameters<typeof findPublished>[1]) =>
      findPublished({ kafka, admin: await connectedAdmin() }, query),

    /** Handles whole fetches: for a consumer that gains from batching. */
    consume,

    /** Handles typed events one by one. The group is the service's name and what it does with the events. */
    subscribe(group: string, handlers: Handlers): Promise<RunningConsumer> {
      return consume(subscription(group, handlers));
    },

    /**
     * Shows this process every message of the topic, from its beginning and then as they come. `each` must not throw.
     */
    async follow(topic: string, each: Parameters<typeof follow>[1]['each']): Promise<Following> {
      const following = await follow({ connect, admin: await connectedAdmin(), clientId }, { topic, each });
      followed.push(following);
      return following;
    },

    /** What the group has set aside of the topic, oldest first. */
    readDeadLetters: async (topic: string, group: string) =>
      readDeadLetters({ kafka, admin: await connectedAdmin() }, topic, group),

    /**
     * Hands each message that is on the topics now, from about `since` or from the beginning, to `each`, in the order
     * of its partition; values as they are.
     */
    readTopics: async (topics: readonly string[], each: (found: Found) => Promise<void> | void, since?: Date) =>
      readToEnd({ kafka, admin: await connectedAdmin() }, { topics, each, ...(since ? { since } : {}) }),

    /** Publishes dead letters to their topic again. */
    replayDeadLetters: (topic: string, letters: readonly DeadLetter[]) => replayDeadLetters(kafka, topic, letters),

    /** What the cluster has of these topics, and how far behind the groups of this process are. */
    inspect: async (topics: Record<string, Topic>): Promise<Inspected> =>
      inspect(await connectedAdmin(), { topics, groups }),

    /** How the topics stand whose names begin so, and how far their consumers are. */
    status: async (prefix: string) => clusterStatus(await connectedAdmin(), prefix),

    async ping(): Promise<void> {
      await (await connectedAdmin()).describeCluster();
    },

    async stopConsuming(): Promise<void> {
      await Promise.all(consumers.splice(0).map(consumer => consumer.stop()));
    },

    async stop(): Promise<void> {
      await this.stopConsuming();
      await Promise.all(followed.splice(0).map(following => following.stop()));
      await publisher.stop();
      cut();
      if (adminReady) await admin.disconnect();
    },
  };
}
