import type { TenantId } from '@reeve/contracts';
import { place, type Records, type StoredRecord } from './chain-store.ts';

type Chain = { tenantId: TenantId; chain: string; size: number };

export async function recordAt(
  records: Records,
  { tenantId, chain }: Omit<Chain, 'size'>,
  sequence: number,
): Promise<StoredRecord> {
  const found = await records.in(tenantId).getByUnique('place', place(chain, sequence));
  if (!found) throw new Error(`record ${sequence} of ${chain} is missing`);
  return found.state;
}

/** How many records of a chain, from its first on, are as asked, where those are all before the others: a binary search. */
export async function countWhile(
  records: Records,
  of: Chain,
  holds: (record: StoredRecord) => boolean,
): Promise<number> {
  let [low, high] = [0, of.size];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(await recordAt(records, of, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}
