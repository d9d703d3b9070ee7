import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { advance, emptyLane, forget, type Lane, lanes, mayHaveForgotten, type Policy } from './lane.ts';

const policy: Policy = { sequenced: true, ordered: true, holdSeconds: 30, onGap: 'release' };
const plenty = { messages: 1_000, bytes: 1_000_000 };
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000);
const offer = (sequence: number | null, row = `row-${sequence}`) => ({ row, sequence, bytes: 10 });
const fresh = () => emptyLane('whe_1', 'key');

/** Offers one after the other and gives what came out, with the lane as it is in the end. */
function offerAll(sequences: readonly (number | null)[], with_: Partial<Policy> = {}, lane = fresh()) {
  const released: string[] = [];
  let current: Lane = lane;
  for (const sequence of sequences) {
    const step = advance(current, [offer(sequence)], { policy: { ...policy, ...with_ }, now: at(0), room: plenty });
    released.push(...step.release);
    current = step.lane;
  }
  return { released, lane: current };
}

const rows = (...sequences: number[]) => sequences.map(sequence => `row-${sequence}`);

describe('a lane that demands order', () => {
  test('any order of arrival comes out in the order of the sequence', () => {
    const permutation = fc.integer({ min: 1, max: 40 }).chain(n =>
      fc.shuffledSubarray(
        Array.from({ length: n }, (_, index) => index + 1),
        { minLength: n, maxLength: n },
      ),
    );
    fc.assert(
      fc.property(permutation, sequences => {
        const { released, lane } = offerAll(sequences);
        expect(released).toEqual(rows(...sequences.toSorted((one, other) => one - other)));
        expect(lane.held).toEqual([]);
      }),
    );
  });

  test('whatever arrives, however long it takes, nothing is released twice, out of order, or lost unreported', () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 40 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(arrivals, fc.constantFrom('release' as const, 'refuse' as const), (events, onGap) => {
        let lane = fresh();
        let now = 0;
        const released: number[] = [];
        const accounted = new Set<string>();
        const taken = new Set<string>();
        for (const [index, [sequence, wait]] of [...events, [0, 1_000] as const].entries()) {
          now += wait;
          const offers = index === events.length ? [] : [offer(sequence, `${index}:${sequence}`)];
          const step = advance(lane, offers, { policy: { ...policy, onGap }, now: at(now), room: plenty });
          lane = step.lane;
          for (const [row, outcome] of step.outcomes) if (outcome !== 'refused') taken.add(row);
          for (const row of [...step.release, ...step.dead]) {
            expect(accounted.has(row)).toBe(false);
            accounted.add(row);
          }
          released.push(...step.release.map(row => Number(row.split(':')[1])));
        }
        expect(released).toEqual([...new Set(released)].toSorted((one, other) => one - other));
        expect([...taken].toSorted()).toEqual([...accounted].toSorted());
      }),
    );
  });

  test('what comes too early is held; when its time is over the gap is reported and it is let go', () => {
    const { released, lane } = offerAll([1, 4, 3]);
    expect(released).toEqual(rows(1));
    expect(lane.dueAt).toBe(at(30).toISOString());
    const early = advance(lane, [], { policy, now: at(29), room: plenty });
    expect([early.release, early.gaps]).toEqual([[], []]);
    const late = advance(lane, [], { policy, now: at(30), room: plenty });
    expect([late.release, late.gaps]).toEqual([rows(3, 4), [{ from: 2, to: 2 }]]);
    expect(advance(late.lane, [offer(2)], { policy, now: at(31), room: plenty }).outcomes.get('row-2')).toBe('refused');
  });

  test('or goes to the dead letters, where that is asked, and the missing one may still come', () => {
    const refusing = { ...policy, onGap: 'refuse' } as const;
    const { lane } = offerAll([1, 3], refusing);
    const late = advance(lane, [], { policy: refusing, now: at(30), room: plenty });
    expect([late.release, late.dead, late.gaps]).toEqual([[], rows(3), [{ from: 2, to: 2 }]]);
    expect(advance(late.lane, [offer(2)], { policy: refusing, now: at(31), room: plenty }).release).toEqual(rows(2));
  });

  test('a sequence that begins elsewhere waits for an earlier one before its beginning is believed', () => {
    const { released, lane } = offerAll([500, 501]);
    expect(released).toEqual([]);
    const step = advance(lane, [], { policy, now: at(30), room: plenty });
    expect([step.release, step.gaps]).toEqual([rows(500, 501), []]);
  });

  test('the same place under another row is refused, and the same row again changes nothing', () => {
    const { lane } = offerAll([1, 3]);
    const again = advance(lane, [offer(3), offer(3, 'other'), offer(1, 'another')], {
      policy,
      now: at(1),
      room: plenty,
    });
    expect([...again.outcomes]).toEqual([
      ['row-3', 'known'],
      ['other', 'refused'],
      ['another', 'refused'],
    ]);
    expect(again.lane.held).toEqual(lane.held);
  });

  test('what was released and is not yet marked is known, so that a recovery releases nothing twice', () => {
    const { lane } = offerAll([1]);
    expect(advance(lane, [offer(1)], { policy, now: at(1), room: plenty }).outcomes.get('row-1')).toBe('known');
  });

  test('without room it waits, and goes on when there is some', () => {
    const room = { messages: 2, bytes: 1_000 };
    const step = advance(
      fresh(),
      [1, 2, 3].map(sequence => offer(sequence)),
      { policy, now: at(0), room },
    );
    expect(step.release).toEqual(rows(1, 2));
    expect(step.lane.dueAt).not.toBeNull();
    expect(advance(step.lane, [], { policy, now: at(1), room }).release).toEqual(rows(3));
  });
});

