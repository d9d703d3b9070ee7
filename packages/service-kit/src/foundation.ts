// What every service stands on: its own store, the event bus, what it knows of tenants and of revocations, and the
// order in which these start and stop.
import { setTimeout as pause } from 'node:timers/promises';
import { ProblemError, topics } from '@reeve/contracts';
import { createEventBus, type EventBus, isKafkaUnavailable } from '@reeve/event-bus';
import { KafkaSettingsError, kafkaConnection } from '@reeve/event-bus/settings';
import { type Contents, isStoreUnavailable, openStore, type Store } from '@reeve/store';
import { type BaseConfig, ConfigError } from './config.ts';
import type { Check } from './diagnostics/checks.ts';
import { diagnose } from './diagnostics/diagnose.ts';
import { findGap, type Gap } from './diagnostics/gap.ts';
import type { AssertSignIn } from './handle-route.ts';
import { idempotencyKeys } from './idempotency.ts';
import type { Logger } from './logger.ts';
import { createRestored, type Restored, restoreNotes } from './restored.ts';
import { createStanding, type OwnKnowledge, type Standing } from './standing.ts';
import { createAssertSignIn } from './step-up.ts';
import { knownTenants } from './tenant-directory.ts';
import { createTokenVerifier, type VerifyToken } from './token-verifier.ts';

export type Foundation = {
  store: Store;
  bus: EventBus;
  /** For what a service catches up with, besides its consumers, after its store was restored. */
  restored: Restored;
  standing: Standing;
  /** Of callers with an access token of the issuer: verified, and still good. */
  verifyToken: VerifyToken;
  /** By what the tenant demands. Auth, which owns that, asks its own store. */
  assertSignIn: AssertSignIn;
  start(): Promise<void>;
  ready(): Promise<void>;
  /** What it sees of everything that it stands on. */
  diagnose(): Promise<Check[]>;
  /** What the store lacks since it was restored. */
  findGap(): Promise<Gap | null>;
  stop(): Promise<void>;
};

type Options = {
  log: Logger;
  /** What of the service's own lies in the store. */
  contents: Contents;
  /**
   * An event comes out once even when a crash came between its publication and the note of it; without, it may come
   * twice with the same id, which consumers recognise, and recovery is quicker.
   */
  publishOnce?: boolean;
  /** Facts about callers that this service owns, and so need not learn from a topic. */
  own?: OwnKnowledge;
  /** What it does not start without besides: resolves once that is there. Waited for as the engines are. */
  needs?: () => Promise<void>;
};

const readyForMs = 2_000;
const answerWithinMs = 2_000;
const startRetryMs = 500;

/** Rejects when it takes longer: a probe is better told no than left waiting. */
function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the engines did not answer in time')), answerWithinMs);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A key service that refuses us is put right by whoever runs it, as one that is away: what needs it waits. */
const willPass = (error: unknown): boolean =>
  isStoreUnavailable(error) ||
  (error instanceof ProblemError && ['key_service_unavailable', 'key_service_denied'].includes(error.code));

/**
 * A machine that starts everything at once starts some of it later: what an engine that is on its way refuses is tried
 * again for a while.
 */
async function insist(work: () => Promise<unknown>, { forMs, log }: { forMs: number; log: Logger }): Promise<void> {
  const giveUpAt = Date.now() + forMs;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(willPass(error) || isKafkaUnavailable(error)) || Date.now() > giveUpAt) throw error;
      const { message, cause } = error as Error;
      log.info(
        { error: message, ...(cause instanceof Error ? { cause: cause.message } : {}) },
        'waiting for the engines',
      );
      await pause(startRetryMs);
    }
  }
}

export function createFoundation(name: string, config: BaseConfig, options: Options): Foundation {
  const { log, contents, publishOnce = false, own = {}, needs } = options;
  const source = `/reeve/${name}`;
  const store = openStore({
    uri: config.MONGODB_URI,
    database: config.MONGODB_DATABASE,
    source,
    contents: {
      ...contents,
      collections: [idempotencyKeys, knownTenants, ...(contents.collections ?? [])],
      platformRecords: [restoreNotes, ...(contents.platformRecords ?? [])],
    },
    onError: error => log.warn({ error }, 'will be published later'),
  });
  const restored = createRestored({ notes: store.platformRecords(restoreNotes), to: config.REEVE_RESTORED_TO });
  const bus = createEventBus({
    ...connectionOf(config),
    beforeJoining: (group, rewindTo) => restored.once(`the consumer group ${group}`, rewindTo),
    clientId: `reeve-${name}`,
    groupPrefix: config.KAFKA_GROUP_PREFIX,
    isTransient: willPass,
    log: (level, message, about) => log[level](about, message),
  });
  const standing = createStanding({ longestSilenceMs: config.REEVE_REVOCATION_SILENCE_SECONDS * 1_000, own });
  const verify = createTokenVerifier(config);
  let readyUntil = 0;
  let gap: Promise<Gap | null> | undefined;

  return {
    store,
    bus,
    restored,
    standing,
    verifyToken: async (token, cameAt) => standing.now(await verify(token, cameAt)),
    assertSignIn: createAssertSignIn(standing),

    /** Indexes and topics exist, what was revoked is known, and what is written is published, when it resolves. */
    async start() {
      const patience = { forMs: config.REEVE_START_SECONDS * 1_000, log };
      await Promise.all([
        insist(() => store.prepare(), patience),
        insist(() => bus.ensureTopics(topics), patience),
        needs && insist(needs, patience),
      ]);
      await insist(() => restored.start(), patience);
      // A topic that another service made a moment ago has no leader yet.
      await insist(() => standing.start(bus, log), patience);
      const { publish, findPublished } = bus;
      store.startPublishing({ publish, findPublished, isTransient: isKafkaUnavailable, once: publishOnce });
    },

    async ready() {
      if (Date.now() < readyUntil) return;
      await inTime(Promise.all([store.ping(), bus.ping()]));
      readyUntil = Date.now() + readyForMs;
    },

    diagnose: () => diagnose({ config, store, bus, needs }),
    findGap() {
      // It reads whole topics: those who ask at once get the same.
      gap ??= findGap({ bus, restored, source }).finally(() => {
        gap = undefined;
      });
      return gap;
    },

    /**
     * Consumers first, since they write; then what they and the requests wrote is published; then the connections
     * close.
     */
    async stop() {
      standing.stop();
      await bus.stopConsuming();
      await store.stopPublishing();
      await bus.stop();
      await store.close();
    },
  };
}

/** A file that is not what it should be is a wrong environment, as any other variable is. */
function connectionOf(config: BaseConfig) {
  try {
    return kafkaConnection(config);
  } catch (error) {
    throw error instanceof KafkaSettingsError ? new ConfigError([error.message]) : error;
  }
}
