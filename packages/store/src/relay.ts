// The relay publishes what lies in outboxes. A document's outbox has one publisher at a time: whoever wrote to it while
// it was empty owns it (`outboxOwner`) until `outboxAt`. Others that write meanwhile append, and the owner goes on
// until the outbox is empty. An owner that crashed, or that was held up longer than its lease, loses it to a sweep of
// whichever process. So the order of a document's events is kept, and with `once` each event comes out once, however
// many processes share the store.
import { metrics, type ObservableCallback } from '@opentelemetry/api';
import { eventTypes, type TenantId } from '@reeve/contracts';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';
import type { StoredDocument } from './document.ts';
import type { Conditions, Rows, Write } from './driver.ts';
import { createPublicationQueue, type Publication } from './publication-queue.ts';
import type { Publishing } from './publish.ts';
import { createRounds } from './rounds.ts';

type Stored = StoredDocument<unknown>;
export type Outbox = { rows: Rows<Stored>; removeWhenPublished: boolean };
type Offered = Publication & {
  outbox: Outbox;
  id: string;
  tenantId: TenantId;
  /** Of the document when it held these messages last. */
  version: number;
  ids: readonly string[];
};

/** What a writer notes in the document that it writes: that this process publishes it, and until when. */
export type Claim = { outboxOwner: string; outboxAt: Date };

export type RelayParts = {
  outboxes: readonly Outbox[];
  clock: Clock;
  /** Who this process is, in the documents that it owns. */
  owner: string;
  leaseMs: number;
  /** A lease counts as over this much later, for clocks that differ and for what its owner sent in the last moment. */
  takeOverAfterMs: number;
  /** How often it looks for what others left behind, at least. */
  sweepMs: number;
  onError: (error: unknown) => void;
};

export type Relay = ReturnType<typeof createRelay>;

const batchSize = 1_000;
/** A produce and the note of it serve all that came meanwhile. */
const gatherMs = 4;
const idsRemembered = 100_000;
const stopWithinMs = 5_000;

/** Several offers of one document as one: the last knows its version. */
function together(offers: readonly Offered[]): Offered {
  const last = offers.at(-1);
  if (!last) throw new TypeError('there is no offer');
  return offers.length === 1 ? last : { ...last, ids: offers.flatMap(({ ids }) => ids) };
}

const meter = metrics.getMeter('@reeve/store');
const published = meter.createCounter('reeve.outbox.published', { description: 'Events published from outboxes' });
const failures = meter.createCounter('reeve.outbox.failures', { description: 'Attempts to publish that failed' });
const takenOver = meter.createCounter('reeve.outbox.taken_over', { description: 'Outboxes whose owner was lost' });
const oldest = meter.createObservableGauge('reeve.outbox.age', {
  unit: 's',
  description: 'Age of the oldest event that this process has yet to publish from outboxes',
});
const delay = meter.createHistogram('reeve.outbox.delay', {
  unit: 's',
  description: 'From the event to its publication',
});

/** The catalogue is a closed list: what is not in it cannot make series. */
const knownType = (type: string): string => (Object.hasOwn(eventTypes, type) ? type : 'other');

