// Removes records: of which the retention is over, and for which there is a confirmed request. In batches of a few hundred with pauses, so that
// ingest goes on beside it. A signed tombstone is in the store before any record that it tells of is gone, and only records that a
// checkpoint covers are removed, so at every moment the log can be verified. Legal holds are read anew for every batch.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { metrics } from '@opentelemetry/api';
import { hashOfStatement, signStatement, type Tombstone } from '@reeve/audit-log';
import { because, type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Clock, Entry } from '@reeve/store';
import type { Heads, StoredRecord } from '../chains/chain-store.ts';
import type { Logs } from '../chains/read-chain.ts';
import { blockOf, hashesOf, tombstoneId, tombstonesOf } from '../chains/tombstones.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import type { Checkpointer } from '../checkpoints/checkpointer.ts';
import type { DeletionRequest, DeletionRequests } from './deletion-request.ts';
import type { Holds } from './legal-hold.ts';
import { end, isLeased, type Turn, type Turns, take, turnId, wake } from './removal-turn.ts';
import { cutoffOf, daysNow, type Policies, policyId } from './retention-policy.ts';
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

type Why = Pick<Tombstone, 'reason' | 'reference'>;
type Outcome = { removed: number; held: number };

const leaseMs = 60_000;
const lookEveryMs = 500;
const leastBatch = 128;
/** Then another tenant has its turn. */
const batchesPerTurn = 200;
const waitForBatchMs = 100;
const longestPauseMs = 2_000;

const removedRecords = metrics
  .getMeter('@reeve/audit')
  .createCounter('reeve.audit.removed', { description: 'Records removed, by reason' });

/** The lease went to somebody else, another tenant waits, or the service stops: what is left is done by whoever comes next. */
class Interrupted extends Error {}

