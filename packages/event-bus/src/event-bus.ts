// Everything of Kafka that Reeve uses. No other file of the repository imports kafkajs, which is chosen but no longer maintained:
// should it be replaced, this package is the only one that changes.
import './frugal-encoder.ts';
import { maxMessageBytes, type Topic } from '@reeve/contracts';
import { Kafka, logLevel } from 'kafkajs';
import { type ConsumerOptions, type RunningConsumer, startConsumer } from './consumer.ts';
import { type DeadLetter, readDeadLetters, replayDeadLetters } from './dead-letters.ts';
import { isKafkaUnavailable } from './errors.ts';
import { findPublished } from './find-published.ts';
import { createPublisher } from './publisher.ts';
import { type Found, readToEnd } from './read-to-end.ts';
import { type Handlers, subscription } from './subscribe.ts';

export type EventBusOptions = {
  brokers: string[];
  clientId: string;
  isTransient?: (error: unknown) => boolean;
  log?: (level: 'error' | 'warn' | 'info' | 'debug', message: string, about: Record<string, unknown>) => void;
};

export type EventBus = ReturnType<typeof createEventBus>;

const topicAttempts = 8;

const levels = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
  [logLevel.DEBUG]: 'debug',
} as const;

export function createEventBus({
  brokers,
  clientId,
  isTransient = () => false,
  log = () => undefined,
}: EventBusOptions) {
  const kafka = new Kafka({
    brokers,
    clientId,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    logLevel: logLevel.WARN,
    logCreator: () => entry => {
      const { message, timestamp: _, logger: __, stack: ___, ...about } = entry.log;
      log(levels[entry.level as keyof typeof levels] ?? 'info', message, { ...about, from: 'kafkajs' });
    },
  });
  const publisher = createPublisher(kafka);
  const consumers: RunningConsumer[] = [];
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

  async function consume(options: ConsumerOptions): Promise<RunningConsumer> {
    const consumer = await startConsumer(
      {
        kafka,
        isTransient,
        onError: (error, about) => log('warn', 'a partition is paused and will be tried again', { ...about, error }),
      },
      options,
    );
    consumers.push(consumer);
    return consumer;
  }

  return {
    /** Creates the topics that do not exist, with their declared partitions and retention. Existing ones are left as they are. */
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

    /** What the group has set aside of the topic, oldest first. */
    readDeadLetters: async (topic: string, group: string) =>
      readDeadLetters({ kafka, admin: await connectedAdmin() }, topic, group),

    /** Hands each message that is on the topic now to `each`, in the order of its partition; values as they are. */
    readTopic: async (topic: string, each: (found: Found) => Promise<void> | void) =>
      readToEnd({ kafka, admin: await connectedAdmin() }, { topics: [topic], each }),

    /** Publishes dead letters to their topic again. */
    replayDeadLetters: (topic: string, letters: readonly DeadLetter[]) => replayDeadLetters(kafka, topic, letters),

    async ping(): Promise<void> {
      await (await connectedAdmin()).describeCluster();
    },

    async stopConsuming(): Promise<void> {
      await Promise.all(consumers.splice(0).map(consumer => consumer.stop()));
    },

    async stop(): Promise<void> {
      await this.stopConsuming();
      await publisher.stop();
      if (adminReady) await admin.disconnect();
    },
  };
}
