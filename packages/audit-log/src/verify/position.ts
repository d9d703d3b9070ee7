// How far a chain was followed. Pure.
import { addHexLeaf, type HexFrontier } from '../merkle.ts';
import { genesisHash } from '../record.ts';
import { append, emptyList, fromEnd, type GrowingList } from './growing-list.ts';
import type { Why } from './removals.ts';

export type RemovedRun = Why & { first: number; last: number };

export type Position = {
  first: number;
  /** Of the record before the first. */
  previousHash: string;
  /** The last place, of a record or of a removed one. */
  last: number;
  hash: string;
  /** Of the Merkle tree, where the chain is known from its first record on. */
  frontier: HexFrontier | null;
  /** Hashes of the last places, oldest first: a redelivery and a checkpoint that comes late are held against them. */
  recent: GrowingList<string>;
  records: number;
  removed: GrowingList<RemovedRun>;
};

export type Beginning = Pick<Position, 'first' | 'previousHash'>;

export const beginningOfLog: Beginning = { first: 1, previousHash: genesisHash };

/** What a stream delivers again is at most what one fetch or batch held. */
const remembered = 10_000;

/** Before the first record. */
export function startAt({ first, previousHash: named }: Beginning): Position {
  const previousHash = first === 1 ? genesisHash : named;
  return {
    first,
    previousHash,
    last: first - 1,
    hash: previousHash,
    frontier: first === 1 ? [] : null,
    recent: emptyList,
    records: 0,
    removed: emptyList,
  };
}

/** One place further. */
export function advance(position: Position, hash: string, records = position.records): Position {
  const { last, frontier, recent } = position;
  return {
    ...position,
    last: last + 1,
    hash,
    frontier: frontier && addHexLeaf(frontier, last, hash),
    recent: append(recent, hash, remembered),
    records,
  };
}

/** Undefined for a place that is not there, or too far back. */
export function hashAt({ first, previousHash, last, recent }: Position, place: number): string | undefined {
  return place === first - 1 ? previousHash : fromEnd(recent, last - place + 1);
}
