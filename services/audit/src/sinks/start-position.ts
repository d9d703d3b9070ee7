// Where in the log a sink begins.
import type { TenantId } from '@reeve/contracts';
import { instant } from '@reeve/service-kit';
import { z } from 'zod';
import type { Log } from '../log/log.ts';
import type { Position } from '../log/read-after.ts';
import { countWhile } from '../log/read-chain.ts';

export const start = z.union([z.enum(['beginning', 'now']), instant]);

export async function positionAt(
  { heads, ...chains }: Pick<Log, 'records' | 'tombstones' | 'heads'>,
  tenantId: TenantId,
  from: z.infer<typeof start>,
): Promise<Position> {
  if (from === 'beginning') return {};
  const position: Record<string, number> = {};
  for await (const { id: chainId, state } of heads.in(tenantId).all('inOrder', {})) {
    const of = { tenantId, chain: chainId, size: state.sequence };
    const before = from === 'now' ? state.sequence : await countWhile(chains, of, loggedAt => loggedAt < from);
    if (before > 0) position[chainId] = before;
  }
  return position;
}
