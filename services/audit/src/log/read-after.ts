// Reads a log on from where somebody is in it: a position names, per chain, the last sequence that was seen. Chains
// are read side by side in the order in which their records were chained; within a chain nothing is left out, whatever
// arrives meanwhile.
import type { TenantId } from '@reeve/contracts';
import type { Log } from './log.ts';
import { readChain, type Step } from './read-chain.ts';

/** Sequences by chain. A chain that is not in it has not been read yet. */
export type Position = Readonly<Record<string, number>>;

/** Places looked at in one go: enough for a whole block of removed ones. */
const leastStretch = 256;

/**
 * Of the chains that it takes, at most `limit` steps: each a record, or the tombstones of a block of places whose
 * records were removed.
 */
export async function readAfter(
  { heads, ...chains }: Pick<Log, 'heads' | 'records' | 'tombstones'>,
  {
    tenantId,
    position,
    limit,
    takes = () => true,
  }: { tenantId: TenantId; position: Position; limit: number; takes?: (chain: string) => boolean },
): Promise<{ found: Step[]; position: Position }> {
  const grown: { chain: string; to: number }[] = [];
  for await (const { id: chain, state } of heads.in(tenantId).all('inOrder', {}))
    if (takes(chain) && state.sequence > (position[chain] ?? 0)) grown.push({ chain, to: state.sequence });
  const pages = await Promise.all(
    grown.map(async ({ chain, to }) => {
      const steps: Step[] = [];
      const from = (position[chain] ?? 0) + 1;
      const stretch = { from, to: Math.min(to, from + Math.max(limit, leastStretch) - 1) };
      for await (const step of readChain(chains, { tenantId, chain }, stretch)) {
        steps.push(step);
        if (steps.length === limit) break;
      }
      return steps;
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
