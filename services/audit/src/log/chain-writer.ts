// Appends to chains. One consumer owns a source partition, so a chain has one writer; should two believe they do,
// after a rebalance, the unique place of a record refuses the slower one, which then reads the head again.
import { type AuditRecord, type ChainedRecord, chain } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { yieldEvery } from '@reeve/service-kit';
import { LRUCache } from 'lru-cache';
import { advance, type Head, loadHeads } from './head.ts';
import type { Log } from './log.ts';
import { fromStored, type StoredRecord, toStored } from './record.ts';

export type Arrival = { record: Omit<AuditRecord, 'sequence' | 'previousHash'>; offset: string };

/** What is to be appended to the chain of a tenant, and the head that it follows. */
type Plan = {
  tenantId: TenantId;
  arrivals: readonly Arrival[];
  head: Head | null;
  chained: ChainedRecord[];
  rows: { tenantId: TenantId; id: string; state: StoredRecord }[];
};

export type ChainWriter = ReturnType<typeof createChainWriter>;

const rememberedHeads = 20_000;
const rememberedForMs = 30_000;
const attempts = 20;
const longestTurnMs = 10;

type Parts = Pick<Log, 'records' | 'heads' | 'clock'> & {
  /**
   * How long a head is remembered without being written. Less than the youngest record that may be removed is old:
   * after a rebalance the head may be another's to move, and a place that was freed by a removal refuses nobody.
   */
  rememberMs?: number;
  /** Told of each tenant whose log grew. */
  onAppended?: (tenantId: TenantId) => void;
};

const keyOf = (tenantId: TenantId, chainId: string) => `${tenantId} ${chainId}`;

