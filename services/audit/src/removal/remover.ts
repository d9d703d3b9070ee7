// Removes records of which the retention is over, or for which there is a confirmed request: in batches of a few
// hundred with pauses, so that everything else goes on beside it. A signed tombstone is in the store before any of its
// records is gone, and only records that a checkpoint covers are removed, so at every moment the log can be verified.
// Legal holds are read anew for every batch.
import { setTimeout as pause } from 'node:timers/promises';
import { blockOf } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { type Held, leased, worker } from '@reeve/service-kit';
import type { Log } from '../log/log.ts';
import { fromStored, type StoredRecord } from '../log/record.ts';
import { searchFieldsOf, searchVersion } from '../log/search-fields.ts';
import { type DueParts, type Found, type Outcome, type Task, tasksOf } from './due-records.ts';
import type { Holds } from './legal-hold.ts';
import { end, type Turn, type Turns, take, wakeAt } from './removal-turn.ts';
import { removeRecords } from './remove-records.ts';
import { isIn, type Scope } from './scope.ts';

type Parts = DueParts &
  Pick<Log, 'tombstones' | 'signingKey'> & {
    holds: Holds;
    turns: Turns;
    /** How often the retention of a tenant is looked at. */
    intervalMs: number;
    /** Awaited before each batch: requests come first. */
    giveWay: () => Promise<void>;
    onError: (error: unknown) => void;
  };

const leaseMs = 12_000;
/** Of a lease, what has to be left for records to be removed under it. */
const leastLeftMs = 4_000;
const lookEveryMs = 2_000;
const leastBatch = 128;
/** Then another tenant has its turn. */
const turnMs = 30_000;
const longestPauseMs = 2_000;

/**
 * The lease went to somebody else, another tenant waits, or the service stops: what is left is done in another turn.
 */
class Interrupted extends Error {}

export function createRemover(parts: Parts) {
  const { requests, policies, holds, turns, clock, intervalMs, giveWay, onError } = parts;

  /**
   * Returns a check that throws when the lease is nearly over: once a lease has ended, nothing is removed under it, and
   * a legal hold relies on that.
   */
  async function renew(turn: Held<Turn>): Promise<() => void> {
    const renewed = removing.isStopped() ? null : await turn.renew();
    if (!renewed?.lease) throw new Interrupted();
    const until = Date.parse(renewed.lease.until) - leastLeftMs;
    return () => {
      if (clock.now().getTime() >= until) throw new Interrupted();
    };
  }

  async function isHeldOf(tenantId: TenantId): Promise<(record: StoredRecord) => boolean> {
    const scopes: Scope[] = [];
    for await (const { state } of holds.in(tenantId).all('byRelease', { releasedAt: null })) scopes.push(state.scope);
    return record => {
      // What an earlier version made a record searchable by may be less than a hold has to find.
      const { about } = record.searchVersion === searchVersion ? record : searchFieldsOf(fromStored(record).record);
      return scopes.some(scope => isIn(scope, { ...record, about }));
    };
  }

  /** One batch, which may be of several chains. */
  async function removeBatch(turn: Held<Turn>, batch: readonly Found[], { why, stillDue }: Task): Promise<Outcome> {
    const { tenantId } = turn;
    await giveWay();
    const began = performance.now();
    const assertInTime = await renew(turn);
    const [isDue, isHeld] = [await stillDue(), await isHeldOf(tenantId)];
    const due = batch.filter(({ state }) => isDue(state));
    const free = due.filter(({ state }) => !isHeld(state));
    const blocks = Map.groupBy(free, ({ state }) => `${state.chain}/${blockOf(state.sequence)}`);
    for (const block of blocks.values()) {
      const inOrder = block.toSorted((one, other) => one.state.sequence - other.state.sequence);
      await removeRecords(parts, { tenantId, found: inOrder, why, assertInTime });
    }
    // A tenth of the time is ours, unless a batch takes very long.
    if (free.length > 0) await pause(Math.min(longestPauseMs, (performance.now() - began) * 9));
    return { removed: free.length, held: due.length - free.length };
  }

  async function perform(turn: Held<Turn>, task: Task, endsAt: number): Promise<void> {
    let batch: Found[] = [];
    const isBoundary = ({ state: { chain, sequence } }: Found) => {
      const before = batch.at(-1)?.state;
      return before && (before.chain !== chain || blockOf(before.sequence) !== blockOf(sequence));
    };
    const flush = async () => {
      const outcome = await removeBatch(turn, batch, task);
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
    await task.onDone?.();
  }

  /** When there is next something to do. */
  async function performAll(turn: Held<Turn>): Promise<string | null> {
    const endsAt = performance.now() + turnMs;
    const tasks = tasksOf(parts, turn.tenantId, { intervalMs });
    for (let next = await tasks.next(); ; next = await tasks.next()) {
      if (next.done) return next.value;
      await perform(turn, next.value, endsAt);
    }
  }

  async function work(turn: Held<Turn>): Promise<void> {
    let nextAt: string | null = new Date(clock.now().getTime() + leaseMs).toISOString();
    try {
      nextAt = await performAll(turn);
    } catch (error) {
      if (error instanceof Interrupted) nextAt = clock.now().toISOString();
      else onError(error);
    }
    await turn.change(was => end(was, nextAt, clock.now()));
  }

  const reason = 'what is to be removed of all tenants';
  const removing = worker({
    ...leased({ collection: turns, reason, take, forMs: leaseMs, clock, service: 'audit' }),
    work,
    atOnce: 1,
    everyMs: lookEveryMs,
    onError,
  });

  /** Every tenant that may have something to remove is looked at once, whatever was written of its turn before. */
  async function wakeAll(): Promise<void> {
    const why = 'what is to be removed, should a process have ended before it said when';
    const wakeNow = (tenantId: TenantId) => wakeAt(turns, tenantId, { at: clock.now(), now: clock.now() });
    for await (const { tenantId } of policies.acrossTenants(why).all()) {
      if (removing.isStopped()) return;
      await wakeNow(tenantId);
    }
    for await (const { tenantId, state } of requests.acrossTenants(why).all()) {
      if (removing.isStopped()) return;
      if (state.status === 'confirmed') await wakeNow(tenantId);
    }
  }

  /** Until it is done: who is not woken now may be looked at by nobody before the next start. */
  async function tryToWakeAll(): Promise<void> {
    while (!removing.isStopped())
      try {
        return await wakeAll();
      } catch (error) {
        onError(error);
        await pause(lookEveryMs);
      }
  }

  let waking: Promise<void> | undefined;

  return {
    /** Waking takes long where there are many tenants, and nothing else has to wait for it. */
    start(): void {
      waking = tryToWakeAll();
      removing.start();
    },

    async stop(): Promise<void> {
      await removing.stop();
      await waking;
    },
  };
}