export function createRelay(parts: RelayParts) {
  const { outboxes, clock, owner, leaseMs, takeOverAfterMs, sweepMs, onError } = parts;
  /**
   * Events in our queue, with the time that each tells of, and those that left it published: what of an outbox is in
   * neither was appended by others.
   */
  const queued = new Map<string, string>();
  const recentlyPublished = new LRUCache<string, true>({ max: idsRemembered });
  /** Documents that we own and whose messages are in our queue no more: a sweep has to take all of them, in order. */
  const lost = new LRUCache<string, true>({ max: idsRemembered });
  let stopped = false;

  const now = () => clock.now().getTime();
  const lease = (): Claim => ({ outboxOwner: owner, outboxAt: new Date(now() + leaseMs) });
  const keyOf = (outbox: Outbox, id: string) => `${outbox.rows.name} ${id}`;

  const observeOldest: ObservableCallback = result => {
    const [time] = queued.values();
    result.observe(time === undefined ? 0 : Math.max(0, now() - Date.parse(time)) / 1_000);
  };
  oldest.addCallback(observeOldest);

  const queue = createPublicationQueue<Offered>({
    now,
    attemptMs: leaseMs / 6,
    gatherMs,
    rowsAtOnce: batchSize,
    async onPublished(batch, messages) {
      await acknowledge(batch);
      for (const id of batch.flatMap(({ ids }) => ids)) {
        queued.delete(id);
        recentlyPublished.set(id, true);
      }
      for (const { event } of messages) {
        published.add(1, { type: knownType(event.type) });
        delay.record(Math.max(0, now() - Date.parse(event.time)) / 1_000);
      }
    },
    onLost({ key, ids }) {
      for (const id of ids) queued.delete(id);
      lost.set(key, true);
    },
    onError(error) {
      failures.add(1);
      onError(error);
    },
  });

  /** Queues of these messages of a document, which are in order, those that it has not seen. */
  function push(outbox: Outbox, document: Stored, doubtful = false) {
    const { _id: id, tenantId, version, outboxAt } = document;
    const messages = document.outbox.filter(
      ({ event: { id: one } }) => !queued.has(one) && !recentlyPublished.has(one),
    );
    if (messages.length === 0) return;
    const key = keyOf(outbox, id);
    const ids = messages.map(({ event }) => event.id);
    const until = outboxAt?.getTime() ?? 0;
    for (const { event } of messages) queued.set(event.id, event.time);
    lost.delete(key);
    queue.push({ outbox, key, id, tenantId, version, ids, messages, rows: 1, leaseUntil: () => until, doubtful });
  }

  /**
   * Empties the outboxes of what was published and gives them free; in one write for those that nobody changed
   * meanwhile.
   */
  async function acknowledge(batch: readonly Offered[]) {
    for (const outbox of new Set(batch.map(offered => offered.outbox))) {
      const byId = Map.groupBy(
        batch.filter(offered => offered.outbox === outbox),
        ({ id }) => id,
      );
      const done = [...byId.values()].map(together);
      if ((await outbox.rows.write(done.map(emptying))) === done.length) continue;
      const changed = await outbox.rows.find(
        { _id: { $in: [...byId.keys()] }, outboxOwner: owner },
        { projection: { _id: 1 } },
      );
      for (const { _id } of changed) await goOnWith(together(byId.get(_id) ?? []));
    }
  }

  /** Gives a document free that holds what was published and nothing else. */
  function emptying({ outbox, id, tenantId, version, ids }: Offered): Write {
    const filter = { _id: id, tenantId, version, outboxOwner: owner, outbox: { $size: ids.length } };
    if (outbox.removeWhenPublished) return { deleteOne: { filter } };
    return { updateOne: { filter, update: { $set: { outbox: [] }, $unset: { outboxAt: '', outboxOwner: '' } } } };
  }

  /** Takes out what was published of a document that was changed meanwhile, and goes on with what others appended. */
  async function goOnWith(offered: Offered) {
    const { outbox, id, tenantId, ids } = offered;
    const left = await outbox.rows.updateAndGet(
      { _id: id, tenantId, outboxOwner: owner },
      { $pull: { outbox: { 'event.id': { $in: ids } } }, $set: { outboxAt: lease().outboxAt } },
    );
    if (left && left.outbox.length > 0) push(outbox, left);
    else if (left)
      await outbox.rows.updateOne(
        { _id: id, tenantId, outboxOwner: owner, version: left.version },
        { $unset: { outboxAt: '', outboxOwner: '' } },
      );
  }

  /** Takes over what is due of one collection. Returns how many, and when the next of the others is. */
  async function sweepOne(outbox: Outbox): Promise<{ found: number; nextAt: number }> {
    const projection = { _id: 1, tenantId: 1, outboxAt: 1, outboxOwner: 1 } as const;
    const oldestFirst = { sort: { outboxAt: 1 }, projection } as const;
    const [oldest] = await outbox.rows.find({ outboxAt: { $exists: true } }, { ...oldestFirst, limit: 1 });
    if (!oldest) return { found: 0, nextAt: Infinity };
    const dueAt = (oldest.outboxAt?.getTime() ?? 0) + takeOverAfterMs;
    if (dueAt > now()) return { found: 0, nextAt: dueAt };
    const due = await outbox.rows.find(
      { outboxAt: { $lte: new Date(now() - takeOverAfterMs) } },
      { ...oldestFirst, limit: batchSize },
    );
    let found = 0;
    for (const { _id, tenantId, outboxAt, outboxOwner } of due) {
      const filter = { _id, tenantId, outboxAt, outboxOwner: outboxOwner ?? null };
      const taken = await outbox.rows.updateAndGet(filter, { $set: lease() });
      if (!taken) continue;
      found += 1;
      push(outbox, taken, true);
    }
    return { found, nextAt: now() };
  }

  async function sweep(): Promise<{ found: number; nextAt: number }> {
    const all = await Promise.all(outboxes.map(sweepOne));
    const found = all.reduce((sum, one) => sum + one.found, 0);
    takenOver.add(found);
    return { found, nextAt: Math.min(...all.map(({ nextAt }) => nextAt)) };
  }

  const sweeps = createRounds(async () => {
    try {
      const { nextAt } = await sweep();
      return Math.min(sweepMs, Math.max(50, nextAt - now()));
    } catch (error) {
      onError(error);
      return Math.min(sweepMs, 1_000);
    }
  });

  return {
    /**
     * Whether this process may publish what it is about to append to a document that it has read (null for a new one):
     * then the claim to write with it. Null where another process owns the outbox, or where what waits there was lost
     * from our queue: its events have to come first.
     */
    claim(outbox: Outbox, document: Stored | null): Claim | null {
      if (!document || document.outbox.length === 0) return lease();
      return document.outboxOwner === owner && !lost.has(keyOf(outbox, document._id)) ? lease() : null;
    },

    /** What has to hold besides the version, for a claim to be written over what was read. */
    condition(document: Stored, claim: Claim | null): Conditions {
      // Who appends raises the version, so what was empty is empty still, whoever owned it.
      if (document.outbox.length === 0) return {};
      return { outboxOwner: claim ? { $in: [owner, null] } : (document.outboxOwner ?? null) };
    },

    /**
     * Publishes what was appended with a claim to the document as it was read before, and what others have appended to
     * that.
     */
    offer(outbox: Outbox, written: Stored, previous: Stored | null) {
      const key = keyOf(outbox, written._id);
      // Lost since it was read: what was waiting then has to come first.
      const isBehindLost = previous !== null && previous.outbox.length > 0 && lost.has(key);
      if (stopped || isBehindLost) lost.set(key, true);
      else push(outbox, { ...written, outbox: [...(previous?.outbox ?? []), ...written.outbox] });
    },

    start(publishing: Publishing) {
      queue.start(publishing);
      sweeps.start();
    },

    /** Takes over every outbox whose lease is over, at once. Returns how many documents those were. */
    sweep: async (): Promise<number> => (await sweep()).found,

    /** Publishes what is queued and stops. What is left lies in the documents. */
    async stop() {
      await sweeps.stop();
      await queue.stop(stopWithinMs);
      stopped = true;
      oldest.removeCallback(observeOldest);
    },
  };
}
