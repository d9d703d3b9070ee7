// A lane: the deliveries of one endpoint that share an ordering key, and how far their sequence has come. What a lane
// releases is published in that order, because the events of one document are. Pure: no I/O, no clock.
import type { Id } from '@reeve/contracts';
import { collection } from '@reeve/store';
import type { Endpoint } from '../endpoints/endpoint.ts';

type Gap = { from: number; to: number };

type Held = { row: string; sequence: number; bytes: number; until: string };

export type Lane = {
  endpointId: Id<'endpoint'>;
  orderingKey: string;
  /** Highest sequence released. Null before the first. */
  last: number | null;
  /** Too early, in the order of their sequence. */
  held: Held[];
  /** Sequences that were passed over where order is not demanded. `reportAt` is null once the gap was reported. */
  missing: (Gap & { reportAt: string | null })[];
  /** Highest sequence up to which gaps were reported, where order is demanded. */
  reportedTo: number;
  /** Rows that were released lately. They may not say so themselves yet, and nobody may release them again. */
  recent: string[];
  /** Rows that became dead letters lately: the same. */
  dead: string[];
  /**
   * Highest id among the rows that were in `recent` or `dead` and are no longer. One with a higher id was never
   * forgotten.
   */
  forgotten: string;
  /** When somebody should look at it. */
  dueAt: string | null;
};

export type Policy = { sequenced: boolean; ordered: boolean; holdSeconds: number; onGap: 'release' | 'refuse' };

export type Offer = { row: string; sequence: number | null; bytes: number };

/** `known` was released or is held already; `busy` finds no room; `refused` comes after what it should come before. */
export type Outcome = 'released' | 'held' | 'known' | 'busy' | 'refused';

export type Step = {
  lane: Lane;
  /** False where the lane is as it was before. */
  changed: boolean;
  outcomes: Map<string, Outcome>;
  /** Rows in the order in which they are to be published. */
  release: string[];
  /** Held until their time was over. */
  dead: string[];
  gaps: Gap[];
};

type Version1 = Omit<Lane, 'missing' | 'reportedTo' | 'dead' | 'forgotten'> & {
  missing: (Gap & { tellAt: string | null })[];
  toldTo: number;
};

const mostHeld = 1_000;
const mostMissing = 200;
/** When there was no room to release what could be released. */
const againMs = 500;
/** So that nearly every row is known without reading it. */
const recentAtLeast = 64;

export const lanes = collection<Lane>({
  name: 'webhook_lanes',
  version: 2,
  upgrade(state) {
    const { missing, toldTo, ...lane } = state as Version1;
    const reported = missing.map(({ tellAt, ...gap }) => ({ ...gap, reportAt: tellAt }));
    const forgotten = lane.recent.toSorted().at(-1) ?? '';
    return { ...lane, missing: reported, reportedTo: toldTo, dead: [], forgotten };
  },
  queries: { byEndpoint: { equality: ['endpointId'] } },
  dueAt: ({ dueAt }) => (dueAt === null ? null : new Date(dueAt)),
});

export const policyOf = ({ sequenceFrom, ordered, holdSeconds, onGap }: Endpoint): Policy => ({
  sequenced: sequenceFrom !== null,
  ordered,
  holdSeconds,
  onGap,
});

export const laneId = ({ endpointId, orderingKey }: { endpointId: string; orderingKey: string }) =>
  `${endpointId}:${orderingKey}`;

export const emptyLane = (endpointId: Id<'endpoint'>, orderingKey: string): Lane => ({
  endpointId,
  orderingKey,
  last: null,
  held: [],
  missing: [],
  reportedTo: -1,
  recent: [],
  dead: [],
  forgotten: '',
  dueAt: null,
});

/** What the lane need not know any more as soon as the rows themselves say what became of them. */
export const replaceable = ({ recent, dead }: Lane): string[] => [...recent.slice(0, -recentAtLeast), ...dead];

/** Without those of the replaceable rows that say so. */
export function forget(lane: Lane, saysSo: (row: string) => boolean): Lane {
  const gone = new Set(replaceable(lane).filter(saysSo));
  if (gone.size === 0) return lane;
  const kept = (rows: readonly string[]) => rows.filter(row => !gone.has(row));
  const forgotten = [...gone].reduce((highest, row) => (row > highest ? row : highest), lane.forgotten);
  return { ...lane, recent: kept(lane.recent), dead: kept(lane.dead), forgotten };
}

/** Whether the row may have left the lane, and been forgotten. Then only the row itself can say. */
export const mayHaveForgotten = ({ forgotten }: Lane, row: string): boolean => row <= forgotten;

type Now = {
  policy: Policy;
  now: Date;
  /** How much more may wait to be published. */
  room: { messages: number; bytes: number };
};

