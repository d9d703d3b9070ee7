// Removes records: of which the retention is over, and for which there is a confirmed request. In batches of a few hundred with pauses, so that
// ingest goes on beside it. A signed tombstone is in the store before any record that it tells of is gone, and only records that a
// checkpoint covers are removed, so at every moment the log can be verified. Legal holds are read anew for every batch.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockOf } from '@reeve/audit-log';
import { because, type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { repeatedly } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { fromStored, type Heads, type StoredRecord } from '../chains/chain-store.ts';
import type { Logs } from '../chains/read-chain.ts';
import { changeAsService } from '../change-as-service.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import type { Checkpointer } from '../checkpoints/checkpointer.ts';
import { isLeased } from '../lease.ts';
import { searchFieldsOf, searchVersion } from '../search/search-fields.ts';
import { bury, type Why } from './bury-records.ts';
import type { DeletionRequest, DeletionRequests } from './deletion-request.ts';
import type { Holds } from './legal-hold.ts';
import { end, type Turn, type Turns, take, turnId, wake } from './removal-turn.ts';
import { cutoffOf, daysNow, type Policies, type Policy, policyId } from './retention-policy.ts';
import { classOf, inWords, isIn, type Scope } from './scope.ts';

export type RemovalParts = Logs & {
  heads: Heads;
  policies: Policies;
  holds: Holds;
  requests: DeletionRequests;
  turns: Turns;
  checkpointer: Pick<Checkpointer, 'sign'>;
  signingKey: () => SigningKey;
  clock: Clock;
};

type Parts = RemovalParts & {
  /** How often the retention of a tenant is looked at. */
  intervalMs: number;
  onError: (error: unknown) => void;
};

export type Remover = ReturnType<typeof createRemover>;

type Outcome = { removed: number; held: number };
type Found = Entry<StoredRecord>;

/** What is to go, why, and whether it still is: people change their minds while it goes on. */
type Task = {
  why: Why;
  found: AsyncIterable<Found>;
  stillDue: () => Promise<(record: StoredRecord) => boolean>;
  onBatch?: (outcome: Outcome) => Promise<unknown>;
};

const leaseMs = 12_000;
/** Of a lease, what has to be left for records to be removed under it. */
const leastLeftMs = 4_000;
const lookEveryMs = 500;
const leastBatch = 128;
/** Then another tenant has its turn. */
const turnMs = 30_000;
const waitForBatchMs = 100;
const longestPauseMs = 2_000;

/** The lease went to somebody else, another tenant waits, or the service stops: what is left is done by whoever comes next. */
class Interrupted extends Error {}

export function createRemover(parts: Parts) {
  const { records, policies, holds, requests, turns, checkpointer, clock } = parts;
  const holder = randomUUID();
  const rounds = repeatedly(look, lookEveryMs, parts.onError);
  const inMs = (ms: number) => new Date(clock.now().getTime() + ms).toISOString();

  const changeTurn = (tenantId: TenantId, next: (turn: Turn) => Turn | null) =>
    changeAsService(turns, { tenantId, id: turnId }, next);

  async function wakeAt(tenantId: TenantId, at: Date): Promise<void> {
    const decide = (turn: Turn | null) => ({ state: wake(turn, at.toISOString(), clock.now()), events: [] });
    await turns.in(tenantId).change(turnId, decide, { cause: serviceCause('audit', { correlationId: newEventId() }) });
  }

  const takeLease = (tenantId: TenantId) =>
    changeTurn(tenantId, was => take(was, { holder, now: clock.now(), forMs: leaseMs }));

  /** Returns what refuses to go on when the lease is nearly over: whoever waits for it to end may take it that nothing is removed after that. */
  async function renew(tenantId: TenantId): Promise<() => void> {
    const turn = rounds.isStopped() ? null : await takeLease(tenantId);
    if (turn?.lease?.holder !== holder) throw new Interrupted();
    const until = Date.parse(turn.lease.until) - leastLeftMs;
    return () => {
      if (clock.now().getTime() >= until) throw new Interrupted();
    };
  }

  async function isHeldOf(tenantId: TenantId): Promise<(record: StoredRecord) => boolean> {
    const scopes: Scope[] = [];
    for await (const { state } of holds.in(tenantId).all('newest', {}, { releasedAt: null })) scopes.push(state.scope);
    return record => {
      // What an earlier version made a record searchable by may be less than a hold has to find.
      const { about } = record.searchVersion === searchVersion ? record : searchFieldsOf(fromStored(record).record);
      return scopes.some(scope => isIn(scope, { ...record, about }));
    };
  }

  /** One batch, which may be of several chains. */
  async function removeBatch(tenantId: TenantId, batch: readonly Found[], { why, stillDue }: Task): Promise<Outcome> {
    const began = performance.now();
    const assertInTime = await renew(tenantId);
    const [isDue, isHeld] = [await stillDue(), await isHeldOf(tenantId)];
    const due = batch.filter(({ state }) => isDue(state));
    const free = due.filter(({ state }) => !isHeld(state));
    const blocks = Map.groupBy(free, ({ state }) => `${state.chain}/${blockOf(state.sequence)}`);
    for (const block of blocks.values()) {
      const inOrder = block.toSorted((one, other) => one.state.sequence - other.state.sequence);
      await bury(parts, { tenantId, found: inOrder, why, assertInTime });
    }
    // A tenth of the time is ours, unless a batch takes very long.
    if (free.length > 0) await sleep(Math.min(longestPauseMs, (performance.now() - began) * 9));
    return { removed: free.length, held: due.length - free.length };
  }

  async function remove(tenantId: TenantId, task: Task, endsAt: number): Promise<void> {
    let batch: Found[] = [];
    const isBoundary = ({ state: { chain, sequence } }: Found) => {
      const before = batch.at(-1)?.state;
      return before && (before.chain !== chain || blockOf(before.sequence) !== blockOf(sequence));
    };
    const flush = async () => {
      const outcome = await removeBatch(tenantId, batch, task);
      batch = [];
      await task.onBatch?.(outcome);
      // Those that are held are met again in the next turn: only a batch that got somewhere may end one.
      if (outcome.removed > 0 && performance.now() > endsAt) throw new Interrupted();
    };
    for await (const entry of task.found) {
      if (batch.length >= leastBatch && isBoundary(entry)) await flush();
      batch.push(entry);
    }
    if (batch.length > 0) await flush();
  }

  /** Records of a chain from its beginning on, as long as they were chained when `holds` says. */
  async function* chainedWhile(
    tenantId: TenantId,
    { chain, size }: { chain: string; size: number },
    holds: (loggedAt: string) => boolean,
  ): AsyncGenerator<Found> {
    for await (const entry of records.in(tenantId).all('byChain', { chain }, { sequence: { $lte: size } })) {
      if (!holds(entry.state.loggedAt)) return;
      yield entry;
    }
  }

  async function* inScope(
    tenantId: TenantId,
    sizes: ReadonlyMap<string, number>,
    { scope, requestedAt }: DeletionRequest,
  ): AsyncGenerator<Found> {
    if (scope.about !== undefined) {
      for await (const entry of records.in(tenantId).all('storyOf', { about: scope.about })) {
        const { chain, sequence } = entry.state;
        if (isIn(scope, entry.state) && sequence <= (sizes.get(chain) ?? 0)) yield entry;
      }
      return;
    }
    for (const [chain, size] of sizes)
      if (!scope.classes || scope.classes.includes(classOf(chain)))
        for await (const entry of chainedWhile(tenantId, { chain, size }, loggedAt => loggedAt <= requestedAt))
          if (isIn(scope, entry.state)) yield entry;
  }

  async function removeExpired(
    tenantId: TenantId,
    sizes: ReadonlyMap<string, number>,
    { rules }: Policy,
    endsAt: number,
  ): Promise<void> {
    for (const [chain, size] of sizes) {
      const name = classOf(chain);
      const rule = rules[name];
      const cutoff = cutoffOf(rule, clock.now());
      if (cutoff === null) continue;
      const task: Task = {
        why: { reason: 'retention', reference: `${name}: ${daysNow(rule, clock.now())} days` },
        found: chainedWhile(tenantId, { chain, size }, loggedAt => loggedAt < cutoff),
        async stillDue() {
          const policy = await policies.in(tenantId).get(policyId);
          const now = cutoffOf(policy?.state.rules[name], clock.now());
          return ({ loggedAt }) => now !== null && loggedAt < now;
        },
      };
      await remove(tenantId, task, endsAt);
    }
  }

  async function removeRequested(
    tenantId: TenantId,
    sizes: ReadonlyMap<string, number>,
    { id, state: request }: Entry<DeletionRequest>,
    endsAt: number,
  ): Promise<void> {
    /** Nothing where it was cancelled meanwhile: what is not removed yet stays. */
    const change = (next: (was: DeletionRequest) => DeletionRequest, events?: EventDraft[]) =>
      changeAsService(requests, { tenantId, id }, was => (was.status === 'confirmed' ? next(was) : null), events);
    await change(was => ({ ...was, held: 0 }));
    const task: Task = {
      why: { reason: 'deletion_request', reference: id },
      found: inScope(tenantId, sizes, request),
      async stillDue() {
        const isConfirmed = (await requests.in(tenantId).get(id))?.state.status === 'confirmed';
        return () => isConfirmed;
      },
      onBatch: ({ removed, held }) =>
        change(was => ({ ...was, removed: was.removed + removed, held: was.held + held })),
    };
    await remove(tenantId, task, endsAt);
    const { removed, held } = (await requests.in(tenantId).get(id))?.state ?? request;
    const done: EventDraft<'deletion.completed'> = {
      type: 'deletion.completed',
      target: { type: 'deletion_request', id, name: null },
      outcome: 'success',
      reason: because('confirmed'),
      details: { scope: inWords(request.scope), removed, held },
    };
    await change(was => ({ ...was, status: 'done', doneAt: clock.now().toISOString() }), [done]);
  }

  /** Of each chain, how many records a checkpoint covers and the stored head knows of: neither needs the others any more. */
  async function sizesOf(tenantId: TenantId): Promise<Map<string, number>> {
    const checkpoint = await checkpointer.sign(tenantId);
    const covered = new Map(checkpoint?.content.chains.map(({ chain, size }) => [chain, size]));
    const sizes = new Map<string, number>();
    for await (const { id, state } of parts.heads.in(tenantId).all('inOrder', {}))
      sizes.set(id, Math.min(covered.get(id) ?? 0, state.sequence));
    return sizes;
  }

  /** When there is next something to do; null while there is neither a policy nor a request. */
  async function removeAll(tenantId: TenantId): Promise<string | null> {
    const endsAt = performance.now() + turnMs;
    const sizes = await sizesOf(tenantId);
    const waiting: string[] = [];
    for await (const entry of requests.in(tenantId).all('byStatus', { status: 'confirmed' })) {
      const { removesAt } = entry.state;
      if (removesAt === null) continue;
      if (removesAt > clock.now().toISOString()) waiting.push(removesAt);
      else await removeRequested(tenantId, sizes, entry, endsAt);
    }
    const policy = await policies.in(tenantId).get(policyId);
    if (policy) {
      await removeExpired(tenantId, sizes, policy.state, endsAt);
      waiting.push(inMs(parts.intervalMs));
    }
    return waiting.toSorted()[0] ?? null;
  }

  async function takeTurn(tenantId: TenantId) {
    const turn = await takeLease(tenantId);
    if (turn?.lease?.holder !== holder) return;
    let nextAt: string | null = inMs(leaseMs);
    try {
      nextAt = await removeAll(tenantId);
    } catch (error) {
      if (error instanceof Interrupted) nextAt = inMs(0);
      else parts.onError(error);
    }
    await changeTurn(tenantId, was => (was.lease?.holder === holder ? end(was, nextAt, clock.now()) : null));
  }

  async function look() {
    for (const { tenantId } of await turns.acrossTenants('what is to be removed of all tenants').due(20))
      if (!rounds.isStopped()) await takeTurn(tenantId);
  }

  return {
    wakeAt,

    /** Every tenant that has something to remove is looked at once, whatever was written of its turn before. */
    async start(): Promise<void> {
      const why = 'what is to be removed, should a process have ended before it said when';
      const now = clock.now();
      for await (const { tenantId } of policies.acrossTenants(why).all()) await wakeAt(tenantId, now);
      for await (const { tenantId, state } of requests.acrossTenants(why).all())
        if (state.status === 'confirmed') await wakeAt(tenantId, now);
      rounds.start();
    },

    stop: rounds.stop,

    /** Waits for the batch that is under way: the one after it reads anew what may be removed. */
    async batchEnded(tenantId: TenantId): Promise<void> {
      const leaseOf = async () => {
        const turn = (await turns.in(tenantId).get(turnId))?.state;
        return turn && isLeased(turn.lease, clock.now()) ? turn.lease?.until : undefined;
      };
      const until = await leaseOf();
      while (until !== undefined && (await leaseOf()) === until) await sleep(waitForBatchMs);
    },
  };
}
