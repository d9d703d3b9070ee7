// Where the delivery to a sink stands: what it has got, when there is more to do, and which process does it; and what
// callers see of a sink with that.
import type { TenantId } from '@reeve/contracts';
import { instant, type Lease, type LeaseBy, leaseFor } from '@reeve/service-kit';
import { type Collections, collection, type Entry } from '@reeve/store';
import { z } from 'zod';
import type { Head, Heads } from '../log/head.ts';
import type { Log } from '../log/log.ts';
import type { Position } from '../log/read-after.ts';
import { countWhile } from '../log/read-chain.ts';
import type { SinkErrorCode } from './kinds/delivery.ts';
import { target } from './kinds/registry.ts';
import { type Sink, takesChain, types } from './sink.ts';

export type SinkFailure = { code: SinkErrorCode; detail: string; at: string };

export type Run = {
  status: 'active' | 'paused';
  dueAt: string | null;
  lease: Lease;
  /** Failures since the last success. */
  attempts: number;
  position: Position;
  /** Number of the last checkpoint that was sent along. */
  checkpoint: number;
  /** Records at a time: halved by a receiver that finds them too many. */
  batchSize: number;
  delivered: number;
  refused: number;
  lastDeliveredAt: string | null;
  lastError: SinkFailure | null;
};
export type Runs = Collections<Run>;

const fullBatch = 500;
const firstWaitMs = 1_000;
const longestWaitMs = 300_000;

/** By the id of the sink. */
export const runs = collection<Run>({
  name: 'audit_sink_runs',
  dueAt: ({ status, dueAt }) => (status === 'active' && dueAt !== null ? new Date(dueAt) : null),
});

export const newRun = (position: Position, dueAt: Date): Run => ({
  status: 'active',
  dueAt: dueAt.toISOString(),
  lease: null,
  attempts: 0,
  position,
  checkpoint: 0,
  batchSize: fullBatch,
  delivered: 0,
  refused: 0,
  lastDeliveredAt: null,
  lastError: null,
});

/** Where in the log it begins. */
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

/**
 * Due again when the lease ends, should its holder be lost. Null while somebody else has it, or it is paused.
 */
export function take(run: Run, by: LeaseBy): Run | null {
  const lease = run.status === 'paused' ? null : leaseFor(run.lease, by);
  return lease && { ...run, lease, dueAt: lease.until };
}

/** To be looked at again after a while. */
export const release = (run: Run, { now, waitMs }: { now: Date; waitMs: number }): Run => ({
  ...run,
  lease: null,
  dueAt: new Date(now.getTime() + waitMs).toISOString(),
});

/** To be done at once, whoever has it and however often it failed: something about it was changed. */
export const startAfresh = (run: Run, now: Date): Run => ({ ...release(run, { now, waitMs: 0 }), attempts: 0 });

export function afterDelivery(
  run: Run,
  {
    position,
    checkpoint,
    delivered,
    refused,
    now,
  }: Pick<Run, 'position' | 'checkpoint' | 'delivered' | 'refused'> & { now: Date },
): Run {
  return {
    ...run,
    position,
    checkpoint,
    delivered: run.delivered + delivered,
    refused: run.refused + refused,
    attempts: 0,
    batchSize: Math.min(fullBatch, run.batchSize * 2),
    lastDeliveredAt: delivered > 0 ? now.toISOString() : run.lastDeliveredAt,
    lastError: null,
  };
}

/**
 * Tried again later, each time after a longer wait, up to five minutes; as long as the receiver asks for, where that
 * is more. A batch that is too large is tried again at once, as long as it can be made smaller. `jitter` is from 0 to
 * 1.
 */
export function afterFailure(
  run: Run,
  {
    failure,
    retryAfterMs = 0,
    now,
    jitter,
  }: { failure: SinkFailure; retryAfterMs?: number | undefined; now: Date; jitter: number },
): Run {
  const failed = { ...run, lastError: failure, attempts: run.attempts + 1 };
  if (failure.code === 'too_large' && run.batchSize > 1)
    return release({ ...failed, batchSize: Math.floor(run.batchSize / 2) }, { now, waitMs: 0 });
  const backOffMs = Math.min(longestWaitMs, firstWaitMs * 2 ** run.attempts) * (0.5 + jitter / 2);
  return release(failed, { now, waitMs: Math.max(backOffMs, Math.min(retryAfterMs, longestWaitMs)) });
}

/** Null where it is so already. */
export const switchedTo = (run: Run, status: Run['status'], now: Date): Run | null =>
  run.status === status ? null : startAfresh({ ...run, status }, now);

/** From another place in the log. */
export const startedFrom = (run: Run, position: Position, now: Date): Run =>
  startAfresh({ ...run, position, checkpoint: 0 }, now);

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

type ViewParts = { runs: Runs; heads: Heads };

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