export function createChainWriter(parts: Parts) {
  const { records, heads, clock, rememberMs = rememberedForMs, onAppended = () => undefined } = parts;
  const remembered = new LRUCache<string, { head: Head | null }>({ max: rememberedHeads, ttl: rememberMs, perf: Date });

  async function headsOf(chainId: string, tenantIds: readonly TenantId[]): Promise<Map<TenantId, Head | null>> {
    const found = new Map<TenantId, Head | null>();
    for (const tenantId of tenantIds) {
      const known = remembered.get(keyOf(tenantId, chainId));
      if (known) found.set(tenantId, known.head);
    }
    const unknown = tenantIds.filter(tenantId => !found.has(tenantId));
    if (unknown.length === 0) return found;
    for (const [tenantId, head] of await loadHeads({ records, heads }, chainId, unknown)) {
      remembered.set(keyOf(tenantId, chainId), { head });
      found.set(tenantId, head);
    }
    return found;
  }

  async function writeHeads(chainId: string, plans: readonly Pick<Plan, 'tenantId' | 'rows' | 'head'>[]) {
    const moved = plans.flatMap(({ tenantId, rows, head }) => {
      const states = rows.map(({ state }) => state);
      const next = advance(head, states);
      return next && rows.length > 0 ? [{ tenantId, id: chainId, state: next }] : [];
    });
    await heads.acrossTenants('the heads of chains of one source partition').putAll(moved);
    for (const { tenantId, state } of moved) {
      remembered.set(keyOf(tenantId, chainId), { head: state });
      onAppended(tenantId);
    }
  }

  /**
   * Never before what was chained before it, whatever the clock of another instance said: a period is a run of the
   * chain.
   */
  function loggedAtAfter(head: Head | null): string {
    const now = clock.now().toISOString();
    return head && head.loggedAt > now ? head.loggedAt : now;
  }

  async function plan(tenantId: TenantId, head: Head | null, arrivals: readonly Arrival[]): Promise<Plan> {
    const rest = yieldEvery(longestTurnMs);
    const loggedAt = loggedAtAfter(head);
    const chained: ChainedRecord[] = [];
    const rows: Plan['rows'] = [];
    let previous: { hash: string; sequence: number } | null = head;
    for (const { record, offset } of arrivals) {
      const entry = chain(previous, record);
      previous = { hash: entry.hash, sequence: entry.record.sequence };
      chained.push(entry);
      rows.push({ tenantId, id: record.eventId, state: toStored(entry, { offset, loggedAt }) });
      await rest();
    }
    return { tenantId, arrivals, head, chained, rows };
  }

  /**
   * Appends what is not in the chain yet and returns what is in it of the arrivals, in order: also those of an earlier
   * delivery, whose publication may not have happened. A producer's duplicate (a known event at a new offset) is left
   * out.
   */
  async function append(tenantId: TenantId, chainId: string, arrivals: readonly Arrival[]): Promise<ChainedRecord[]> {
    const collection = records.in(tenantId);
    const result: ChainedRecord[] = [];
    let waiting = [...arrivals];
    for (let attempt = 0; waiting.length > 0; attempt += 1) {
      if (attempt >= attempts) throw new Error('the chain could not be appended to');
      const head = (await headsOf(chainId, [tenantId])).get(tenantId) ?? null;
      const seen = new Set<string>();
      const fresh: Arrival[] = [];
      for (const arrival of waiting) {
        const { eventId } = arrival.record;
        if (head && BigInt(arrival.offset) <= BigInt(head.offset)) {
          const earlier = await collection.get(eventId);
          if (earlier && earlier.state.offset === arrival.offset) result.push(fromStored(earlier.state));
          continue;
        }
        if (seen.has(eventId)) continue;
        seen.add(eventId);
        fresh.push(arrival);
      }
      if (fresh.length === 0) break;
      const { chained, rows } = await plan(tenantId, head, fresh);
      const inserted = await collection.insertInOrder(rows);
      result.push(...chained.slice(0, inserted));
      await writeHeads(chainId, [{ tenantId, head, rows: rows.slice(0, inserted) }]);
      const refused = rows[inserted];
      if (!refused) break;
      // Refused: either this event is in the log already, or another writer has taken the place.
      const known = await collection.get(refused.id);
      waiting = fresh.slice(known ? inserted + 1 : inserted);
      if (!known) remembered.delete(keyOf(tenantId, chainId));
    }
    return result;
  }

  /** Whether none of it can be in the chain already, as far as the head says. */
  function isFresh(head: Head | null, arrivals: readonly Arrival[]): boolean {
    const ids = new Set(arrivals.map(({ record }) => record.eventId));
    const isBehind = ({ offset }: Arrival) => head !== null && BigInt(offset) <= BigInt(head.offset);
    return ids.size === arrivals.length && !arrivals.some(isBehind);
  }

  return {
    append,

    /**
     * The same for many tenants in one source partition: one insert and one write of the heads, as long as all of it
     * is new.
     */
    async appendAll(chainId: string, arrivals: ReadonlyMap<TenantId, readonly Arrival[]>): Promise<ChainedRecord[]> {
      const result: ChainedRecord[] = [];
      const known = await headsOf(chainId, [...arrivals.keys()]);
      let waiting: Plan[] = [];
      for (const [tenantId, own] of arrivals) {
        const head = known.get(tenantId) ?? null;
        if (isFresh(head, own)) waiting.push(await plan(tenantId, head, own));
        else result.push(...(await append(tenantId, chainId, own)));
      }
      const why = 'the records of one source partition, which belong to many tenants';
      while (waiting.length > 0) {
        const inserted = await records.acrossTenants(why).insertInOrder(waiting.flatMap(({ rows }) => rows));
        let end = 0;
        const whole = waiting.filter(({ rows }) => {
          end += rows.length;
          return end <= inserted;
        });
        await writeHeads(chainId, whole);
        result.push(...whole.flatMap(({ chained }) => chained));
        // Refused: an event that is in the log already, or a place that another writer has taken. From a fresh look at
        // the head.
        const refused = waiting[whole.length];
        if (!refused) break;
        remembered.delete(keyOf(refused.tenantId, chainId));
        result.push(...(await append(refused.tenantId, chainId, refused.arrivals)));
        waiting = waiting.slice(whole.length + 1);
      }
      return result;
    },
  };
}
