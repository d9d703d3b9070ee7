// The engines under a service: its own store, the event bus, and the order in which they start and stop.
import { topics } from '@reeve/contracts';
import { createEventBus, type EventBus, isKafkaUnavailable } from '@reeve/event-bus';
import { isStoreUnavailable, openStore, type Store } from '@reeve/store';
import type { BaseConfig } from './config.ts';
import type { Logger } from './logger.ts';

export type Foundation = {
  store: Store;
  bus: EventBus;
  start(): Promise<void>;
  ready(): Promise<void>;
  stop(): Promise<void>;
};

const readyForMs = 2_000;
const answerWithinMs = 2_000;

/** Rejects when it takes longer: a probe is better told no than left waiting. */
function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the engines did not answer in time')), answerWithinMs);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * With `publishOnce` an event comes out once even when a crash came between its publication and the record of it; without, it may come twice with
 * the same id, which consumers recognise, and recovery is quicker.
 */
export function createFoundation(
  name: string,
  config: BaseConfig,
  { log, publishOnce = false }: { log: Logger; publishOnce?: boolean },
): Foundation {
  const store = openStore({
    uri: config.MONGODB_URI,
    database: config.MONGODB_DATABASE,
    source: `/reeve/${name}`,
    onError: error => log.warn({ error }, 'the relay will try again'),
  });
  const bus = createEventBus({
    brokers: config.KAFKA_BROKERS,
    clientId: `reeve-${name}`,
    isTransient: isStoreUnavailable,
    log: (level, message, about) => log[level](about, message),
  });
  let readyUntil = 0;

  return {
    store,
    bus,

    /** Indexes and topics exist, and the relay runs, when it resolves. Every collection has to be declared before. */
    async start() {
      await Promise.all([store.prepare(), bus.ensureTopics(topics)]);
      store.relay.start(bus.publish, isKafkaUnavailable, publishOnce ? bus.findPublished : undefined);
      store.startJournals(bus.publish, bus.findPublished);
    },

    async ready() {
      if (Date.now() < readyUntil) return;
      await inTime(Promise.all([store.ping(), bus.ping()]));
      readyUntil = Date.now() + readyForMs;
    },

    /** Consumers first, since they write; then what they and the requests wrote is published; then the connections close. */
    async stop() {
      await bus.stopConsuming();
      await store.stopPublishing();
      await bus.stop();
      await store.close();
    },
  };
}
