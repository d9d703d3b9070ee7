// Where a chain stands. Written after its records, so it may lag behind them after a crash: `catchUp` reads the rest.
import { addLeaf, type Frontier } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import { place, type Records, type StoredRecord } from './record.ts';

export type Head = {
  sequence: number;
  hash: string;
  offset: string;
  loggedAt: string;
  /**
   * Of the Merkle tree over the hashes of its records: the roots of the complete subtrees, in hex. Null in a head of
   * before there was a tree.
   */
  frontier: string[] | null;
};

export type Heads = Collections<Head>;

/** The id of a head is the name of its chain. */
export const heads = collection<Head>({
  name: 'audit_heads',
  version: 2,
  // The heads of version 1 had no number; of them some have a tree.
  upgrade: state => ({ frontier: null, ...(state as Omit<Head, 'frontier'>) }),
  queries: { inOrder: { equality: [] } },
});

export const frontierOf = (head: Head | null): Frontier => (head?.frontier ?? []).map(hash => Buffer.from(hash, 'hex'));

/** The head after further records of its chain. */
export function advance(
  head: Head | null,
  further: readonly Pick<StoredRecord, 'sequence' | 'hash' | 'offset' | 'loggedAt'>[],
): Head | null {
  const last = further.at(-1);
  if (!last) return head;
  let frontier = frontierOf(head);
  for (const { sequence, hash } of further) frontier = addLeaf(frontier, sequence - 1, Buffer.from(hash, 'hex'));
  const { sequence, hash, offset, loggedAt } = last;
  return { sequence, hash, offset, loggedAt, frontier: frontier.map(root => root.toString('hex')) };
}

type Of = { tenantId: TenantId; chain: string };

/**
 * The last record may be beyond the stored head: by the batch that a crash left without its head, or what another
 * writer added meanwhile.
 */
async function catchUp(
  records: Records,
  { tenantId, chain, stored }: Of & { stored: Head | null },
): Promise<Head | null> {
  // Without a tree it is made anew, of all records.
  let head = stored?.frontier ? stored : null;
  for (;;) {
    const next = await records.in(tenantId).getByUnique('place', place(chain, (head?.sequence ?? 0) + 1));
    if (!next) return head;
    head = advance(head, [next.state]);
  }
}

/** The same for many chains: one round trip where none has a record beyond its head, as it nearly always is. */
export async function catchUpAll<C extends Of & { stored: Head | null }>(
  records: Records,
  chains: readonly C[],
): Promise<(C & { head: Head | null })[]> {
  const next = ({ tenantId, chain, stored }: C) => ({
    tenantId,
    key: place(chain, (stored?.frontier ? stored.sequence : 0) + 1),
  });
  const found = await records
    .acrossTenants('records beyond the stored heads of chains, which may be of many tenants')
    .getAllByUnique('place', chains.map(next));
  const beyond = new Set(found.map(({ tenantId, state }) => `${tenantId} ${state.chain}`));
  return Promise.all(
    chains.map(async one => {
      const isBeyond = beyond.has(`${one.tenantId} ${one.chain}`);
      const known = one.stored?.frontier ? one.stored : null;
      return { ...one, head: isBeyond ? await catchUp(records, one) : known };
    }),
  );
}

/** Where the chain of a name stands, for each of these tenants. */
export async function loadHeads(
  { records, heads: stored }: { records: Records; heads: Heads },
  chain: string,
  tenantIds: readonly TenantId[],
): Promise<Map<TenantId, Head | null>> {
  const found = await stored
    .acrossTenants('the heads of chains of one source partition, which belong to many tenants')
    .getAll(tenantIds.map(tenantId => ({ tenantId, id: chain })));
  const byTenant = new Map(found.map(({ tenantId, state }) => [tenantId, state]));
  const chains = tenantIds.map(tenantId => ({ tenantId, chain, stored: byTenant.get(tenantId) ?? null }));
  return new Map((await catchUpAll(records, chains)).map(({ tenantId, head }) => [tenantId, head]));
}
