// The fold by itself: states and what comes of a chain, without lines, keys or statements that were signed.
import { describe, expect, test } from '@jest/globals';
import { blockSize } from '../statements.ts';
import { addHead, addRecord, addTombstone, type Chain, finish, newChain } from './chain.ts';
import { auth, event, follow, grow, statementsAbout } from './sample-log.ts';

const records = grow(8);
const { headOf, hashesOf, rangeOf, tombstoneOf } = statementsAbout(records);
const linkOf = ({ record, hash }: (typeof records)[number]) => ({ ...record, hash });
const links = records.map(linkOf);
const once = { mayComeAgain: false };
const headAt = (size: number) => ({ ...headOf(auth, size), checkpoint: 1 });

const add = (chain: Chain, places: readonly number[], how = once) =>
  places.reduce((state, place) => addRecord(state, links[place - 1] as (typeof links)[number], how), chain);
const problemOf = (step: () => unknown) => {
  try {
    step();
    return null;
  } catch (error) {
    return (error as { finding: { problem: string } }).finding.problem;
  }
};

describe('a chain', () => {
  test('is what it was when something else is made of it', () => {
    const three = add(newChain(auth), [1, 2, 3]);
    const before = structuredClone(three);
    const four = add(three, [4]);
    expect(problemOf(() => add(three, [5]))).toBe('missing');
    expect(three).toEqual(before);
    expect(add(three, [4])).toEqual(four);
  });

  test('of which a head is told early or late comes to the same', () => {
    for (const place of [1, 2, 5, 8]) {
      const early = add(addHead(newChain(auth), headAt(place)) as Chain, [1, 2, 3, 4, 5, 6, 7, 8]);
      const late = addHead(add(newChain(auth), [1, 2, 3, 4, 5, 6, 7, 8]), headAt(place));
      expect(late).toEqual(early);
      const forged = { ...headAt(place), head: 'ab'.repeat(32) };
      expect(problemOf(() => add(addHead(newChain(auth), forged) as Chain, [1, 2, 3, 4, 5, 6, 7, 8]))).toBe(
        'differs_from_checkpoint',
      );
      expect(problemOf(() => addHead(add(newChain(auth), [1, 2, 3, 4, 5, 6, 7, 8]), forged))).toBe(
        'differs_from_checkpoint',
      );
    }
  });

  test('whose root is not that of its records differs, though the head is the same', () => {
    const forged = { ...headAt(3), root: 'ab'.repeat(32) };
    expect(problemOf(() => add(addHead(newChain(auth), forged) as Chain, [1, 2, 3]))).toBe('differs_from_checkpoint');
    // From the middle on no tree can be made.
    expect(problemOf(() => add(addHead(newChain(auth), forged) as Chain, [2, 3]))).toBe(null);
  });

  test('takes a record again where it may come again, and no other in its place', () => {
    const all = add(newChain(auth), [1, 2, 3]);
    expect(add(all, [1, 3], { mayComeAgain: true })).toEqual(all);
    expect(problemOf(() => add(all, [1]))).toBe('out_of_order');
    const other = linkOf(follow(records.slice(0, 1), event(2, auth, { type: 'user.deleted' })));
    expect(problemOf(() => addRecord(all, other, { mayComeAgain: true }))).toBe('out_of_order');
  });

  test('holds what its manifest says and nothing before or after', () => {
    const chain = { ...newChain(auth), range: rangeOf(auth, 3, 5) };
    expect(problemOf(() => add(chain, [3, 4, 5]))).toBe(null);
    expect(problemOf(() => add(chain, [2]))).toBe('not_in_manifest');
    expect(problemOf(() => add(chain, [3, 4, 5, 6]))).toBe('not_in_manifest');
    expect(problemOf(() => add(chain, [4]))).toBe('missing');
  });
});

describe('a chain of which records were removed', () => {
  test('is followed over their places, in the middle and at both ends', () => {
    for (const removed of [[1], [4, 5], [8], [1, 2, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]]) {
      const left = [1, 2, 3, 4, 5, 6, 7, 8].filter(place => !removed.includes(place));
      const { position } = finish(add(addTombstone(newChain(auth), tombstoneOf(auth, removed)), left));
      expect(position).toMatchObject({ first: 1, last: 8, hash: hashesOf(auth)[7], records: left.length });
    }
  });

  test('is not followed over a place of which nothing was told before', () => {
    const told = addTombstone(newChain(auth), tombstoneOf(auth, [2]));
    expect(problemOf(() => add(told, [1, 3]))).toBe(null);
    expect(problemOf(() => add(told, [1, 4]))).toBe('missing');
    expect(problemOf(() => add(newChain(auth), [1, 3]))).toBe('missing');
  });

  const blockOfHashes = (block: number) =>
    Array.from({ length: blockSize }, (_, at) => (block * blockSize + at).toString(16).padStart(64, '0'));
  const blocks = Array.from({ length: 300 }, (_, block) =>
    tombstoneOf(auth, [], { removed: [{ first: block * blockSize + 1, hashes: blockOfHashes(block) }] }),
  );

  test('may be told of a long gap at once', () => {
    const told = blocks.reduce(addTombstone, newChain(auth));
    expect(told.removals.size).toBeLessThan(260);
    const next = {
      sequence: 300 * blockSize + 1,
      previousHash: blockOfHashes(299).at(-1) ?? '',
      hash: 'ab'.repeat(32),
    };
    expect(addRecord(told, next, once).position).toMatchObject({ first: 1, last: next.sequence, records: 1 });
  });

  test('is not told of ever more places that do not come', () => {
    const later = blocks.slice(1, 258);
    expect(problemOf(() => later.slice(0, 256).reduce(addTombstone, newChain(auth)))).toBe(null);
    expect(problemOf(() => later.reduce(addTombstone, newChain(auth)))).toBe('unreadable');
  });
});
