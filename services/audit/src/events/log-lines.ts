// The whole log of a tenant, chain by chain and in the order of each chain, with constant memory.
import type { ChainedRecord } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { fromStored, type Heads, type Records } from '../chains/chain-store.ts';

export type Period = { from?: string | undefined; to?: string | undefined };

/** The period is that of the chaining, which rises along a chain: so what is exported of a chain has no gaps. */
export async function* readLog(
  { records, heads }: { records: Records; heads: Heads },
  tenantId: TenantId,
  { from, to }: Period = {},
): AsyncGenerator<ChainedRecord> {
  const chains: string[] = [];
  for await (const { id } of heads.in(tenantId).all('inOrder', {})) chains.push(id);
  for (const chain of chains) {
    for await (const { state } of records.in(tenantId).all('byChain', { chain })) {
      if (from !== undefined && state.loggedAt < from) continue;
      if (to !== undefined && state.loggedAt > to) break;
      yield fromStored(state);
    }
  }
}
