// The checkpoints that a log is held against: those in it, and those that somebody has from elsewhere. Pure.
import { type Checkpoint, contradictionOf } from '../statements.ts';
import type { Chain } from './chain.ts';
import { Failure } from './finding.ts';
import type { SignedHead } from './heads.ts';

export type SignedCheckpoint = { content: Checkpoint; keyId: string; jws: string };

export const headsOf = ({ content: { number, chains } }: SignedCheckpoint): SignedHead[] =>
  chains.map(head => ({ ...head, checkpoint: number }));

export function assertAgrees(checkpoint: SignedCheckpoint, others: readonly SignedCheckpoint[]) {
  for (const other of others) {
    const contradiction = contradictionOf(checkpoint, other);
    if (contradiction) throw new Failure('differs_from_checkpoint', contradiction.detail, contradiction);
  }
}

export const newer = (one: SignedCheckpoint | null, other: SignedCheckpoint | null): SignedCheckpoint | null =>
  !one || (other && other.content.number > one.content.number) ? other : one;

/** Whether a record, or the hash before the first, was held against what a checkpoint says of the chain. */
export const isReached = (chain: Chain | undefined, size: number): boolean =>
  !!chain?.position && size >= chain.position.first - 1 && size <= chain.position.last;
