// A service's own database. What lies in it is handed over as values when it is opened, so nothing can be declared too
// late to get its indexes, its removal by expiry and its place among the outboxes.
import './wake-writers.ts';
import { randomUUID } from 'node:crypto';
import { type Cause, newEventId, type TenantId } from '@reeve/contracts';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { createAcrossTenants } from './across-tenants.ts';
import type { Clock } from './clock.ts';
import { type CollectionDefinition, collection, indexesOf } from './definition.ts';
import type { StoredDocument } from './document.ts';
import { type Rows, rowsOf } from './driver.ts';
import { inspect } from './inspect.ts';
import { createJournal } from './journal.ts';
import type { JournalDefinition, Recover } from './journal-definition.ts';
import type { SegmentDocument } from './journal-segments.ts';
import {
  createPlatformRecords,
  indexesOfRecords,
  type PlatformDefinition,
  type PlatformRow,
} from './platform-records.ts';
import { measurePool } from './pool-metrics.ts';
import type { Publishing } from './publish.ts';
import { createRelay, type Outbox } from './relay.ts';
import type { Draft } from './stamp.ts';
import { createTenantCollection, type TenantCollection } from './tenant-collection.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- each definition is of a state of its own
type AnyState = any;

/** What a database holds. */
export type Contents = {
  collections?: readonly CollectionDefinition<AnyState>[];
  journals?: readonly JournalDefinition<AnyState>[];
  platformRecords?: readonly PlatformDefinition<AnyState>[];
};

export type StoreOptions = {
  uri: string;
  database: string;
  /** The `source` of events: a URI reference such as `/reeve/auth`. */
  source: string;
  contents: Contents;
  clock?: Clock;
  /** How long whoever wrote an event has for publishing it before a sweep takes over; also the lease of a sweep. */
  publishLeaseMs?: number;
  /** How much longer a sweep waits, for clocks that differ and for what was sent in the last moment. */
  takeOverAfterMs?: number;
  /** The lease of a segment of a journal, which its writer renews. */
  journalLeaseMs?: number;
  /** How many unpublished rows of a journal are kept in memory. */
  journalRowsInMemory?: number;
  /** How often journals are tended. */
  tendMs?: number;
  /** How often it is looked for what other processes left behind, at least. */
  sweepMs?: number;
  onError?: (error: unknown) => void;
  /** Sees every command before it is sent. Tests hang the tenant check on it. */
  onCommand?: (command: CommandStartedEvent) => void;
};

export type Collections<S> = {
  /** The collection as one tenant sees it. The only way in, but for the next. */
  in(tenantId: TenantId): TenantCollection<S>;
  /** For the relay, sweepers, platform administration, and look-ups before a tenant is known. */
  acrossTenants(reason: string): ReturnType<typeof createAcrossTenants<S>>;
};

export type Journal<S> = Collections<S> & Pick<ReturnType<typeof createJournal<S>>, 'append' | 'settle' | 'backlog'>;

export type Store = ReturnType<typeof openStore>;

const systemClock: Clock = { now: () => new Date(), newEventId };

/** What happened to no aggregate. */
const facts = collection<Record<string, never>>({ name: 'facts', removeWhenPublished: true });

/**
 * Connects lazily: the first operation finds out whether the server answers. Throws for a malformed URI and for a name
 * that is there twice.
 */
