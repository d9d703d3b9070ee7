// What is left of removed records: one signed tombstone for each time that records of a block were removed. A block is 256 places of a chain, so what
// tells of a place is found without knowing when it was removed, and no tombstone is longer than a line may be.
import { blockOf, blockSize, decodeStatement, hashesIn } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Collections, Store } from '@reeve/store';
import { place } from './chain-store.ts';

export type StoredTombstone = {
  chain: string;
  first: number;
  last: number;
  jws: string;
  /** When the records were chained, in the order of their places: a period is the same after a removal. */
  chained: { at: string; count: number }[];
};
export type Tombstones = Collections<StoredTombstone>;

const firstOf = (block: number) => block * blockSize + 1;
const lastOf = (block: number) => firstOf(block + 1) - 1;

/** The first place of a tombstone is that of no other: what one tells of, no later one tells again. */
export const tombstoneId = ({ chain, first }: Pick<StoredTombstone, 'chain' | 'first'>): string => place(chain, first);

export function defineTombstones(store: Store): Tombstones {
  return store.collections<StoredTombstone>({
    name: 'audit_tombstones',
    queries: { byChain: { equality: ['chain'], sort: 'first' } },
  });
}

/** Tombstones that tell of the places `from` to `to` of a chain, block by block, each with the last of these places in its block. */
export async function* tombstonesOf(
  tombstones: Tombstones,
  { tenantId, chain }: { tenantId: TenantId; chain: string },
  { from, to }: { from: number; to: number },
): AsyncGenerator<{ last: number; telling: StoredTombstone[] }> {
  let block: { last: number; telling: StoredTombstone[] } | undefined;
  const where = { first: { $gte: firstOf(blockOf(from)), $lte: to } };
  for await (const { state } of tombstones.in(tenantId).all('byChain', { chain }, where)) {
    if (state.last < from) continue;
    const last = Math.min(lastOf(blockOf(state.first)), to);
    if (block?.last === last) {
      block.telling.push(state);
      continue;
    }
    if (block) yield block;
    block = { last, telling: [state] };
  }
  if (block) yield block;
}

/** When the record was chained that was at a place; null where none of the tombstones tells of it. */
export function chainedAt(telling: readonly StoredTombstone[], sequence: number): string | null {
  for (const { jws, chained } of telling) {
    let at = [...hashesOf(jws).keys()].indexOf(sequence);
    if (at < 0) continue;
    for (const { at: time, count } of chained) {
      if (at < count) return time;
      at -= count;
    }
  }
  return null;
}

/** The hashes that a tombstone tells of, by place. */
export function hashesOf(jws: string): Map<number, string> {
  const { kind, content } = decodeStatement(jws);
  if (kind !== 'reeve-tombstone') throw new TypeError('not a tombstone');
  return hashesIn(content);
}
