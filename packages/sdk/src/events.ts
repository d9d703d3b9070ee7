// Events of Reeve as they come over Kafka, typed; and, for a verifier, what is revoked from the same place.
import { setTimeout as pause } from 'node:timers/promises';
import type { EventType, IdentityEvent } from '@reeve/contracts';
import { type ConnectionOptions, createEventBus, type Handlers, PoisonMessageError } from '@reeve/event-bus';
import type { RevocationSource, RunningSource, SourceContext } from './revocations/source.ts';

export type { EventType, IdentityEvent } from '@reeve/contracts';
export type { Sasl, Tls } from '@reeve/event-bus';
/** Thrown by a handler for an event that no retry can help: it goes to the dead letters at once. */
export { PoisonMessageError };

export type KafkaOptions = Pick<ConnectionOptions, 'brokers' | 'clientId' | 'tls' | 'sasl'>;

export type EventHandlers = { [T in EventType]?: (event: IdentityEvent<T>) => Promise<void> };

export type EventConsumerOptions = KafkaOptions & {
  /** Of the consumer group: the product's name, and what it does with the events. */
  group: string;
  /** By type. An event comes at least once, those of one tenant in their order: know it again by its `id`. */
  handlers: EventHandlers;
  /** True for a failure of a handler that will pass, such as a database that is away: it is then tried until it does. */
  isTransient?: (error: unknown) => boolean;
  /** What goes on: partitions that are paused, brokers that are away. */
  log?: ConnectionOptions['log'];
};

/**
 * Reads the topics that the handlers are for, as one group. An event whose handler fails again and again, or that
 * cannot be read, goes to `<topic>.<group>.dlq`.
 */
export async function startEventConsumer(options: EventConsumerOptions): Promise<{ stop: () => Promise<void> }> {
  const { group, handlers, isTransient, log, ...connection } = options;
  const bus = createEventBus({ ...connection, ...(isTransient ? { isTransient } : {}), ...(log ? { log } : {}) });
  try {
    await bus.subscribe(group, handlers as Handlers);
  } catch (error) {
    await bus.stop();
    throw error;
  }
  return { stop: () => bus.stop() };
}

const revocationsTopic = 'reeve.revocations.v1';
const tryAgainMs = 1_000;

/** For `revocations.from` of `createVerifier`, in place of `revocationFeed`, where Kafka can be reached. */
export function revocationTopic(options: KafkaOptions): RevocationSource {
  return context => follow(options, context);
}

function follow(options: KafkaOptions, { learn, onFailure }: SourceContext): RunningSource {
  const bus = createEventBus(options);
  const stopping = new AbortController();
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  let upToDateAt = () => 0;

  async function start() {
    while (!stopping.signal.aborted) {
      try {
        const following = await bus.follow(revocationsTopic, ({ value }) => {
          if (value !== null) learn(parsed(value));
        });
        upToDateAt = following.upToDateAt;
        void following.caughtUp.then(resolve);
        return;
      } catch (error) {
        onFailure(error);
        await pause(tryAgainMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }
  const started = start();

  return {
    caughtUp,
    behindMs: () => (upToDateAt() === 0 ? Infinity : Date.now() - upToDateAt()),
    async stop() {
      stopping.abort();
      await started;
      await bus.stop();
    },
  };
}

function parsed(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return null;
  }
}
