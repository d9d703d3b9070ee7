// The relay publishes what lies in outboxes. It owns no state: a document's `outboxAt` is its lease. The writer publishes right
// after its write (`offer`); what it could not publish, the sweep of any instance takes over once the lease is past.
// Order per document is kept because whoever publishes it publishes its whole outbox, oldest first, and a copy that two
// instances publish at once is the same event id again, which consumers recognise.
import { metrics } from '@opentelemetry/api';
import type { Message, TenantId } from '@reeve/contracts';
import type { AnyBulkWriteOperation, Collection, Filter } from 'mongodb';
import type { Clock } from './clock.ts';
import type { StoredDocument } from './document.ts';
import { type FindPublished, type Publish, queryFor } from './publish.ts';

type Stored = StoredDocument<unknown>;
type Outbox = { collection: Collection<Stored>; removeWhenPublished: boolean };
type Offered = {
  outbox: Outbox;
  key: string;
  tenantId: TenantId;
  version: number;
  messages: Message[];
  /** Another writer may have published some of it. */
  doubtful: boolean;
};

/** `inherited` are the messages that lay in the document before this change. */
export type OfferedDocument = {
  key: string;
  tenantId: TenantId;
  version: number;
  outbox: Message[];
  inherited: readonly Message[];
};

export type RelayParts = {
  outboxes: () => readonly Outbox[];
  clock: Clock;
  leaseMs: number;
  sweepMs: number;
  onError: (error: unknown) => void;
};

const batchSize = 1_000;
const idleSweepFactor = 5;

const meter = metrics.getMeter('@reeve/store');
const published = meter.createCounter('reeve.outbox.published', { description: 'Events published from outboxes' });
const failures = meter.createCounter('reeve.outbox.failures', { description: 'Batches the relay could not publish' });
const delay = meter.createHistogram('reeve.outbox.delay', {
  unit: 's',
  description: 'From the event to its publication',
});