export function openStore(options: StoreOptions) {
  const {
    uri,
    database,
    source,
    contents,
    clock = systemClock,
    publishLeaseMs = 3_000,
    takeOverAfterMs = 2_000,
    journalLeaseMs = 8_000,
    journalRowsInMemory = 20_000,
    tendMs = 1_000,
    sweepMs = 10_000,
    onError = () => undefined,
  } = options;
  const client = new MongoClient(uri, {
    w: 'majority',
    journal: true,
    ignoreUndefined: true,
    promoteBuffers: true,
    serverSelectionTimeoutMS: 4_000,
    monitorCommands: options.onCommand !== undefined,
  });
  measurePool(client);
  if (options.onCommand) client.on('commandStarted', options.onCommand);
  const db = client.db(database);
  const rowsIn = <D extends { _id: string }>(name: string): Rows<D> => rowsOf<D>(db.collection(name));
  const collections = [facts, ...(contents.collections ?? [])];
  const { journals = [], platformRecords = [] } = contents;
  const all: readonly { name: string }[] = [...collections, ...journals, ...platformRecords];
  const twice = all.find(({ name }, at) => all.findIndex(other => other.name === name) !== at);
  if (twice) throw new TypeError(`two things of the store are named ${twice.name}`);

  const outboxes = new Map<string, Outbox>(
    collections.map(({ name, removeWhenPublished = false }) => [name, { rows: rowsIn(name), removeWhenPublished }]),
  );
  const declared = [
    ...collections.map(one => ({ rows: rowsIn(one.name), indexes: indexesOf(one) })),
    ...journals.flatMap(one => [
      { rows: rowsIn(one.name), indexes: [...indexesOf(one, false), { key: { 'journal.segment': 1 as const } }] },
      { rows: rowsIn(`${one.name}_segments`), indexes: [{ key: { leaseUntil: 1 as const } }] },
    ]),
    ...platformRecords.map(one => ({ rows: rowsIn(one.name), indexes: indexesOfRecords(one) })),
  ];
  const owner = randomUUID();
  const relay = createRelay({
    outboxes: [...outboxes.values()],
    clock,
    owner,
    leaseMs: publishLeaseMs,
    takeOverAfterMs,
    sweepMs,
    onError,
  });
  const running: { start(to: Publishing): void; stop(): Promise<void> }[] = [relay];

  function assertHandedOver(definition: { name: string }, among: readonly { name: string }[]) {
    if (!among.includes(definition)) throw new TypeError(`${definition.name} was not handed to the store`);
  }

  function views<S>(definition: CollectionDefinition<S>): Collections<S> {
    const outbox = outboxes.get(definition.name) ?? null;
    const parts = { rows: rowsIn<StoredDocument<S>>(definition.name), definition, clock, source, relay, outbox };
    return {
      in: tenantId => createTenantCollection<S>(parts, tenantId),
      acrossTenants: reason => createAcrossTenants<S>(parts, reason),
    };
  }

  const ownFacts = views(facts);

  return {
    /** Throws for a definition that the store was not opened with. */
    collection<S>(definition: CollectionDefinition<S>): Collections<S> {
      assertHandedOver(definition, collections);
      return views(definition);
    },

    /** A collection for rows that come in great numbers and publish as they are created. To be asked for once. */
    journal<S>(definition: JournalDefinition<S>, recover: Recover<S> = () => Promise.resolve()): Journal<S> {
      assertHandedOver(definition, journals);
      const { append, settle, backlog, start, stop } = createJournal<S>({
        rows: rowsIn(definition.name),
        segmentRows: rowsIn<SegmentDocument>(`${definition.name}_segments`),
        definition,
        recover,
        clock,
        source,
        leaseMs: journalLeaseMs,
        sweepMs: tendMs,
        rowsInMemory: journalRowsInMemory,
        onError,
      });
      running.push({ start, stop });
      return { ...views(definition), append, settle, backlog };
    },

    platformRecords<R>(definition: PlatformDefinition<R>) {
      assertHandedOver(definition, platformRecords);
      return createPlatformRecords<R>(definition, { rows: rowsIn<PlatformRow<R>>(definition.name), clock });
    },

    /** Records something that happened to no aggregate: a failed sign-in by a stranger, an access to a secret. */
    async recordFact(tenantId: TenantId, event: Draft | readonly Draft[], cause: Cause): Promise<void> {
      const events = [event].flat();
      await ownFacts.in(tenantId).create(clock.newEventId(), { state: {}, events }, cause);
    },

    clock,

    /** Creates the declared indexes. May be called again when the server could not be reached. */
    async prepare(): Promise<void> {
      // The driver connects by itself once only: a client whose first attempt failed stays closed until it is told to.
      await client.connect();
      await Promise.all(declared.map(({ rows, indexes }) => rows.createIndexes(indexes)));
    },

    inspect: () => inspect({ db, clock, declared, outboxes: outboxes.values() }),

    /** Publishes what is written from now on, and what lies there. */
    startPublishing(to: Publishing) {
      for (const one of running) one.start(to);
    },

    async stopPublishing(): Promise<void> {
      await Promise.all(running.map(one => one.stop()));
    },

    /** Takes over what other processes left in outboxes, at once. Returns how many documents that were. */
    sweep: relay.sweep,

    async ping(): Promise<void> {
      await db.command({ ping: 1 });
    },

    async close(): Promise<void> {
      await this.stopPublishing();
      await client.close();
    },
  };
}
