// A collection whose rows are created many at a time and publish without a second write to each row. Rows belong to a segment, a document
// of its own that is there as long as some of its rows may not be published; whoever holds its lease publishes them, in the order of
// their creation. A crash leaves the segment; when its lease is past, another instance makes the events again from the rows, asks
// Kafka which of them are there already, and publishes the rest: each event comes out once.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { metrics } from '@opentelemetry/api';
import type { Cause, Message, TenantId } from '@reeve/contracts';
import { type Collection, type Filter, MongoBulkWriteError } from 'mongodb';
import type { Clock } from './clock.ts';
import type { CollectionDefinition } from './definition.ts';
import { documentKey, type Entry, entryOf, newDocument, type StoredDocument } from './document.ts';
import { refusedIndexOf } from './errors.ts';
import { type FindPublished, type Publish, queryFor } from './publish.ts';
import { type Draft, stamp } from './stamp.ts';

/** What a row tells, with the cause that it had. */
type Telling = Draft & { cause: Cause };

export type JournalDefinition<S> = CollectionDefinition<S> & {
  /** What a row tells when it is created. Pure, and from fields that no later change touches: it may be asked again after a crash. */
  tells: (state: S, tenantId: TenantId) => readonly Telling[];
  /** Where those go. */
  topics: ReadonlySet<string>;
  /** Finishes a row that tells nothing by itself and was not settled when its writer was lost. Idempotent; it may be asked again. */
  recover?: (row: Entry<S>, tenantId: TenantId) => Promise<void>;
};

export type JournalRow<S> = { tenantId: TenantId; id: string; state: S };

type Stored<S> = StoredDocument<S>;
type Made<S> = { document: Stored<S>; drafts: readonly Telling[] };
type SegmentDocument = { _id: string; leaseUntil: Date; recovered?: boolean };
type Segment = {
  id: string;
  openedAt: number;
  leaseUntil: number;
  /** Takes rows; or, when it was taken over, is still being gone through. */
  open: boolean;
  takenOver: boolean;
  /** Has rows that were too many to keep in memory: a later sweep publishes them. */
  left: boolean;
  unpublished: number;
};
/** `messages` is null for rows that were too many to keep in memory: they are read again. */
type Pending = { segment: Segment; keys: string[]; messages: Message[] | null; bytes: number };

export type JournalParts<S> = {
  collection: Collection<Stored<S>>;
  segments: Collection<SegmentDocument>;
  definition: JournalDefinition<S>;
  clock: Clock;
  source: string;
  leaseMs: number;
  sweepMs: number;
  /** Beyond this many, while Kafka is away, rows are left to later sweeps. */
  rowsInMemory: number;
  onError: (error: unknown) => void;
};

const segmentMs = 2_000;
const maxBytesInMemory = 16_000_000;
/** What is published in one go. Its encoding holds up whatever else the process does, so that it is some milliseconds' worth. */
const rowsPerPublication = 100;
/** A write of a lost writer may still land after its segment was taken over: a second look, this much later, finds it. */
const lateWritesMs = 60_000;
/** One question to Kafka serves all of them. */
const segmentsAtOnce = 20;
const stopWithinMs = 5_000;
const retryMs = { first: 100, longest: 5_000 };

const meter = metrics.getMeter('@reeve/store');
const published = meter.createCounter('reeve.journal.published', { description: 'Events published from journals' });
const recoveries = meter.createCounter('reeve.journal.recovered', { description: 'Segments taken over after a crash' });
const backlog = meter.createUpDownCounter('reeve.journal.backlog', { description: 'Rows that wait to be published' });