describe('a lane that does not', () => {
  const unordered = { ordered: false };

  test('releases as it comes, and reports a gap only when it lasts', () => {
    const { released, lane } = offerAll([5, 8, 7], unordered);
    expect(released).toEqual(rows(5, 8, 7));
    const due = { policy: { ...policy, ...unordered }, now: at(30), room: plenty };
    const step = advance(lane, [], due);
    expect(step.gaps).toEqual([{ from: 6, to: 6 }]);
    expect(advance(step.lane, [], due).gaps).toEqual([]);
  });

  test('in any order, once all are there nothing is missing', () => {
    const permutation = fc.shuffledSubarray(
      Array.from({ length: 30 }, (_, index) => index),
      { minLength: 30, maxLength: 30 },
    );
    fc.assert(
      fc.property(permutation, sequences => {
        const { released, lane } = offerAll(sequences, unordered);
        expect(released).toEqual(rows(...sequences));
        const lowest = sequences[0] ?? 0;
        expect(lane.missing.filter(({ to }) => to > lowest)).toEqual([]);
      }),
    );
  });

  test('without a sequence keeps the order of arrival', () => {
    const lane = advance(fresh(), [offer(null, 'b'), offer(null, 'a')], {
      policy: { ...policy, sequenced: false, ordered: false },
      now: at(0),
      room: plenty,
    });
    expect(lane.release).toEqual(['b', 'a']);
  });
});

describe('what has left a lane', () => {
  const left = (count: number) => offerAll(Array.from({ length: count }, (_, index) => index + 1)).lane;

  test('is not taken in again, be it released or a dead letter', () => {
    const refusing = { ...policy, onGap: 'refuse' } as const;
    const { lane } = offerAll([1, 3], refusing);
    const late = advance(lane, [], { policy: refusing, now: at(30), room: plenty });
    expect(late.dead).toEqual(rows(3));
    const again = advance(late.lane, [offer(1), offer(3)], { policy: refusing, now: at(31), room: plenty });
    expect([...again.outcomes.values()]).toEqual(['known', 'known']);
    expect(again.changed).toBe(false);
  });

  test('is forgotten only when its row says so, and the last of it never', () => {
    const lane = left(100);
    const forgotten = forget(lane, row => row !== 'row-7');
    expect(forgotten.recent).toEqual(['row-7', ...lane.recent.slice(-64)]);
    expect(forget(lane, () => false)).toBe(lane);
    expect(forget(left(64), () => true).recent).toHaveLength(64);
  });

  test('and was forgotten can be told from what never came, by its id', () => {
    const ids = Array.from({ length: 100 }, (_, index) => `dlv_${String(index).padStart(3, '0')}`);
    const lane = forget({ ...fresh(), recent: ids }, () => true);
    expect(mayHaveForgotten(lane, 'dlv_000')).toBe(true);
    expect(mayHaveForgotten(lane, 'dlv_035')).toBe(true);
    expect(mayHaveForgotten(lane, 'dlv_036')).toBe(false);
    expect(mayHaveForgotten(fresh(), 'dlv_000')).toBe(false);
  });

  test('whatever comes and is forgotten in between, no row is released a second time', () => {
    const rounds = fc.array(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 40 }), { maxLength: 12 });
    fc.assert(
      fc.property(rounds, offered => {
        const unordered = { ...policy, sequenced: false, ordered: false };
        let lane = fresh();
        const released = new Set<string>();
        for (const round of offered) {
          lane = forget(lane, row => released.has(row));
          const ids = [...new Set(round)].map(index => `dlv_${String(index).padStart(3, '0')}`);
          // Whoever may have been forgotten is asked for its row, and that says whether it was released.
          const open = ids.filter(id => !mayHaveForgotten(lane, id) || !released.has(id));
          const step = advance(
            lane,
            open.map(row => ({ row, sequence: null, bytes: 1 })),
            { policy: unordered, now: at(0), room: plenty },
          );
          for (const row of step.release) {
            expect(released.has(row)).toBe(false);
            released.add(row);
          }
          lane = step.lane;
        }
      }),
    );
  });
});

test('a lane of the first version goes on where it was', () => {
  const { reportedTo, missing: _, dead: __, forgotten: ___, ...rest } = offerAll([1, 4]).lane;
  const stored = { ...rest, toldTo: reportedTo, missing: [{ from: 2, to: 3, tellAt: null }] };
  const lane = lanes.upgrade?.(stored, 1) as Lane;
  expect(lane).toMatchObject({ last: 1, reportedTo: -1, missing: [{ from: 2, to: 3, reportAt: null }], dead: [] });
  expect(offerAll([2, 3], {}, lane).released).toEqual(rows(2, 3, 4));
});
