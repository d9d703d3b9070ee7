// One chain of a log, folded over what comes of it: each record, each tombstone and each head that a checkpoint signed
// makes the next state of it, or throws a Failure. Pure; knows nothing of the other chains, of whose log it is, or of
// signatures.
import { blockOf, blockSize, type Manifest, type Tombstone } from '../statements.ts';
import { Failure } from './finding.ts';
import { append } from './growing-list.ts';
import { assertSigned, type SignedHead, withHead } from './heads.ts';
import {
  advance,
  type Beginning,
  beginningOfLog,
  hashAt,
  type Position,
  type RemovedRun,
  startAt,
} from './position.ts';
import { noRemovals, type Removals, removalAt, withTombstone } from './removals.ts';

export type Chain = {
  name: string;
  /** What the manifest of an export says that it holds of it. */
  range: Manifest['chains'][number] | null;
  /** Heads whose places were not reached yet, in the order of the places. */
  heads: readonly SignedHead[];
  /** The last head of a place before the first that there is: its record is not there. */
  headBefore: SignedHead | null;
  /** What tombstones tell of places that were not reached yet. */
  removals: Removals;
  /** Null until its first record came. */
  position: Position | null;
};

type Begun = Chain & { position: Position };

/**
 * Of 256 places each: places that are not reached yet, since a record of them may still come.
 */
const mostBlocksAhead = 256;

export const newChain = (name: string): Chain => ({
  name,
  range: null,
  heads: [],
  headBefore: null,
  removals: noRemovals,
  position: null,
});

type Link = { sequence: number; previousHash: string; hash: string };

/** The chain with its next record. In a stream a record may come again: then it is what it was. */
export function addRecord(chain: Chain, record: Link, { mayComeAgain }: { mayComeAgain: boolean }): Chain {
  const { sequence, previousHash, hash } = record;
  const { name, range, removals } = chain;
  const place = { chain: name, sequence };
  if (range && (sequence < range.first || sequence > range.last))
    throw new Failure('not_in_manifest', 'the export should not hold this record', place);
  const begun = isBegun(chain) ? chain : begin(chain, range ?? beginningBefore(removals, record));
  const before = passRemoved(begun, sequence - 1);
  const { position } = before;
  const next = position.last + 1;
  if (sequence > next) throw new Failure('missing', `records ${next} to ${sequence - 1} are missing`, place);
  if (sequence < next) {
    if (mayComeAgain && hashAt(position, sequence) === hash) return chain;
    throw new Failure('out_of_order', `record ${sequence} comes after record ${position.last}`, place);
  }
  if (previousHash !== position.hash)
    throw new Failure('broken_link', 'the record does not follow its predecessor', place);
  if ((removalAt(removals, sequence)?.hash ?? hash) !== hash) throw differsFromTombstone(chain, sequence);
  return reach(before, hash, position.records + 1);
}

/**
 * The chain with what a tombstone tells of it. It comes before what it tells of, and may tell of more than the file
 * holds.
 */
export function addTombstone(chain: Chain, tombstone: Tombstone): Chain {
  const { position, range, removals } = chain;
  const reached = position?.last ?? (range?.first ?? 1) - 1;
  for (const { first, hashes } of tombstone.removed)
    for (const [at, hash] of hashes.entries()) {
      const place = first + at;
      const known = position && place <= reached ? hashAt(position, place) : removalAt(removals, place)?.hash;
      if ((known ?? hash) !== hash) throw differsFromTombstone(chain, place);
    }
  const last = range?.last ?? Number.POSITIVE_INFINITY;
  const more = { ...chain, removals: withTombstone(removals, tombstone, { reached, last }) };
  return more.removals.size > mostBlocksAhead ? passBlock(more) : more;
}

/**
 * The chain with a head to be held against it, now or when its place is reached. Null where the place is too far back
 * for that.
 */
export function addHead(chain: Chain, head: SignedHead): Chain | null {
  const { position, headBefore, heads } = chain;
  if (!position || head.size > position.last) return { ...chain, heads: withHead(heads, head) };
  if (head.size >= position.first - 1) {
    const hash = hashAt(position, head.size);
    if (hash === undefined) return null;
    assertSigned(head, hash, head.size === position.last ? position.frontier : null);
  }
  return head.size < position.first && head.size > (headBefore?.size ?? 0) ? { ...chain, headBefore: head } : chain;
}

/**
 * The chain when nothing comes any more: what is told of places behind its last record is followed, also where no
 * record of it is left.
 */
export function finish(chain: Chain): Chain {
  const begun = isBegun(chain) ? chain : beginWithRemoved(chain);
  return begun ? passRemoved(begun, Number.POSITIVE_INFINITY) : chain;
}

const isBegun = (chain: Chain): chain is Begun => chain.position !== null;

const differsFromTombstone = ({ name }: Chain, sequence: number) =>
  new Failure('differs_from_tombstone', `a tombstone tells of another record ${sequence}`, { chain: name, sequence });

function begin(chain: Chain, beginning: Beginning): Begun {
  const position = startAt(beginning);
  const { first, previousHash } = position;
  for (const head of chain.heads) if (head.size === first - 1) assertSigned(head, previousHash, null);
  return {
    ...chain,
    heads: chain.heads.filter(({ size }) => size >= first),
    headBefore: chain.heads.findLast(({ size }) => size < first) ?? null,
    position,
  };
}

/**
 * Without a manifest a chain begins with its first record, or where tombstones tell of all before that, with the log.
 */
function beginningBefore(removals: Removals, { sequence, previousHash }: Link): Beginning {
  let next = 1;
  while (next < sequence && removalAt(removals, next)) next += 1;
  return next === sequence ? beginningOfLog : { first: sequence, previousHash };
}

function beginWithRemoved(chain: Chain): Begun | null {
  const beginning = chain.range ?? beginningOfLog;
  return removalAt(chain.removals, beginning.first) ? begin(chain, beginning) : null;
}

/**
 * Where too much is told, the places of a whole block are passed before it is known whether a record of them comes
 * nevertheless.
 */
function passBlock(chain: Chain): Chain {
  const begun = isBegun(chain) ? chain : beginWithRemoved(chain);
  const passed = begun && passRemoved(begun, (blockOf(begun.position.last + 1) + 1) * blockSize);
  if (passed !== begun && passed) return passed;
  throw new Failure('unreadable', 'tombstones tell of very many places that do not come', { chain: chain.name });
}

/** Goes on over places whose records were removed, up to `last`. */
function passRemoved(chain: Begun, last: number): Begun {
  if (chain.removals.size === 0) return chain;
  let passed = chain;
  const runs: RemovedRun[] = [];
  for (let place = chain.position.last + 1; place <= last; place += 1) {
    const removal = removalAt(chain.removals, place);
    if (!removal) break;
    const { reason, reference, hash } = removal;
    passed = reach(passed, hash);
    const run = runs.at(-1);
    if (run?.reason === reason && run.reference === reference) run.last = place;
    else runs.push({ first: place, last: place, reason, reference });
  }
  if (runs.length === 0) return chain;
  const removed = runs.reduce((list, run) => append(list, run), chain.position.removed);
  return { ...passed, position: { ...passed.position, removed } };
}

/** The next place. */
function reach(chain: Begun, hash: string, records?: number): Begun {
  const { heads } = chain;
  const position = advance(chain.position, hash, records);
  const { last, frontier } = position;
  if (heads[0]?.size !== last) return { ...chain, position };
  for (const head of heads) if (head.size === last) assertSigned(head, hash, frontier);
  return { ...chain, position, heads: heads.filter(({ size }) => size > last) };
}
