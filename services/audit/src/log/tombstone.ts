// What is left of removed records: one signed tombstone for each time that records of a block were removed. A block is
// 256 places of a chain, so the tombstones of a place are found without knowing when it was removed, and none is
// longer than a line may be.
import { blockOf, blockSize, decodeStatement, hashesIn } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import { place } from './record.ts';

export type StoredTombstone = {
  chain: string;
  first: number;
  last: number;
  jws: string;
  /** When the records were chained, in the order of their places: a period is the same after a removal. */
  chained: { at: string; count: number }[];
};
export type Tombstones = Collections<StoredTombstone>;

export const tombstones = collection<StoredTombstone>({
  name: 'audit_tombstones',
  queries: { byChain: { equality: ['chain'], sort: 'first' } },
});

const firstOf = (block: number) => block * blockSize + 1;
const lastOf = (block: number) => firstOf(block + 1) - 1;

/** A place is in one tombstone, so the first place of each is that of no other. */
export const tombstoneId = ({ chain, first }: Pick<StoredTombstone, 'chain' | 'first'>): string => place(chain, first);

/**
 * The tombstones of places `from` to `to` of a chain, block by block, each with the last of these places in its block.
 */
export async function* tombstonesOf(
  collections: Tombstones,
  { tenantId, chain }: { tenantId: TenantId; chain: string },
  { from, to }: { from: number; to: number },
): AsyncGenerator<{ last: number; ofBlock: StoredTombstone[] }> {
  let block: { last: number; ofBlock: StoredTombstone[] } | undefined;
  const range = { from: firstOf(blockOf(from)), to };
  for await (const { state } of collections.in(tenantId).all('byChain', { chain }, { range })) {
    if (state.last < from) continue;
    const last = Math.min(lastOf(blockOf(state.first)), to);
    if (block?.last === last) {
      block.ofBlock.push(state);
      continue;
    }
    if (block) yield block;
    block = { last, ofBlock: [state] };
  }
  if (block) yield block;
}

/** When the record was chained that was at a place; null where none of the tombstones has it. */
export function chainedAt(ofBlock: readonly StoredTombstone[], sequence: number): string | null {
  for (const { jws, chained } of ofBlock) {
    let at = [...hashesOf(jws).keys()].indexOf(sequence);
    if (at < 0) continue;
    for (const { at: time, count } of chained) {
      if (at < count) return time;
      at -= count;
    }
  }
  return null;
}

/** The hashes in a tombstone, by place. */
export function hashesOf(jws: string): Map<number, string> {
  const { kind, content } = decodeStatement(jws);
  if (kind !== 'reeve-tombstone') throw new TypeError('not a tombstone');
  return hashesIn(content);
}