export function createJournal<S>(parts: JournalParts<S>) {
  const { collection, segments, definition, clock, source, leaseMs, sweepMs, onError } = parts;
  let publish: Publish | undefined;
  let findPublished: FindPublished = async () => new Set();
  let current: Segment | undefined;
  let opening: Promise<Segment> | undefined;
  const held = new Set<Segment>();
  const unsettled = new Map<string, Segment>();
  let queue: Pending[] = [];
  let bytesInMemory = 0;
  let running: Promise<void> | undefined;
  let recovering: Promise<number> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const rowsInMemory = () => [...held].reduce((sum, { unpublished }) => sum + unpublished, 0);
  const leaseFromNow = () => clock.now().getTime() + leaseMs;

  async function openSegment(): Promise<Segment> {
    const leaseUntil = leaseFromNow();
    const openedAt = clock.now().getTime();
    const segment = {
      id: randomUUID(),
      openedAt,
      leaseUntil,
      open: true,
      takenOver: false,
      left: false,
      unpublished: 0,
    };
    await segments.insertOne({ _id: segment.id, leaseUntil: new Date(leaseUntil) });
    held.add(segment);
    current = segment;
    return segment;
  }

  /** One call at a time opens; the others wait for it. */
  function currentSegment(): Promise<Segment> | Segment {
    if (current?.open && current.leaseUntil - leaseMs / 2 > clock.now().getTime()) return current;
    opening ??= openSegment().finally(() => {
      opening = undefined;
    });
    return opening;
  }

  function count(segment: Segment, rows: number) {
    segment.unpublished += rows;
    if (held.has(segment)) backlog.add(rows);
  }

  /** Nothing more goes in, and whatever is left of it is for the next sweep, of whichever instance. */
  function abandon(segment: Segment) {
    segment.open = false;
    if (current === segment) current = undefined;
    if (!held.delete(segment)) return;
    for (const { bytes } of queue.filter(pending => pending.segment === segment)) bytesInMemory -= bytes;
    queue = queue.filter(pending => pending.segment !== segment);
    for (const [key, other] of unsettled) if (other === segment) unsettled.delete(key);
    backlog.add(-segment.unpublished);
  }

  async function finish(segment: Segment) {
    if (segment.open || segment.unpublished > 0) return;
    if (segment.left) return abandon(segment);
    if (!held.delete(segment)) return;
    await segments.deleteOne({ _id: segment.id });
  }

  function messagesOf({ tenantId, changedAt, journal }: Stored<S>, drafts: readonly Telling[]): Message[] {
    const ids = journal?.eventIds ?? [];
    return drafts.map((draft, index) =>
      stamp(draft, { id: ids[index] ?? '', time: changedAt, source, tenantId, cause: draft.cause }),
    );
  }

  function make(row: JournalRow<S>, segment: Segment): Made<S> {
    const drafts = definition.tells(row.state, row.tenantId);
    const journal = { segment: segment.id, eventIds: drafts.map(() => clock.newEventId()) };
    return { document: { ...newDocument(definition, row, clock.now()), journal }, drafts };
  }

  /** Positions of the rows that were refused, with the unique key that refused each. Throws for any other failure. */
  async function insert(documents: Stored<S>[]): Promise<Map<number, string>> {
    try {
      await collection.insertMany(documents as Parameters<typeof collection.insertMany>[0], { ordered: false });
      return new Map();
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
      const refused = [error.writeErrors].flat();
      // Without its write concern the rest is not safe either, whatever was refused.
      const unsafe = error.result.getWriteConcernError() !== undefined;
      if (unsafe || refused.length === 0 || refused.some(({ code }) => code !== 11_000)) throw error;
      return new Map(refused.map(one => [one.index, refusedIndexOf(one)]));
    }
  }

  function enqueue(segment: Segment, made: readonly Made<S>[]) {
    if (!held.has(segment)) return;
    if (segment.left || rowsInMemory() > parts.rowsInMemory) {
      segment.left = true;
      return count(segment, -made.length);
    }
    for (const { document, drafts } of made) if (drafts.length === 0) unsettled.set(document._id, segment);
    const telling = made.filter(({ drafts }) => drafts.length > 0);
    if (telling.length === 0) return;
    const keys = telling.map(({ document }) => document._id);
    const tooMuch = bytesInMemory > maxBytesInMemory;
    const messages = tooMuch ? null : telling.flatMap(({ document, drafts }) => messagesOf(document, drafts));
    const bytes = messages?.reduce((sum, { event }) => sum + sizeOf(event.data), 0) ?? 0;
    bytesInMemory += bytes;
    queue.push({ segment, keys, messages, bytes });
    run();
  }

  async function read(keys: string[]): Promise<Message[]> {
    const found = (await collection.find({ _id: { $in: keys } } as Filter<Stored<S>>).toArray()) as Stored<S>[];
    const byKey = new Map(found.map(document => [document._id, document]));
    return keys.flatMap(key => {
      const document = byKey.get(key);
      return document ? messagesOf(document, definition.tells(document.state, document.tenantId)) : [];
    });
  }

  /** Goes on until Kafka has all of it. After a failure nobody knows what arrived, so Kafka is asked before the next attempt. False when stopped. */
  async function publishSurely(messages: Message[]): Promise<boolean> {
    let left = messages;
    let ask = false;
    for (let wait = retryMs.first; publish && !stopped; wait = Math.min(wait * 2, retryMs.longest)) {
      try {
        if (ask && left.length > 0) {
          const there = await findPublished(queryFor(left));
          left = left.filter(({ event }) => !there.has(event.id));
        }
        if (left.length > 0) await publish(left);
        published.add(left.length);
        return true;
      } catch (error) {
        ask = true;
        onError(error);
        await pause(wait);
      }
    }
    return false;
  }

  /** What waits, in order, up to what is published in one go; at least one append. */
  function nextBatch(): Pending[] {
    let rows = 0;
    const tooMuch = queue.findIndex(({ keys }) => {
      rows += keys.length;
      return rows > rowsPerPublication;
    });
    return queue.slice(0, tooMuch === -1 ? queue.length : Math.max(1, tooMuch));
  }

  async function drain() {
    while (queue.length > 0 && publish && !stopped) {
      const batch = nextBatch();
      const expired = batch.find(({ segment }) => segment.leaseUntil <= clock.now().getTime());
      if (expired) {
        abandon(expired.segment);
        continue;
      }
      try {
        const messages: Message[] = [];
        for (const pending of batch) messages.push(...(pending.messages ?? (await read(pending.keys))));
        if (!(await publishSurely(messages))) continue;
      } catch (error) {
        onError(error);
        await pause(retryMs.first);
        continue;
      }
      // Some of it may have been abandoned meanwhile, and is counted no more.
      const done = queue.filter(pending => batch.includes(pending));
      queue = queue.filter(pending => !batch.includes(pending));
      for (const { segment, keys, bytes } of done) {
        bytesInMemory -= bytes;
        count(segment, -keys.length);
      }
      for (const segment of new Set(done.map(pending => pending.segment))) await finish(segment).catch(onError);
    }
  }

  function run() {
    running ??= drain().finally(() => {
      running = undefined;
    });
  }

  async function renew() {
    const now = clock.now().getTime();
    for (const segment of held) {
      if (!segment.takenOver && now - segment.openedAt > segmentMs) segment.open = false;
      if (!segment.open && segment.unpublished === 0) await finish(segment);
      else if (segment.leaseUntil - now < (leaseMs * 2) / 3) {
        const leaseUntil = leaseFromNow();
        const filter = { _id: segment.id, leaseUntil: new Date(segment.leaseUntil) };
        const { matchedCount } = await segments.updateOne(filter, { $set: { leaseUntil: new Date(leaseUntil) } });
        if (matchedCount === 1) segment.leaseUntil = leaseUntil;
        else abandon(segment);
      }
    }
  }

  /** Takes over segments whose lease is past, oldest first. Returns how many those were. */
  async function recover(): Promise<number> {
    const due = await segments
      .find({ leaseUntil: { $lte: clock.now() } })
      .sort({ leaseUntil: 1 })
      .limit(segmentsAtOnce)
      .toArray();
    const taken: { segment: Segment; again: boolean }[] = [];
    for (const { _id, leaseUntil, recovered: again = false } of due) {
      const until = leaseFromNow();
      const lease = { $set: { leaseUntil: new Date(until) } };
      if ((await segments.updateOne({ _id, leaseUntil }, lease)).matchedCount === 0) continue;
      const segment = {
        id: _id,
        openedAt: 0,
        leaseUntil: until,
        open: true,
        takenOver: true,
        left: false,
        unpublished: 0,
      };
      held.add(segment);
      taken.push({ segment, again });
    }
    if (taken.length === 0) return 0;
    recoveries.add(taken.length);
    try {
      await publishAgain(taken.map(({ segment }) => segment));
    } catch (error) {
      for (const { segment } of taken) abandon(segment);
      throw error;
    }
    for (const { segment, again } of taken) {
      if (!held.delete(segment)) continue;
      const lookAgainAt = new Date(clock.now().getTime() + lateWritesMs);
      if (again) await segments.deleteOne({ _id: segment.id });
      else await segments.updateOne({ _id: segment.id }, { $set: { leaseUntil: lookAgainAt, recovered: true } });
    }
    return taken.length;
  }

  /** Makes the events of these segments again, asks once which of them are there, and publishes the others in order. */
  async function publishAgain(over: readonly Segment[]) {
    const filter = { 'journal.segment': { $in: over.map(({ id }) => id) } } as Filter<Stored<S>>;
    const projection = { journal: 1, tenantId: 1, changedAt: 1 };
    const rows = (await collection.find(filter, { projection }).toArray()) as Stored<S>[];
    const idsOf = ({ journal }: Stored<S>) => journal?.eventIds ?? [];
    for (const { _id, tenantId } of rows.filter(row => idsOf(row).length === 0)) {
      const row = (await collection.findOne({ _id, tenantId } as Filter<Stored<S>>)) as Stored<S> | null;
      if (row) await definition.recover?.(entryOf(row), tenantId);
    }
    const telling = rows
      .filter(row => idsOf(row).length > 0)
      .toSorted((one, other) => ((idsOf(one)[0] ?? '') < (idsOf(other)[0] ?? '') ? -1 : 1));
    const [oldest] = telling;
    if (!oldest) return;
    const since = telling.reduce((first, { changedAt }) => (changedAt < first ? changedAt : first), oldest.changedAt);
    const there = await findPublished({ ids: new Set(telling.flatMap(idsOf)), topics: definition.topics, since });
    const keys = telling.filter(row => idsOf(row).some(id => !there.has(id))).map(({ _id }) => _id);
    for (let at = 0; at < keys.length; at += rowsPerPublication) {
      if (stopped || !over.every(segment => held.has(segment))) throw new Error('the lease was lost on the way');
      const messages = await read(keys.slice(at, at + rowsPerPublication));
      const missing = messages.filter(({ event }) => !there.has(event.id));
      if (!(await publishSurely(missing))) throw new Error('stopped on the way');
    }
  }

  async function tend() {
    await renew();
    // Apart from the renewals, which must not wait for it.
    recovering ??= recover().finally(() => {
      recovering = undefined;
    });
    recovering.catch(onError);
  }

  function schedule(ms: number) {
    if (stopped) return;
    timer = setTimeout(
      () =>
        void tend()
          .then(undefined, onError)
          .finally(() => schedule(sweepMs)),
      ms,
    );
  }

  return {
    /**
     * Creates rows in one round trip, in any order of tenants. Returns for each whether it is `created`, or the name of the unique key
     * (`_id` for the id) that is taken. When it rejects it is not known which rows are there; those that are will be published.
     */
    async append(rows: readonly JournalRow<S>[]): Promise<('created' | { taken: string })[]> {
      let segment = await currentSegment();
      // It may have been closed while this was waited for.
      while (!segment.open) segment = await currentSegment();
      const made = rows.map(row => make(row, segment));
      // Counted before they are there: a segment that looked finished in between would be gone when they land.
      count(segment, made.length);
      try {
        const refused = await insert(made.map(({ document }) => document));
        count(segment, -refused.size);
        enqueue(
          segment,
          made.filter((_, index) => !refused.has(index)),
        );
        return rows.map((_, index) => {
          const taken = refused.get(index);
          return taken === undefined ? 'created' : { taken };
        });
      } catch (error) {
        abandon(segment);
        throw error;
      }
    },

    /** A row that tells nothing by itself is done with; `false` leaves it to `recover`, with all of its segment. */
    settle({ tenantId, id }: { tenantId: TenantId; id: string }, done: boolean) {
      const key = documentKey(tenantId, id);
      const segment = unsettled.get(key);
      if (!segment || !unsettled.delete(key)) return;
      if (!done) return abandon(segment);
      count(segment, -1);
    },

    /** Rows that are created and not yet published by this instance. */
    backlog: rowsInMemory,

    start(publishTo: Publish, find: FindPublished) {
      publish = publishTo;
      findPublished = find;
      schedule(0);
    },

    /** What waits is published while Kafka takes it; the rest is found by the next sweep, of whichever process. */
    async stop() {
      const giveUpAt = Date.now() + stopWithinMs;
      while (queue.length > 0 && publish && !stopped && Date.now() < giveUpAt) await pause(50);
      stopped = true;
      clearTimeout(timer);
      await Promise.race([Promise.all([running, recovering?.catch(() => undefined)]), pause(1_000)]);
      for (const segment of held) {
        if (!segment.takenOver) segment.open = false;
        await finish(segment).catch(onError);
      }
    },
  };
}

function sizeOf(data: unknown): number {
  return data instanceof Uint8Array ? data.byteLength + 1_000 : 1_000;
}
