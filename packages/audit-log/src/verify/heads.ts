// Heads of a chain that checkpoints signed: each is held against the record at its place. Pure.
import { type HexFrontier, hexRootOf } from '../merkle.ts';
import type { ChainHead } from '../statements.ts';
import { Failure } from './finding.ts';

export type SignedHead = ChainHead & { checkpoint: number };

/** The root as well, where the tree is known. */
export function assertSigned(head: SignedHead, hash: string, frontier: HexFrontier | null) {
  if (hash === head.head && (!frontier || hexRootOf(frontier) === head.root)) return;
  const { chain, size, checkpoint } = head;
  const detail = `checkpoint ${checkpoint} signed another record ${size}`;
  throw new Failure('differs_from_checkpoint', detail, { chain, sequence: size });
}

/** In the order of the places, once where checkpoints say the same. */
export function withHead(heads: readonly SignedHead[], head: SignedHead): readonly SignedHead[] {
  const at = heads.findLastIndex(({ size }) => size <= head.size);
  const before = heads[at];
  if (before?.size === head.size && before.head === head.head && before.root === head.root) return heads;
  return heads.toSpliced(at + 1, 0, head);
}
