// A segment of a journal: the rows that one process wrote within some seconds, and how many of them wait to be
// published. It is there, as a small document, as long as some may not be. Pure: no I/O, no clock.

export type Segment = {
  id: string;
  /** `open` takes rows, `closed` takes none any more, `taken_over` is a lost process's that this one goes through. */
  status: 'open' | 'closed' | 'taken_over';
  /** Milliseconds since the epoch, as `leaseUntil`. */
  openedAt: number;
  leaseUntil: number;
  /** Rows that are neither published nor settled. */
  waiting: number;
  /** Has rows that were too many to keep in memory: whoever takes it over later publishes them. */
  overflowed: boolean;
};

type Now = { now: number; leaseMs: number };

/** After this it takes no more rows, so that few segments are in doubt after a crash and each is soon done with. */
const openMs = 2_000;

const base = { openedAt: 0, waiting: 0, overflowed: false };

export const openSegment = (id: string, { now, leaseMs }: Now): Segment => ({
  ...base,
  id,
  status: 'open',
  openedAt: now,
  leaseUntil: now + leaseMs,
});

export const takenOver = (id: string, { now, leaseMs }: Now): Segment => ({
  ...base,
  id,
  status: 'taken_over',
  leaseUntil: now + leaseMs,
});

/** With half of its lease left, so that what is written into it is there before anybody takes it over. */
export const takesRows = ({ status, leaseUntil }: Segment, { now, leaseMs }: Now): boolean =>
  status === 'open' && leaseUntil - now > leaseMs / 2;

/** Rows more, or fewer, that wait. */
export const counted = (segment: Segment, rows: number): Segment => ({ ...segment, waiting: segment.waiting + rows });

export const overflowed = (segment: Segment): Segment => ({ ...segment, overflowed: true });

export const closed = (segment: Segment): Segment =>
  segment.status === 'open' ? { ...segment, status: 'closed' } : segment;

export const closedWhenOld = (segment: Segment, now: number): Segment =>
  now - segment.openedAt > openMs ? closed(segment) : segment;

/** What its holder has to do about it. A segment that is abandoned stays, for a sweep of whichever process. */
export function dutyOf({ status, waiting, overflowed, leaseUntil }: Segment, { now, leaseMs }: Now) {
  if (leaseUntil <= now) return 'abandon';
  if (status === 'closed' && waiting === 0) return overflowed ? 'abandon' : 'finish';
  return leaseUntil - now < (leaseMs * 2) / 3 ? 'renew' : 'keep';
}