export function createRemover(parts: Parts) {
  const { records, tombstones, policies, holds, requests, turns, checkpointer, signingKey, clock } = parts;
  const holder = randomUUID();
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let stopped = false;
  const cause = () => serviceCause('audit', { correlationId: newEventId() });

  async function changeTurn(tenantId: TenantId, next: (turn: Turn) => Turn | null): Promise<Turn | null> {
    const decide = (turn: Turn | null) => {
      const state = turn && next(turn);
      return state ? { state, events: [] } : null;
    };
    return (await turns.in(tenantId).change(turnId, decide, { cause: cause() }))?.state ?? null;
  }

  const takeLease = (tenantId: TenantId) =>
    changeTurn(tenantId, was => take(was, { holder, now: clock.now(), forMs: leaseMs }));

  /** Returns until when nobody else removes anything of the tenant's. */
  async function renew(tenantId: TenantId): Promise<string> {
    const turn = stopped ? null : await takeLease(tenantId);
    if (turn?.lease?.holder !== holder) throw new Interrupted();
    return turn.lease.until;
  }

  async function holdsOf(tenantId: TenantId): Promise<Scope[]> {
    const scopes: Scope[] = [];
    for await (const { state } of holds.in(tenantId).all('newest', {}, { releasedAt: null })) scopes.push(state.scope);
    return scopes;
  }

  /** Records of one block of a chain. Those that a tombstone tells of already were left by a process that ended between the two steps. */
  async function bury(tenantId: TenantId, found: readonly Entry<StoredRecord>[], why: Why): Promise<void> {
    const [{ chain, sequence: from }, { sequence: to }] = [found[0]?.state, found.at(-1)?.state] as [
      StoredRecord,
      StoredRecord,
    ];
    const told = new Set<number>();
    for await (const { statements } of tombstonesOf(tombstones, { tenantId, chain }, { from, to }))
      for (const jws of statements) for (const sequence of hashesOf(jws).keys()) told.add(sequence);
    const untold = found.map(({ state }) => state).filter(({ sequence }) => !told.has(sequence));
    const [first, last] = [untold[0]?.sequence, untold.at(-1)?.sequence];
    if (first !== undefined && last !== undefined) {
      const removed = runsOf(untold);
      const content = { tenantId, chain, time: clock.now().toISOString(), ...why, removed };
      const jws = await signStatement(signingKey(), 'reeve-tombstone', content);
      const state = { chain, first, last, jws };
      const event: EventDraft<'records.removed'> = {
        type: 'records.removed',
        target: { type: 'audit_log', id: tenantId, name: null },
        outcome: 'success',
        reason: because(why.reason),
        details: {
          chain,
          first,
          last,
          count: untold.length,
          reference: why.reference,
          tombstone: hashOfStatement(jws),
        },
      };
      if (!(await tombstones.in(tenantId).create(tombstoneId(state), { state, events: [event] }, cause())))
        throw new Interrupted();
    }
    await records.in(tenantId).removeAll(found.map(({ id }) => id));
    removedRecords.add(found.length, { reason: why.reason });
  }

  /** One batch, which may be of several chains. */
  async function removeBatch(tenantId: TenantId, batch: readonly Entry<StoredRecord>[], why: Why): Promise<Outcome> {
    const began = performance.now();
    const until = await renew(tenantId);
    const held = await holdsOf(tenantId);
    const free = batch.filter(({ state }) => !held.some(scope => isIn(scope, state)));
    const blocks = Map.groupBy(free, ({ state }) => `${state.chain}/${blockOf(state.sequence)}`);
    for (const block of blocks.values()) {
      // A hold that was placed meanwhile waits no longer than that.
      if (clock.now().toISOString() >= until) throw new Interrupted();
      const inOrder = block.toSorted((one, other) => one.state.sequence - other.state.sequence);
      await bury(tenantId, inOrder, why);
    }
    // A tenth of the time at most is ours.
    await sleep(Math.min(longestPauseMs, (performance.now() - began) * 9));
    return { removed: free.length, held: batch.length - free.length };
  }

  async function remove(
    tenantId: TenantId,
    found: AsyncIterable<Entry<StoredRecord>>,
    why: Why,
    onBatch: (outcome: Outcome) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    let batch: Entry<StoredRecord>[] = [];
    let batches = 0;
    const isBoundary = ({ state: { chain, sequence } }: Entry<StoredRecord>) => {
      const before = batch.at(-1)?.state;
      return before && (before.chain !== chain || blockOf(before.sequence) !== blockOf(sequence));
    };
    for await (const entry of found) {
      if (batch.length >= leastBatch && isBoundary(entry)) {
        await onBatch(await removeBatch(tenantId, batch, why));
        batch = [];
        batches += 1;
        if (batches === batchesPerTurn) throw new Interrupted();
      }
      batch.push(entry);
    }
    if (batch.length > 0) await onBatch(await removeBatch(tenantId, batch, why));
  }

  /** Records of a chain from its beginning on, as long as they were chained before that time. */
  async function* chainedBefore(tenantId: TenantId, { chain, size }: { chain: string; size: number }, time: string) {
    for await (const entry of records.in(tenantId).all('byChain', { chain }, { sequence: { $lte: size } })) {
      if (entry.state.loggedAt >= time) return;
      yield entry;
    }
  }

  async function* inScope(tenantId: TenantId, sizes: ReadonlyMap<string, number>, request: DeletionRequest) {
    const { scope } = request;
    const isCovered = ({ state }: Entry<StoredRecord>) => state.sequence <= (sizes.get(state.chain) ?? 0);
    const { about } = scope;
    if (about !== undefined) {
      for await (const entry of records.in(tenantId).all('storyOf', { about }))
        if (isIn(scope, entry.state) && isCovered(entry)) yield entry;
      return;
    }
    for (const [chain, size] of sizes)
      if (!scope.classes || scope.classes.includes(classOf(chain)))
        for await (const entry of chainedBefore(tenantId, { chain, size }, request.requestedAt))
          if (isIn(scope, entry.state)) yield entry;
  }

  async function removeExpired(tenantId: TenantId, sizes: ReadonlyMap<string, number>): Promise<boolean> {
    const policy = await policies.in(tenantId).get(policyId);
    for (const [chain, size] of sizes) {
      const name = classOf(chain);
      const rule = policy?.state.rules[name];
      const cutoff = cutoffOf(rule, clock.now());
      if (cutoff === null) continue;
      const reference = `${name}: ${daysNow(rule, clock.now())} days`;
      await remove(tenantId, chainedBefore(tenantId, { chain, size }, cutoff), { reason: 'retention', reference });
    }
    return policy !== null;
  }

  async function removeRequested(
    tenantId: TenantId,
    sizes: ReadonlyMap<string, number>,
    { id, state: request }: Entry<DeletionRequest>,
  ): Promise<void> {
    const change = async (next: (was: DeletionRequest) => DeletionRequest, events: EventDraft[] = []) => {
      const decide = (was: DeletionRequest | null) =>
        was?.status === 'confirmed' ? { state: next(was), events } : null;
      const entry = await requests.in(tenantId).change(id, decide, { cause: cause() });
      // Cancelled meanwhile: what is not removed yet stays.
      if (entry?.state.status === 'cancelled') throw new Interrupted();
      return entry?.state;
    };
    await change(was => ({ ...was, held: 0 }));
    const why = { reason: 'deletion_request', reference: id } as const;
    await remove(tenantId, inScope(tenantId, sizes, request), why, async ({ removed, held }) => {
      await change(was => ({ ...was, removed: was.removed + removed, held: was.held + held }));
    });
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

  async function sizesOf(tenantId: TenantId): Promise<Map<string, number>> {
    const checkpoint = await checkpointer.sign(tenantId);
    return new Map(checkpoint?.content.chains.map(({ chain, size }) => [chain, size]));
  }

  /** When there is next something to do; null while there is neither a policy nor a request. */
  async function removeAll(tenantId: TenantId): Promise<string | null> {
    const sizes = await sizesOf(tenantId);
    const hasPolicy = await removeExpired(tenantId, sizes);
    const waiting: string[] = hasPolicy ? [new Date(clock.now().getTime() + parts.intervalMs).toISOString()] : [];
    for await (const entry of requests.in(tenantId).all('byStatus', { status: 'confirmed' })) {
      const { removesAt } = entry.state;
      if (removesAt === null) continue;
      if (removesAt > clock.now().toISOString()) waiting.push(removesAt);
      else await removeRequested(tenantId, sizes, entry);
    }
    return waiting.toSorted()[0] ?? null;
  }

  async function takeTurn(tenantId: TenantId) {
    const turn = await takeLease(tenantId);
    if (turn?.lease?.holder !== holder) return;
    let nextAt: string | null = new Date(clock.now().getTime() + leaseMs).toISOString();
    try {
      nextAt = await removeAll(tenantId);
    } catch (error) {
      if (error instanceof Interrupted) nextAt = clock.now().toISOString();
      else parts.onError(error);
    }
    await changeTurn(tenantId, was => (was.lease?.holder === holder ? end(was, nextAt, clock.now()) : null));
  }

  async function look() {
    for (const { tenantId } of await turns.acrossTenants('what is to be removed of all tenants').due(20))
      if (!stopped) await takeTurn(tenantId);
  }

  function schedule() {
    if (stopped) return;
    timer = setTimeout(() => {
      working = look().then(undefined, parts.onError).finally(schedule);
    }, lookEveryMs);
  }

  return {
    start: schedule,

    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await working;
    },

    /** Has a tenant looked at when that time has come. */
    async wakeAt(tenantId: TenantId, at: Date): Promise<void> {
      const decide = (turn: Turn | null) => ({ state: wake(turn, at.toISOString(), clock.now()), events: [] });
      await turns.in(tenantId).change(turnId, decide, { cause: cause() });
    },

    /** Waits for the batch that is under way: the one after it reads the holds that there are now. */
    async batchEnded(tenantId: TenantId): Promise<void> {
      const leaseOf = async () => {
        const turn = (await turns.in(tenantId).get(turnId))?.state;
        return turn && isLeased(turn, clock.now()) ? turn.lease?.until : undefined;
      };
      const until = await leaseOf();
      while (until !== undefined && (await leaseOf()) === until) await sleep(waitForBatchMs);
    },
  };
}

function runsOf(removed: readonly StoredRecord[]): Tombstone['removed'] {
  const runs: Tombstone['removed'] = [];
  for (const { sequence, hash } of removed) {
    const run = runs.at(-1);
    if (run && run.first + run.hashes.length === sequence) run.hashes.push(hash);
    else runs.push({ first: sequence, hashes: [hash] });
  }
  return runs;
}
