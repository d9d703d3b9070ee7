// Which records of a tenant are to be removed: those whose retention is over, and those of confirmed requests. Only
// what a checkpoint covers and the stored head has passed, since neither needs those records any more.
import { type Id, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Decision, Entry } from '@reeve/store';
import type { Checkpointer } from '../log/checkpointer.ts';
import type { Log } from '../log/log.ts';
import type { StoredRecord } from '../log/record.ts';
import { complete, type DeletionRequest, type DeletionRequests } from './deletion-request.ts';
import type { Why } from './remove-records.ts';
import { cutoffOf, daysNow, type Policies, type Policy, policyId } from './retention-policy.ts';
import { classOf, isIn, type RecordClass } from './scope.ts';

export type DueParts = Pick<Log, 'records' | 'heads' | 'clock'> & {
  policies: Policies;
  requests: DeletionRequests;
  checkpointer: Pick<Checkpointer, 'sign'>;
};

export type Found = Entry<StoredRecord>;
export type Outcome = { removed: number; held: number };

/** What is to go, why, and whether it still is: people change their minds while it goes on. */
export type Task = {
  why: Why;
  found: AsyncIterable<Found>;
  stillDue: () => Promise<(record: StoredRecord) => boolean>;
  onBatch?: (outcome: Outcome) => Promise<unknown>;
  onDone?: () => Promise<unknown>;
};

type Sizes = ReadonlyMap<string, number>;

/**
 * Tasks one after the other, and then when there is next something to do; null while there is neither a policy nor a
 * request.
 */
export async function* tasksOf(
  parts: DueParts,
  tenantId: TenantId,
  { intervalMs }: { intervalMs: number },
): AsyncGenerator<Task, string | null> {
  const { clock, requests, policies } = parts;
  const sizes = await sizesOf(parts, tenantId);
  const waiting: string[] = [];
  for await (const { id, state } of requests.in(tenantId).all('byStatus', { status: 'confirmed' })) {
    const { removesAt } = state;
    if (removesAt === null) continue;
    if (removesAt > clock.now().toISOString()) waiting.push(removesAt);
    else yield await requested(parts, tenantId, sizes, { id: id as Id<'deletion'>, request: state });
  }
  const policy = (await policies.in(tenantId).get(policyId))?.state;
  if (policy) {
    yield* expired(parts, tenantId, sizes, policy);
    waiting.push(new Date(clock.now().getTime() + intervalMs).toISOString());
    waiting.push(...Object.values(policy.rules).flatMap(({ before }) => before?.until ?? []));
  }
  return waiting.filter(at => at > clock.now().toISOString()).toSorted()[0] ?? null;
}

/** Of each chain, how many records may be removed from its beginning. */
async function sizesOf({ heads, checkpointer }: DueParts, tenantId: TenantId): Promise<Sizes> {
  const checkpoint = await checkpointer.sign(tenantId);
  const covered = new Map(checkpoint?.content.chains.map(({ chain, size }) => [chain, size]));
  const sizes = new Map<string, number>();
  for await (const { id, state } of heads.in(tenantId).all('inOrder', {}))
    sizes.set(id, Math.min(covered.get(id) ?? 0, state.sequence));
  return sizes;
}

/** Records of a chain from its beginning on, as long as they were chained when `holds` says. */
async function* chainedWhile(
  { records }: DueParts,
  { tenantId, chain, size }: { tenantId: TenantId; chain: string; size: number },
  holds: (loggedAt: string) => boolean,
): AsyncGenerator<Found> {
  for await (const entry of records.in(tenantId).all('byChain', { chain }, { range: { to: size } })) {
    if (!holds(entry.state.loggedAt)) return;
    yield entry;
  }
}

function* expired(parts: DueParts, tenantId: TenantId, sizes: Sizes, { rules }: Policy): Generator<Task> {
  const { clock, policies } = parts;
  for (const [chain, size] of sizes) {
    const name: RecordClass = classOf(chain);
    const cutoff = cutoffOf(rules[name], clock.now());
    if (cutoff === null) continue;
    yield {
      why: { reason: 'retention', reference: `${name}: ${daysNow(rules[name], clock.now())} days` },
      found: chainedWhile(parts, { tenantId, chain, size }, loggedAt => loggedAt < cutoff),
      async stillDue() {
        const policy = await policies.in(tenantId).get(policyId);
        const now = cutoffOf(policy?.state.rules[name], clock.now());
        return ({ loggedAt }) => now !== null && loggedAt < now;
      },
    };
  }
}

async function requested(
  parts: DueParts,
  tenantId: TenantId,
  sizes: Sizes,
  { id, request }: { id: Id<'deletion'>; request: DeletionRequest },
): Promise<Task> {
  const requests = parts.requests.in(tenantId);
  const cause = serviceCause('audit', { correlationId: newEventId() });
  /** Nothing where it was cancelled meanwhile: what is not removed yet stays. */
  const change = (decide: (was: DeletionRequest) => Decision<DeletionRequest>) =>
    requests.change(id, was => (was?.status === 'confirmed' ? decide(was) : null), { cause });
  // A turn that was interrupted counted some of them.
  await change(was => ({ state: { ...was, held: 0 }, events: [] }));
  return {
    why: { reason: 'deletion_request', reference: id },
    found: inScope(parts, tenantId, sizes, request),
    async stillDue() {
      const isConfirmed = (await requests.get(id))?.state.status === 'confirmed';
      return () => isConfirmed;
    },
    onBatch: ({ removed, held }) =>
      change(was => ({ state: { ...was, removed: was.removed + removed, held: was.held + held }, events: [] })),
    onDone: () => change(was => complete(id, was, parts.clock.now())),
  };
}

async function* inScope(
  parts: DueParts,
  tenantId: TenantId,
  sizes: Sizes,
  { scope, requestedAt }: DeletionRequest,
): AsyncGenerator<Found> {
  if (scope.about !== undefined) {
    for await (const entry of parts.records.in(tenantId).all('storyOf', { about: scope.about })) {
      const { chain, sequence } = entry.state;
      if (isIn(scope, entry.state) && sequence <= (sizes.get(chain) ?? 0)) yield entry;
    }
    return;
  }
  for (const [chain, size] of sizes) {
    if (scope.classes && !scope.classes.includes(classOf(chain))) continue;
    const of = { tenantId, chain, size };
    for await (const entry of chainedWhile(parts, of, loggedAt => loggedAt <= requestedAt))
      if (isIn(scope, entry.state)) yield entry;
  }
}
