// What callers see of a sink.
import type { TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import { z } from 'zod';
import { target } from './kinds/registry.ts';
import { newRun } from './run.ts';
import { type Sink, takesChain, types } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

export const sinkView = z.object({
  id: z.string(),
  name: z.string(),
  target,
  types: types.nullable(),
  createdAt: z.string(),
  status: z.enum(['active', 'paused']),
  health: z.enum(['ok', 'failing']),
  delivered: z.number(),
  refused: z.number().describe('Records that the receiver will never take'),
  behind: z.number().describe('Records of the log that it has not got'),
  lastDeliveredAt: z.string().nullable(),
  lastError: z.object({ code: z.string(), detail: z.string(), at: z.string() }).nullable(),
});

export async function viewOf(
  { runs, heads }: Pick<SinkParts, 'runs' | 'heads'>,
  tenantId: TenantId,
  { id, state: sink }: Entry<Sink>,
): Promise<z.infer<typeof sinkView>> {
  const run = (await runs.in(tenantId).get(id))?.state ?? newRun({}, new Date(0));
  let behind = 0;
  for await (const head of heads.in(tenantId).all('inOrder', {}))
    if (takesChain(sink, head.id)) behind += Math.max(0, head.state.sequence - (run.position[head.id] ?? 0));
  const { status, delivered, refused, lastDeliveredAt, lastError } = run;
  const { name, target: to, types: only, createdAt } = sink;
  const health = lastError ? ('failing' as const) : ('ok' as const);
  const delivery = { status, health, delivered, refused, behind, lastDeliveredAt, lastError };
  return { id, name, target: to, types: only, createdAt, ...delivery };
}
