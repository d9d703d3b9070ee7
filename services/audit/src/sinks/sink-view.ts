// What callers see of a sink.
import type { TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import { z } from 'zod';
import type { Head, Heads } from '../log/head.ts';
import { target } from './kinds/registry.ts';
import { newRun, type Run } from './run.ts';
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

type SinkView = z.infer<typeof sinkView>;
type ViewParts = Pick<SinkParts, 'runs' | 'heads'>;

export async function viewsOf(
  { runs, heads }: ViewParts,
  tenantId: TenantId,
  entries: readonly Entry<Sink>[],
): Promise<SinkView[]> {
  const found = await runs.in(tenantId).getAll(entries.map(({ id }) => id));
  const runOf = new Map(found.map(({ id, state }) => [id, state]));
  const ends = await endsOf(heads, tenantId);
  return entries.map(entry => shown(entry, runOf.get(entry.id), ends));
}

export async function viewOf({ runs, heads }: ViewParts, tenantId: TenantId, entry: Entry<Sink>): Promise<SinkView> {
  const run = await runs.in(tenantId).get(entry.id);
  return shown(entry, run?.state, await endsOf(heads, tenantId));
}

async function endsOf(heads: Heads, tenantId: TenantId): Promise<Entry<Head>[]> {
  const ends: Entry<Head>[] = [];
  for await (const head of heads.in(tenantId).all('inOrder', {})) ends.push(head);
  return ends;
}

function shown({ id, state: sink }: Entry<Sink>, run: Run | undefined, ends: readonly Entry<Head>[]): SinkView {
  const { position, status, delivered, refused, lastDeliveredAt, lastError } = run ?? newRun({}, new Date(0));
  const behind = ends
    .filter(head => takesChain(sink, head.id))
    .reduce((sum, head) => sum + Math.max(0, head.state.sequence - (position[head.id] ?? 0)), 0);
  const { name, target: to, types: only, createdAt } = sink;
  const health = lastError ? ('failing' as const) : ('ok' as const);
  const delivery = { status, health, delivered, refused, behind, lastDeliveredAt, lastError };
  return { id, name, target: to, types: only, createdAt, ...delivery };
}
