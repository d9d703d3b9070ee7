// Reads a topic from its beginning and then for ever, without a place in a group that others share: every process
// sees every message. For what each process has to know, such as which tokens are revoked.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, KafkaMessage } from 'kafkajs';
import type { Connect } from './connection.ts';
import { consumerRetry, keepConsuming } from './keep-consuming.ts';

export type Following = {
  /** Resolves when what was on the topic at the call has been read. */
  caughtUp: Promise<void>;
  /** Milliseconds since the epoch: what the topic had until then was read. */
  upToDateAt: () => number;
  stop(): Promise<void>;
};

/** Where the partitions ended when a broker was asked at that time. */
type Ends = { at: number; partitions: Awaited<ReturnType<Admin['fetchTopicOffsets']>> };

const askEveryMs = 3_000;
/** What comes is there at once; nobody else is in the group who would have to be heard of in between. */
const fetchWaitMs = 5_000;
/** Where reading takes longer than asking. */
const maxUnreached = 60;
/** Partitions that are added to the topic are found in this time. */
const partitionsAgeMs = 10_000;

/**
 * `each` must not throw: what it cannot read it passes over. The same message may come again. Rejects for a topic
 * that is not there.
 */
export async function follow(
  { connect, admin, clientId }: { connect: Connect; admin: Admin; clientId: string },
  { topic, each }: { topic: string; each: (message: KafkaMessage) => void },
): Promise<Following> {
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  const next = new Map<number, bigint>();
  let unreached: Ends[] = [];
  let upToDateAt = 0;

  /**
   * That the consumer hears nothing does not mean that there is nothing: it may read from one broker while another is
   * out of reach. So ends are asked for.
   */
  async function ask() {
    const at = Date.now();
    unreached.push({ at, partitions: await admin.fetchTopicOffsets(topic) });
    if (unreached.length > maxUnreached) unreached.shift();
    compare();
  }

  function compare() {
    const reached = unreached.findLast(({ partitions }) =>
      partitions.every(({ partition, low, high }) => low === high || (next.get(partition) ?? 0n) >= BigInt(high)),
    );
    if (!reached) return;
    upToDateAt = reached.at;
    unreached = unreached.filter(({ at }) => at > upToDateAt);
    resolve();
  }

  await ask();
  const stopConsuming = await keepConsuming(connect, {
    topics: [topic],
    create(kafka) {
      const consumer = kafka.consumer({
        // Never the same twice: a group waits for the member that it lost.
        groupId: `${clientId}.follow.${randomUUID()}`,
        sessionTimeout: 30_000,
        maxWaitTimeInMs: fetchWaitMs,
        metadataMaxAge: partitionsAgeMs,
        allowAutoTopicCreation: false,
        retry: consumerRetry,
      });
      // Also said of a batch that holds nothing but the marks of transactions.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
        next.set(partition, BigInt(lastOffset) + 1n);
        compare();
      });
      return consumer;
    },
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) each(message);
    },
  });

  const stopping = new AbortController();
  const { signal } = stopping;
  async function askOn() {
    while (!signal.aborted) {
      await pause(askEveryMs, undefined, { signal }).catch(() => undefined);
      // Where no broker answers, kafkajs says so, and what is known gets old.
      if (!signal.aborted) await ask().catch(() => undefined);
    }
  }
  void askOn();

  return {
    caughtUp,
    upToDateAt: () => upToDateAt,
    async stop() {
      stopping.abort();
      await stopConsuming();
    },
  };
}
