// A collection whose rows are created many at a time and publish without a second write to each row. Rows belong to a
// segment (segment.ts); whoever holds its lease publishes them, in the order of their creation. A crash leaves the
// segment; when its lease is over, another process makes the events again from the rows, asks Kafka which of them are
// there already, and publishes the rest: each event comes out once.
import { setTimeout as pause } from 'node:timers/promises';
import { metrics } from '@opentelemetry/api';
import type { Message, TenantId } from '@reeve/contracts';
import { documentKey, newDocument, type StoredDocument, stateOf } from './document.ts';
import type { CausedDraft, JournalParts } from './journal-definition.ts';
import { recoverSegments } from './journal-recovery.ts';
import { createSegments } from './journal-segments.ts';
import { createPublicationQueue, type Publication } from './publication-queue.ts';
import type { Publishing } from './publish.ts';
import { createRounds } from './rounds.ts';
import { stamp } from './stamp.ts';

export type JournalRow<S> = { tenantId: TenantId; id: string; state: S };

type Stored<S> = StoredDocument<S>;
type Made<S> = { document: Stored<S>; drafts: readonly CausedDraft[] };
/** Its key is the segment: what of one is lost is lost with all behind it. */
type Pending = Publication & { keys: readonly string[]; bytes: number };

const maxBytesInMemory = 16_000_000;
/**
 * What is published in one go. Its encoding holds up whatever else the process does, so that it is some milliseconds'
 * worth.
 */
const rowsPerPublication = 100;
const stopWithinMs = 5_000;

const meter = metrics.getMeter('@reeve/store');
const published = meter.createCounter('reeve.journal.published', { description: 'Events published from journals' });
const backlog = meter.createUpDownCounter('reeve.journal.backlog', { description: 'Rows that wait to be published' });

