// Reads a log on from where somebody is in it: a position names, per chain, the last sequence that was seen. Chains are read side by side in the order
// in which their records were chained; within a chain nothing is left out, whatever arrives meanwhile.
import { createHash } from 'node:crypto';
import { ProblemError, type TenantId } from '@reeve/contracts';
import { z } from 'zod';
import type { Heads, Records, StoredRecord } from '../chains/chain-store.ts';

/** Sequences by chain. A chain that is not in it has not been read yet. */
export type Position = Readonly<Record<string, number>>;

export async function readAfter(
  { records, heads }: { records: Records; heads: Heads },
  { tenantId, position, limit }: { tenantId: TenantId; position: Position; limit: number },
): Promise<{ found: StoredRecord[]; position: Position }> {
  const chains: string[] = [];
  for await (const { id, state } of heads.in(tenantId).all('inOrder', {}))
    if (state.sequence > (position[id] ?? 0)) chains.push(id);
  const pages = await Promise.all(
    chains.map(async chain => {
      const where = { sequence: { $gt: position[chain] ?? 0 } };
      const { items } = await records.in(tenantId).list('byChain', { chain }, { limit, where });
      return items.map(({ state }) => state);
    }),
  );
  // Along a chain the time of chaining rises, so sorting keeps the order of each.
  const found = pages
    .flat()
    .toSorted((one, other) => (one.loggedAt < other.loggedAt ? -1 : one.loggedAt > other.loggedAt ? 1 : 0))
    .slice(0, limit);
  const reached = Object.fromEntries(found.map(({ chain, sequence }) => [chain, sequence]));
  return { found, position: { ...position, ...reached } };
}

const encoded = z.tuple([z.string(), z.record(z.string(), z.number().int().positive())]);

const fingerprint = (tenantId: TenantId) =>
  createHash('sha256').update(`feed\n${tenantId}`).digest('base64url').slice(0, 12);

/** Opaque to the caller, and bound to the tenant. */
export const encodePosition = (tenantId: TenantId, position: Position): string =>
  Buffer.from(JSON.stringify([fingerprint(tenantId), position])).toString('base64url');

export function decodePosition(tenantId: TenantId, cursor: string): Position {
  try {
    const [of, position] = encoded.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (of === fingerprint(tenantId)) return position;
  } catch (cause) {
    throw new ProblemError('cursor_invalid', undefined, { cause });
  }
  throw new ProblemError('cursor_invalid');
}
