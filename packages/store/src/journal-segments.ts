// The segments that this process holds, and their documents. What they are and what is to be done about them is decided
// in segment.ts.
import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Rows } from './driver.ts';
import {
  closed,
  closedWhenOld,
  counted,
  dutyOf,
  openSegment,
  overflowed,
  type Segment,
  takenOver,
  takesRows,
} from './segment.ts';

export type SegmentDocument = { _id: string; leaseUntil: Date; recovered?: boolean };

type Parts = {
  rows: Rows<SegmentDocument>;
  clock: Clock;
  leaseMs: number;
  /** Told by how many the rows that wait became more, or fewer. */
  onCounted: (change: number) => void;
  onAbandoned: (segmentId: string) => void;
};

export type Segments = ReturnType<typeof createSegments>;

export function createSegments({ rows, clock, leaseMs, onCounted, onAbandoned }: Parts) {
  const held = new Map<string, Segment>();
  let currentId: string | undefined;
  let opening: Promise<string> | undefined;

  const now = () => ({ now: clock.now().getTime(), leaseMs });

  function update(id: string, change: (segment: Segment) => Segment) {
    const segment = held.get(id);
    if (segment) held.set(id, change(segment));
  }

  function count(id: string, change: number) {
    if (!held.has(id)) return;
    update(id, segment => counted(segment, change));
    onCounted(change);
  }

  async function open(): Promise<string> {
    const segment = openSegment(randomUUID(), now());
    await rows.insertOne({ _id: segment.id, leaseUntil: new Date(segment.leaseUntil) });
    held.set(segment.id, segment);
    currentId = segment.id;
    return segment.id;
  }

  function current(): string | undefined {
    const segment = currentId === undefined ? undefined : held.get(currentId);
    return segment && takesRows(segment, now()) ? segment.id : undefined;
  }

  /** Nothing more goes in, and whatever is left of it is for the next sweep, of whichever process. */
  function abandon(id: string) {
    const segment = held.get(id);
    if (!segment || !held.delete(id)) return;
    onCounted(-segment.waiting);
    onAbandoned(id);
  }

  async function fulfil(segment: Segment): Promise<void> {
    const duty = dutyOf(segment, now());
    if (duty === 'abandon') return abandon(segment.id);
    if (duty === 'finish') {
      held.delete(segment.id);
      return rows.deleteOne({ _id: segment.id });
    }
    if (duty === 'renew') {
      const leaseUntil = clock.now().getTime() + leaseMs;
      const filter = { _id: segment.id, leaseUntil: new Date(segment.leaseUntil) };
      const renewed = await rows.updateOne(filter, { $set: { leaseUntil: new Date(leaseUntil) } });
      if (renewed) update(segment.id, found => ({ ...found, leaseUntil }));
      else abandon(segment.id);
    }
  }

  async function finishIfDone(id: string): Promise<void> {
    const segment = held.get(id);
    if (segment?.status === 'closed' && segment.waiting === 0) await fulfil(segment);
  }

  return {
    holds: (id: string) => held.has(id),
    hasOverflowed: (id: string) => held.get(id)?.overflowed === true,
    /** Zero for one that is not held any more. */
    leaseUntil: (id: string) => held.get(id)?.leaseUntil ?? 0,
    waiting: () => [...held.values()].reduce((sum, { waiting }) => sum + waiting, 0),
    count,
    abandon,
    finishIfDone,

    /**
     * The segment that so many rows go into, which are counted before they are there: one that looked finished in
     * between would be gone when they land.
     */
    async forRows(howMany: number): Promise<string> {
      for (;;) {
        const id = current();
        if (id !== undefined) {
          count(id, howMany);
          return id;
        }
        // One call at a time opens; the others wait for it.
        opening ??= open().finally(() => {
          opening = undefined;
        });
        await opening;
      }
    },

    /** So many rows of it are too many to keep in memory. */
    overflow(id: string, rowsLeft: number) {
      update(id, overflowed);
      count(id, -rowsLeft);
    },

    /** Renews, closes, finishes and abandons what is to be. */
    async tend(): Promise<void> {
      for (const id of Array.from(held.keys())) {
        update(id, segment => closedWhenOld(segment, clock.now().getTime()));
        const segment = held.get(id);
        if (segment) await fulfil(segment);
      }
    },

    /** Takes over a segment whose lease is over. False when another process was faster. */
    async takeOver({ _id, leaseUntil }: SegmentDocument): Promise<boolean> {
      const segment = takenOver(_id, now());
      const taken = await rows.updateOne({ _id, leaseUntil }, { $set: { leaseUntil: new Date(segment.leaseUntil) } });
      if (taken) held.set(_id, segment);
      return taken;
    },

    /** Gone through to its end: remembered until `lookAgainAt`, or for good when that is null. */
    async concludeTakeOver(id: string, lookAgainAt: Date | null): Promise<void> {
      if (!held.delete(id)) return;
      if (lookAgainAt) await rows.updateOne({ _id: id }, { $set: { leaseUntil: lookAgainAt, recovered: true } });
      else await rows.deleteOne({ _id: id });
    },

    async finishAll(): Promise<void> {
      for (const id of Array.from(held.keys())) {
        update(id, closed);
        await finishIfDone(id);
      }
    },
  };
}