/** Takes offers in, releases what can be released, and acts on what has waited long enough. */
export function advance(before: Lane, offers: readonly Offer[], { policy, now, room }: Now): Step {
  const lane: Lane = { ...before, held: [...before.held], missing: [...before.missing] };
  const step: Step = { lane, changed: true, outcomes: new Map(), release: [], dead: [], gaps: [] };
  const left = { ...room };
  const hold = new Date(now.getTime() + policy.holdSeconds * 1_000).toISOString();
  const at = now.toISOString();
  const known = new Set([...before.recent, ...before.dead, ...before.held.map(({ row }) => row)]);

  const fits = ({ bytes }: { bytes: number }) => left.messages > 0 && left.bytes >= bytes;
  const release = ({ row, bytes }: { row: string; bytes: number }) => {
    left.messages -= 1;
    left.bytes -= bytes;
    step.release.push(row);
    step.outcomes.set(row, 'released');
  };

  function takeAsItComes(offer: Offer) {
    if (!fits(offer)) return void step.outcomes.set(offer.row, 'busy');
    release(offer);
    const { sequence } = offer;
    if (!policy.sequenced || sequence === null) return;
    if (lane.last !== null && sequence <= lane.last)
      lane.missing = lane.missing.flatMap(range => without(range, sequence));
    else {
      if (lane.last !== null && sequence > lane.last + 1)
        lane.missing = [...lane.missing, { from: lane.last + 1, to: sequence - 1, reportAt: hold }].slice(-mostMissing);
      lane.last = sequence;
    }
  }

  function takeInOrder({ row, sequence, bytes }: Offer) {
    const outcome = ((): Outcome => {
      if (sequence === null || (lane.last !== null && sequence <= lane.last)) return 'refused';
      if (lane.held.some(held => held.sequence === sequence)) return 'refused';
      if (lane.held.length >= mostHeld) return 'busy';
      lane.held.push({ row, sequence, bytes, until: hold });
      return 'held';
    })();
    step.outcomes.set(row, outcome);
  }

  function releaseInOrder() {
    const [first] = lane.held;
    // A sequence begins at 0 or 1. Any other beginning is taken for one when its time of waiting is over.
    if (lane.last === null && first && first.sequence <= 1) lane.last = first.sequence - 1;
    for (
      let next = lane.held[0];
      next && next.sequence === (lane.last ?? Number.NaN) + 1 && fits(next);
      next = lane.held[0]
    ) {
      lane.held.shift();
      lane.last = next.sequence;
      release(next);
    }
  }

  function actOnWaiting() {
    const overdue = lane.held.findLastIndex(({ until }) => until <= at);
    if (overdue < 0) return;
    for (let index = 0; index <= overdue; index += 1) {
      const [next] = lane.held;
      if (!next) return;
      const begins = lane.last === null;
      const gap = { from: Math.max((lane.last ?? 0) + 1, lane.reportedTo + 1), to: next.sequence - 1 };
      if (!begins && gap.from <= gap.to) {
        step.gaps.push(gap);
        lane.reportedTo = gap.to;
      }
      if (policy.onGap === 'refuse' && !begins && next.sequence !== (lane.last ?? 0) + 1) {
        if (next.until > at) return;
        lane.held.shift();
        step.dead.push(next.row);
        continue;
      }
      if (!fits(next)) return;
      lane.held.shift();
      lane.last = next.sequence;
      release(next);
    }
  }

  for (const offer of offers) {
    if (known.has(offer.row)) step.outcomes.set(offer.row, 'known');
    else if (policy.ordered) takeInOrder(offer);
    else takeAsItComes(offer);
    known.add(offer.row);
  }
  lane.held.sort((one, other) => one.sequence - other.sequence);
  // Also where order is demanded no longer: what was held is let go in order.
  releaseInOrder();
  actOnWaiting();
  releaseInOrder();
  for (const range of lane.missing.filter(({ reportAt }) => reportAt !== null && reportAt <= at)) {
    step.gaps.push({ from: range.from, to: range.to });
    lane.missing = lane.missing.map(one => (one === range ? { ...one, reportAt: null } : one));
  }
  lane.recent = [...before.recent, ...step.release];
  lane.dead = [...before.dead, ...step.dead];
  lane.dueAt = dueOf(lane, now);
  step.changed = step.release.length > 0 || JSON.stringify(lane) !== JSON.stringify(before);
  return step;
}

function without(range: Lane['missing'][number], sequence: number): Lane['missing'] {
  if (sequence < range.from || sequence > range.to) return [range];
  return [
    { ...range, to: sequence - 1 },
    { ...range, from: sequence + 1 },
  ].filter(({ from, to }) => from <= to);
}

function dueOf({ held, last, missing }: Lane, now: Date): string | null {
  const stuck =
    held[0] && (held[0].sequence === (last ?? Number.NaN) + 1 || held.some(({ until }) => until <= now.toISOString()));
  if (stuck) return new Date(now.getTime() + againMs).toISOString();
  const times = [...held.map(({ until }) => until), ...missing.flatMap(({ reportAt }) => reportAt ?? [])].toSorted();
  return times[0] ?? null;
}
