// kafkajs gives a consumer up for what it deems final, such as a login that is refused while a password changes. Ours
// has no better place to be: it starts again, as a new one, until it is stopped.
import { setTimeout as pause } from 'node:timers/promises';
import type { Consumer, ConsumerConfig, ConsumerRunConfig, Kafka } from 'kafkajs';
import type { Connect, Connection } from './connection.ts';
import { whenLoaded } from './errors.ts';

const restartMs = 1_000;
/** How long a broker may take to let a consumer go. */
const leaveWithinMs = 3_000;

/** How often a consumer tries something before it starts again. */
export const consumerRetry: NonNullable<ConsumerConfig['retry']> = {
  initialRetryTime: 200,
  maxRetryTime: 3_000,
  retries: 8,
  // Here instead, since kafkajs does it for some failures only.
  restartOnFailure: () => Promise.resolve(false),
};

type Options = ConsumerRunConfig & {
  /** Makes a consumer with its listeners: the first, and one after each failure. */
  create: (kafka: Kafka) => Consumer;
  topics: readonly string[];
  /** Resolves when what is being handled has been handled; then a broker may still be told of it for a moment. */
  handled?: () => Promise<unknown>;
};

/**
 * Reads the topics from where the group is, or else from the beginning. Resolves with what stops it; rejects when not
 * even the first start succeeds.
 */
export async function keepConsuming(connect: Connect, { create, topics, handled, ...run }: Options) {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let current: (Pick<Connection, 'cut' | 'endFetches'> & { consumer: Consumer }) | undefined;

  async function start() {
    const { kafka, cut, endFetches } = connect();
    const consumer = create(kafka);
    current = { consumer, cut, endFetches };
    consumer.on(consumer.events.CRASH, () => {
      cut();
      startLater();
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run(run);
    } catch (error) {
      cut();
      throw error;
    }
  }

  function startLater() {
    if (!stopped) timer = setTimeout(() => void start().catch(startLater), restartMs);
  }

  await whenLoaded(async () => {
    // The try before has set it.
    clearTimeout(timer);
    await start();
  });
  return async function stop(): Promise<void> {
    stopped = true;
    clearTimeout(timer);
    const left = current?.consumer.disconnect().catch(() => undefined);
    await handled?.();
    // Else the broker would be waited for, which may be waiting for messages.
    current?.endFetches();
    await Promise.race([left, pause(leaveWithinMs, undefined, { ref: false })]);
    // One that was about to join its group would do so later.
    current?.cut();
  };
}