export function createJournal<S>(parts: JournalParts<S>) {
  const { rows, definition, clock, source, leaseMs, sweepMs, onError } = parts;
  const unsettled = new Map<string, string>();
  let bytesInMemory = 0;
  let recovering: Promise<unknown> | undefined;
  let publishing: Publishing | undefined;
  let stopped = false;

  const segments = createSegments({
    rows: parts.segmentRows,
    clock,
    leaseMs,
    onCounted: change => backlog.add(change),
    onAbandoned(segmentId) {
      for (const pending of queue.forget(one => one.key === segmentId)) release(pending);
      for (const [key, other] of unsettled) if (other === segmentId) unsettled.delete(key);
    },
  });
  const queue = createPublicationQueue<Pending>({
    now: () => clock.now().getTime(),
    attemptMs: leaseMs / 16,
    // A journal is written many rows at a time: they have company already.
    gatherMs: 0,
    rowsAtOnce: rowsPerPublication,
    async onPublished(batch, messages) {
      published.add(messages.length);
      for (const pending of batch) {
        release(pending);
        segments.count(pending.key, -pending.rows);
      }
      for (const segmentId of new Set(batch.map(({ key }) => key)))
        await segments.finishIfDone(segmentId).catch(onError);
    },
    onLost(pending) {
      release(pending);
      segments.abandon(pending.key);
    },
    onError,
  });

  function release({ bytes }: Pending) {
    bytesInMemory -= bytes;
  }

  function messagesOf({ tenantId, changedAt, journal: own }: Stored<S>, drafts: readonly CausedDraft[]): Message[] {
    return drafts.map((draft, index) => {
      const id = own?.eventIds[index];
      if (id === undefined) throw new Error(`a row of ${definition.name} has more events than when it was created`);
      return stamp(draft, { id, time: changedAt, source, tenantId, cause: draft.cause });
    });
  }

  /** The events of stored rows, in the order of the keys. */
  async function read(keys: readonly string[]): Promise<Message[]> {
    const byKey = new Map((await rows.find({ _id: { $in: keys } })).map(document => [document._id, document]));
    return keys.flatMap(key => {
      const document = byKey.get(key);
      return document
        ? messagesOf(document, definition.eventsOf(stateOf(definition, document), document.tenantId))
        : [];
    });
  }

  function make(row: JournalRow<S>, segmentId: string): Made<S> {
    const drafts = definition.eventsOf(row.state, row.tenantId);
    const own = { segment: segmentId, eventIds: drafts.map(() => clock.newEventId()) };
    return { document: { ...newDocument(definition, row, clock.now()), journal: own }, drafts };
  }

  function enqueue(segmentId: string, made: readonly Made<S>[]) {
    if (!segments.holds(segmentId)) return;
    if (segments.hasOverflowed(segmentId) || segments.waiting() > parts.rowsInMemory) {
      segments.overflow(segmentId, made.length);
      return;
    }
    for (const { document, drafts } of made) if (drafts.length === 0) unsettled.set(document._id, segmentId);
    const telling = made.filter(({ drafts }) => drafts.length > 0);
    if (telling.length === 0) return;
    const keys = telling.map(({ document }) => document._id);
    const inMemory =
      bytesInMemory > maxBytesInMemory ? null : telling.flatMap(({ document, drafts }) => messagesOf(document, drafts));
    const bytes = inMemory?.reduce((sum, { event }) => sum + sizeOf(event.data), 0) ?? 0;
    bytesInMemory += bytes;
    queue.push({
      key: segmentId,
      keys,
      bytes,
      rows: keys.length,
      messages: inMemory ?? (() => read(keys)),
      leaseUntil: () => segments.leaseUntil(segmentId),
      doubtful: false,
    });
  }

  async function sweep(): Promise<void> {
    await segments.tend();
    if (recovering || !publishing) return;
    // Apart from the renewals, which must not wait for it.
    recovering = recoverSegments({ ...parts, segments, publishing, read, isStopped: () => stopped })
      .catch(onError)
      .finally(() => {
        recovering = undefined;
      });
  }

  const sweeps = createRounds(async () => {
    await sweep().catch(onError);
    return sweepMs;
  });

  return {
    /**
     * Creates rows in one round trip, in any order of tenants. Returns for each whether it is `created`, or the name of
     * the unique key (`_id` for the id) that is taken. When it rejects it is not known which rows are there; those that
     * are will be published.
     */
    async append(given: readonly JournalRow<S>[]): Promise<('created' | { taken: string })[]> {
      const segmentId = await segments.forRows(given.length);
      const made = given.map(row => make(row, segmentId));
      try {
        const refused = await rows.insertEach(made.map(({ document }) => document));
        segments.count(segmentId, -refused.size);
        enqueue(
          segmentId,
          made.filter((_, index) => !refused.has(index)),
        );
        return given.map((_, index) => {
          const taken = refused.get(index);
          return taken === undefined ? 'created' : { taken };
        });
      } catch (error) {
        segments.abandon(segmentId);
        throw error;
      }
    },

    /** A row that has no events by itself is done with; `false` leaves it to `recover`, with all of its segment. */
    settle({ tenantId, id }: { tenantId: TenantId; id: string }, done: boolean) {
      const key = documentKey(tenantId, id);
      const segmentId = unsettled.get(key);
      if (segmentId === undefined || !unsettled.delete(key)) return;
      if (done) segments.count(segmentId, -1);
      else segments.abandon(segmentId);
    },

    /** Rows that are created and not yet published by this process. */
    backlog: () => segments.waiting(),

    start(to: Publishing) {
      publishing = to;
      queue.start({ ...to, once: true });
      sweeps.start();
    },

    /** What waits is published while Kafka takes it; the rest is found by the next sweep, of whichever process. */
    async stop() {
      await sweeps.stop();
      stopped = true;
      // Of others' segments the leases end by themselves.
      const given = pause(stopWithinMs, undefined, { ref: false });
      await Promise.all([queue.stop(stopWithinMs), Promise.race([recovering, given])]);
      await segments.finishAll().catch(onError);
    },
  };
}

function sizeOf(data: unknown): number {
  return data instanceof Uint8Array ? data.byteLength + 1_000 : 1_000;
}
