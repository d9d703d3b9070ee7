// Appends to chains. One consumer owns a source partition, so a chain has one writer; should two believe they do, after a rebalance, the
// unique place of a record refuses the slower one, which then reads the head again.
import { type AuditRecord, type ChainedRecord, chain } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import {
  advance,
  fromStored,
  type Head,
  type Heads,
  loadHead,
  type Records,
  type StoredRecord,
  toStored,
} from './chain-store.ts';

export type Arrival = { record: Omit<AuditRecord, 'sequence' | 'previousHash'>; offset: string };

type Plan = {
  tenantId: TenantId;
  arrivals: readonly Arrival[];
  chained: ChainedRecord[];
  rows: { tenantId: TenantId; id: string; state: StoredRecord }[];
  head: Head | null;
};

export type ChainWriter = ReturnType<typeof createChainWriter>;

const rememberedHeads = 20_000;
const rememberedForMs = 30_000;
const attempts = 20;

type Parts = {
  records: Records;
  heads: Heads;
  clock: Clock;
  /**
   * How long a head is remembered without being written. Less than the youngest record that may be removed is old: after a rebalance the head may be another's to
   * move, and a place that was freed by a removal refuses nobody.
   */
  rememberMs?: number;
  /** Told of each tenant whose log grew. */
  onAppended?: (tenantId: TenantId) => void;
};

export function createChainWriter({
  records,
  heads,
  clock,
  rememberMs = rememberedForMs,
  onAppended = () => undefined,
}: Parts) {
  const remembered = new LRUCache<string, { head: Head | null }>({ max: rememberedHeads, ttl: rememberMs, perf: Date });

  async function keepHeads(chainId: string, plans: readonly Pick<Plan, 'tenantId' | 'rows' | 'head'>[]) {
    const moved = plans.flatMap(({ tenantId, rows, head }) => {
      const next = advance(
        head,
        rows.map(({ state }) => state),
      );
      return next && rows.length > 0 ? [{ tenantId, id: chainId, state: next }] : [];
    });
    await heads.acrossTenants('the heads of chains of one source partition').putAll(moved);
    for (const { tenantId, state } of moved) {
      remembered.set(keyOf(tenantId, chainId), { head: state });
      onAppended(tenantId);
    }
  }

  async function headOf(tenantId: TenantId, chainId: string): Promise<Head | null> {
    const key = keyOf(tenantId, chainId);
    const known = remembered.get(key);
    if (known) return known.head;
    const head = await loadHead({ records, heads }, tenantId, chainId);
    remembered.set(key, { head });
    return head;
  }

  const keyOf = (tenantId: TenantId, chainId: string) => `${tenantId} ${chainId}`;

  /** Never before what was chained before it, whatever the clock of another instance said: a period is a run of the chain. */
  function loggedAtAfter(head: Head | null): string {
    const now = clock.now().toISOString();
    return head && head.loggedAt > now ? head.loggedAt : now;
  }

  /** The arrivals as the next records of a chain, and how those are stored. */
  function link(tenantId: TenantId, head: Head | null, arrivals: readonly Arrival[]): Pick<Plan, 'chained' | 'rows'> {
    const loggedAt = loggedAtAfter(head);
    const chained: ChainedRecord[] = [];
    let previous: { hash: string; sequence: number } | null = head;
    for (const { record } of arrivals) {
      const entry = chain(previous, record);
      previous = { hash: entry.hash, sequence: entry.record.sequence };
      chained.push(entry);
    }
    const rows = chained.map((entry, index) => ({
      tenantId,
      id: entry.record.eventId,
      state: toStored(entry, { offset: arrivals[index]?.offset ?? '', loggedAt }),
    }));
    return { chained, rows };
  }

  /**
   * Appends what is not in the chain yet and returns what is in it of the arrivals, in order: also those of an earlier
   * delivery, whose publication may not have happened. A producer's duplicate (a known event at a new offset) is left out.
   */
  async function append(tenantId: TenantId, chainId: string, arrivals: readonly Arrival[]): Promise<ChainedRecord[]> {
    const collection = records.in(tenantId);
    const result: ChainedRecord[] = [];
    let waiting = [...arrivals];
    for (let attempt = 0; waiting.length > 0; attempt += 1) {
      if (attempt >= attempts) throw new Error('the chain could not be appended to');
      const head = await headOf(tenantId, chainId);
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
      const { chained, rows } = link(tenantId, head, fresh);
      const inserted = await collection.insertInOrder(rows);
      result.push(...chained.slice(0, inserted));
      await keepHeads(chainId, [{ tenantId, head, rows: rows.slice(0, inserted) }]);
      const refused = rows[inserted];
      if (!refused) break;
      // Refused: either this event is in the log already, or another writer has taken the place.
      const known = await collection.get(refused.id);
      waiting = fresh.slice(known ? inserted + 1 : inserted);
      if (!known) remembered.delete(keyOf(tenantId, chainId));
    }
    return result;
  }

  /** What would be appended for one tenant, were all of it new; null where some of it is known to have been here before. */
  async function plan(tenantId: TenantId, chainId: string, arrivals: readonly Arrival[]): Promise<Plan | null> {
    const head = await headOf(tenantId, chainId);
    const ids = new Set(arrivals.map(({ record }) => record.eventId));
    if (ids.size < arrivals.length) return null;
    if (head && arrivals.some(({ offset }) => BigInt(offset) <= BigInt(head.offset))) return null;
    return { tenantId, arrivals, head, ...link(tenantId, head, arrivals) };
  }

  return {
    append,

    /** The same for the arrivals of many tenants in one source partition: one insert and one write of the heads, as long as all of it is new. */
    async appendAll(chainId: string, arrivals: ReadonlyMap<TenantId, readonly Arrival[]>): Promise<ChainedRecord[]> {
      const result: ChainedRecord[] = [];
      const all = await Promise.all(
        [...arrivals].map(async ([tenantId, own]) => ({ tenantId, own, planned: await plan(tenantId, chainId, own) })),
      );
      for (const { tenantId, own, planned } of all)
        if (!planned) result.push(...(await append(tenantId, chainId, own)));
      const why = 'the records of one source partition, which belong to many tenants';
      let waiting = all.flatMap(({ planned }) => planned ?? []);
      while (waiting.length > 0) {
        const inserted = await records.acrossTenants(why).insertInOrder(waiting.flatMap(({ rows }) => rows));
        let end = 0;
        const whole = waiting.filter(({ rows }) => {
          end += rows.length;
          return end <= inserted;
        });
        await keepHeads(chainId, whole);
        result.push(...whole.flatMap(({ chained }) => chained));
        // Refused: an event that is in the log already, or a place that another writer has taken. By itself, from a fresh look at the head.
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
