// A service's own database: tenant-scoped collections, platform records, facts, and the relay over all their outboxes.
import { type Cause, newEventId, type TenantId } from '@reeve/contracts';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { createAcrossTenants } from './across-tenants.ts';
import type { Clock } from './clock.ts';
import { type CollectionDefinition, indexesOf } from './definition.ts';
import type { StoredDocument } from './document.ts';
import { createJournal, type JournalDefinition } from './journal.ts';
import { createPlatformRecords, type PlatformDefinition } from './platform-records.ts';
import type { FindPublished, Publish } from './publish.ts';
import { createRelay } from './relay.ts';
import type { Draft } from './stamp.ts';
import { createTenantCollection, type TenantCollection } from './tenant-collection.ts';

export type StoreOptions = {
  uri: string;
  database: string;
  /** The `source` of events: a URI reference such as `/reeve/auth`. */
  source: string;
  clock?: Clock;
  /** How long a writer has for publishing before a sweep takes over; also the lease of a sweep. */
  publishLeaseMs?: number;
  /** The same for a segment of a journal, which its writer renews. */
  journalLeaseMs?: number;
  /** How many unpublished rows of a journal are kept in memory. */
  journalRowsInMemory?: number;
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

export type Store = Awaited<ReturnType<typeof openStore>>;

const systemClock: Clock = { now: () => new Date(), newEventId };

/** Connects lazily: the first operation finds out whether the server answers. Throws for a malformed URI. */
export function openStore(options: StoreOptions) {
  const {
    uri,
    database,
    source,
    clock = systemClock,
    publishLeaseMs = 3_000,
    journalLeaseMs = 8_000,
    journalRowsInMemory = 20_000,
    sweepMs = 1_000,
  } = options;
  const client = new MongoClient(uri, {
    w: 'majority',
    journal: true,
    ignoreUndefined: true,
    promoteBuffers: true,
    serverSelectionTimeoutMS: 4_000,
    monitorCommands: options.onCommand !== undefined,
  });
  if (options.onCommand) client.on('commandStarted', options.onCommand);
  const db = client.db(database);
  const preparations: (() => Promise<unknown>)[] = [];
  const outboxes: {
    collection: ReturnType<typeof db.collection<StoredDocument<unknown>>>;
    removeWhenPublished: boolean;
  }[] = [];
  const relay = createRelay({
    outboxes: () => outboxes,
    clock,
    leaseMs: publishLeaseMs,
    sweepMs,
    onError: options.onError ?? (() => undefined),
  });

  const journals: Pick<ReturnType<typeof createJournal<unknown>>, 'start' | 'stop'>[] = [];

  function tenantCollections<S>(definition: CollectionDefinition<S>, hasOutbox = true): Collections<S> {
    const collection = db.collection<StoredDocument<S>>(definition.name);
    const outbox = {
      collection: db.collection<StoredDocument<unknown>>(definition.name),
      removeWhenPublished: definition.removeWhenPublished ?? false,
    };
    if (hasOutbox) outboxes.push(outbox);
    preparations.push(() => collection.createIndexes(indexesOf(definition, hasOutbox)));
    const parts = { collection, definition, clock, source, publishLeaseMs, hasOutbox };
    return {
      in: tenantId =>
        createTenantCollection<S>({ ...parts, offer: document => relay.offer(outbox, document) }, tenantId),
      acrossTenants: reason => createAcrossTenants<S>(parts, reason),
    };
  }

  function journal<S>(definition: JournalDefinition<S>): Journal<S> {
    const views = tenantCollections<S>(definition, false);
    const collection = db.collection<StoredDocument<S>>(definition.name);
    preparations.push(() => collection.createIndexes([{ key: { 'journal.segment': 1 } }]));
    const segments = db.collection<{ _id: string; leaseUntil: Date }>(`${definition.name}_segments`);
    const parts = {
      collection,
      segments,
      definition,
      clock,
      source,
      leaseMs: journalLeaseMs,
      sweepMs,
      rowsInMemory: journalRowsInMemory,
    };
    const created = createJournal<S>({ ...parts, onError: options.onError ?? (() => undefined) });
    journals.push(created);
    return { ...views, append: created.append, settle: created.settle, backlog: created.backlog };
  }

  const facts = tenantCollections<Record<string, never>>({ name: 'facts', removeWhenPublished: true });

  return {
    collections: tenantCollections,

    /** A collection for rows that come in great numbers and publish as they are created. */
    journal,

    platformRecords<R>(definition: PlatformDefinition<R>) {
      const collection = db.collection<{ _id: string; row: R; expiresAt?: Date; consumedAt?: Date }>(definition.name);
      const keys = (definition.keys ?? []).map(key => ({ key: { [`row.${key}`]: 1 as const }, sparse: true }));
      preparations.push(() => collection.createIndexes([...keys, { key: { expiresAt: 1 }, expireAfterSeconds: 0 }]));
      return createPlatformRecords<R>(collection, clock);
    },

    /** Records something that happened to no aggregate: a failed sign-in by a stranger, an access to a secret. */
    async recordFact(tenantId: TenantId, event: Draft | readonly Draft[], cause: Cause): Promise<void> {
      await facts.in(tenantId).create(clock.newEventId(), { state: {}, events: [event].flat() }, cause);
    },

    clock,
    relay,

    /** `find` asks Kafka which messages it has: what lets a journal publish each once, whatever crashed in between. */
    startJournals(publish: Publish, find: FindPublished) {
      for (const journal of journals) journal.start(publish, find);
    },

    async stopPublishing(): Promise<void> {
      await Promise.all([relay.stop(), ...journals.map(journal => journal.stop())]);
    },

    /** Creates the declared indexes. Call once, when every collection is declared. */
    async prepare(): Promise<void> {
      await Promise.all(preparations.map(prepare => prepare()));
    },

    async ping(): Promise<void> {
      await db.command({ ping: 1 });
    },

    async close(): Promise<void> {
      await this.stopPublishing();
      await client.close();
    },
  };
}