export function createRelay({ outboxes, clock, leaseMs, sweepMs, onError }: RelayParts) {
  let publish: Publish | undefined;
  let willPass: (error: unknown) => boolean = () => false;
  let findPublished: FindPublished | undefined;
  let queue: Offered[] = [];
  let inFlight: readonly Offered[] = [];
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  // Published but perhaps not yet removed from its document: spares the second of two quick changes a repetition.
  const recentlyPublished = new Set<string>();

  function remember(messages: readonly Message[]) {
    for (const { event } of messages) recentlyPublished.add(event.id);
    for (const id of recentlyPublished) {
      if (recentlyPublished.size <= 20_000) break;
      recentlyPublished.delete(id);
    }
  }

  /** Published by us, or about to be. */
  function isOurs(eventId: string): boolean {
    return (
      recentlyPublished.has(eventId) ||
      [...inFlight, ...queue].some(({ messages }) => messages.some(one => one.event.id === eventId))
    );
  }

  async function acknowledge(batch: readonly Offered[]) {
    for (const outbox of new Set(batch.map(offered => offered.outbox))) {
      const mine = batch.filter(offered => offered.outbox === outbox);
      const emptied = mine.map(({ key, tenantId, version }): AnyBulkWriteOperation<Stored> => {
        const filter = { _id: key, tenantId, version } as Filter<Stored>;
        return outbox.removeWhenPublished
          ? { deleteOne: { filter } }
          : { updateOne: { filter, update: { $set: { outbox: [] }, $unset: { outboxAt: '' } } } };
      });
      const result = await outbox.collection.bulkWrite(emptied, { ordered: false });
      if (result.matchedCount + result.deletedCount === mine.length) continue;
      // Some changed again meanwhile: take out what is published and leave the newer events to their writer.
      const pulled = mine.map(({ key, tenantId, messages }): AnyBulkWriteOperation<Stored> => {
        const ids = messages.map(message => message.event.id);
        const update = { $pull: { outbox: { 'event.id': { $in: ids } } } } as never;
        return { updateOne: { filter: { _id: key, tenantId } as Filter<Stored>, update } };
      });
      await outbox.collection.bulkWrite(pulled, { ordered: false });
    }
  }

  async function publishBatch(batch: readonly Offered[]) {
    if (!publish) return;
    let messages: Message[] = [];
    const seen = new Set<string>();
    for (const message of batch.flatMap(offered => offered.messages)) {
      if (seen.has(message.event.id) || recentlyPublished.has(message.event.id)) continue;
      seen.add(message.event.id);
      messages.push(message);
    }
    const doubtful = findPublished
      ? batch.filter(offered => offered.doubtful).flatMap(offered => offered.messages)
      : [];
    if (findPublished && doubtful.length > 0) {
      const there = await findPublished(queryFor(doubtful));
      messages = messages.filter(({ event }) => !there.has(event.id));
    }
    if (messages.length > 0) {
      await publish(messages);
      remember(messages);
      published.add(messages.length);
      const now = clock.now().getTime();
      for (const { event } of messages) delay.record(Math.max(0, now - Date.parse(event.time)) / 1000);
    }
    await acknowledge(batch);
  }

  /** One document that cannot be published must not hold up the others, which may be other tenants'. */
  async function publishEachAlone(batch: readonly Offered[]) {
    for (const offered of batch) {
      try {
        await publishBatch([offered]);
      } catch (error) {
        failures.add(1);
        onError(error);
        if (willPass(error)) return;
      }
    }
  }

  async function drainQueue() {
    while (queue.length > 0) {
      const batch = queue.slice(0, batchSize);
      queue = queue.slice(batchSize);
      inFlight = batch;
      try {
        await publishBatch(batch);
      } catch (error) {
        failures.add(1);
        onError(error);
        if (batch.length > 1 && !willPass(error)) await publishEachAlone(batch);
        // All of it is in the documents; the sweep comes for it when the leases are past.
        else queue = [];
      } finally {
        inFlight = [];
      }
    }
  }

  function run(): Promise<void> {
    running ??= drainQueue().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function sweep(): Promise<number> {
    let found = 0;
    for (const outbox of outboxes()) {
      const now = clock.now();
      const due = (await outbox.collection
        .find({ outboxAt: { $lte: now } } as Filter<Stored>)
        .sort({ outboxAt: 1 })
        .limit(batchSize)
        .toArray()) as Stored[];
      const leased: Offered[] = [];
      for (const { _id, tenantId, outboxAt } of due) {
        const lease = { $set: { outboxAt: new Date(now.getTime() + leaseMs) } };
        const filter = { _id, tenantId, outboxAt } as Filter<Stored>;
        const document = (await outbox.collection.findOneAndUpdate(filter, lease, {
          returnDocument: 'after',
        })) as Stored | null;
        if (!document) continue;
        const { version, outbox: messages } = document;
        leased.push({ outbox, key: _id, tenantId, version, messages, doubtful: true });
      }
      found += leased.length;
      queue.push(...leased);
    }
    if (found > 0) await run();
    return found;
  }

  function schedule(ms: number) {
    if (stopped) return;
    timer = setTimeout(() => {
      sweep().then(
        found => schedule(found > 0 ? 0 : sweepMs * idleSweepFactor),
        (error: unknown) => {
          onError(error);
          schedule(sweepMs);
        },
      );
    }, ms);
  }

  return {
    offer(outbox: Outbox, document: OfferedDocument) {
      if (!publish || stopped) return;
      const { key, tenantId, version, outbox: messages, inherited } = document;
      // What another writer left and we do not know the fate of: after the lease, the sweep asks Kafka before it publishes.
      if (findPublished && inherited.some(({ event }) => !isOurs(event.id))) return;
      queue.push({ outbox, key, tenantId, version, messages, doubtful: false });
      void run();
    },

    /** `isTransient` tells a broker that is away from a message that it will never take. */
    start(
      publishTo: Publish,
      isTransient: (error: unknown) => boolean = () => false,
      /** Where each event has to come out once even after a crash: asked before anything is published whose fate is not known. */
      find?: FindPublished,
    ) {
      findPublished = find;
      publish = publishTo;
      willPass = isTransient;
      schedule(0);
    },

    /** Takes over every outbox whose lease is past, at once. Returns how many documents that were. */
    sweep,

    /** Publishes what is queued and stops. What is left lies in the documents. */
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await run();
    },
  };
}
