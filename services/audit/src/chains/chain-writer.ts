// Appends to chains. One consumer owns a source partition, so a chain has one writer; should two believe they do, after a rebalance, the
// unique place of a record refuses the slower one, which then reads the head again.
import { type AuditRecord, type ChainedRecord, chain } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { advance, fromStored, type Head, type Heads, loadHead, type Records, toStored } from './chain-store.ts';

export type Arrival = { record: Omit<AuditRecord, 'sequence' | 'previousHash'>; offset: string };

export type ChainWriter = ReturnType<typeof createChainWriter>;

const rememberedHeads = 20_000;
const attempts = 20;

type Parts = {
  records: Records;
  heads: Heads;
  clock: Clock;
  /** Told of each tenant whose log grew. */
  onAppended?: (tenantId: TenantId) => void;
};

export function createChainWriter({ records, heads, clock, onAppended = () => undefined }: Parts) {
  const remembered = new Map<string, Head | null>();

  async function headOf(tenantId: TenantId, chainId: string): Promise<Head | null> {
    const key = `${tenantId} ${chainId}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const head = await loadHead({ records, heads }, tenantId, chainId);
    if (remembered.size >= rememberedHeads) remembered.clear();
    remembered.set(key, head);
    return head;
  }

  return {
    /**
     * Appends what is not in the chain yet and returns what is in it of the arrivals, in order: also those of an earlier
     * delivery, whose publication may not have happened. A producer's duplicate (a known event at a new offset) is left out.
     */
    async append(tenantId: TenantId, chainId: string, arrivals: readonly Arrival[]): Promise<ChainedRecord[]> {
      const collection = records.in(tenantId);
      const result: ChainedRecord[] = [];
      let waiting = [...arrivals];
      for (let attempt = 0; waiting.length > 0; attempt += 1) {
        if (attempt >= attempts) throw new Error('the chain could not be appended to');
        const head = await headOf(tenantId, chainId);
        const chained: { id: string; offset: string; entry: ChainedRecord }[] = [];
        let previous: { hash: string; sequence: number } | null = head;
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
          const entry = chain(previous, arrival.record);
          previous = { hash: entry.hash, sequence: entry.record.sequence };
          chained.push({ id: eventId, offset: arrival.offset, entry });
          fresh.push(arrival);
        }
        if (chained.length === 0) break;
        // Never before what was chained before it, whatever the clock of another instance said: a period is a run of the chain.
        const now = clock.now().toISOString();
        const loggedAt = head && head.loggedAt > now ? head.loggedAt : now;
        const rows = chained.map(({ id, offset, entry }) => ({ id, state: toStored(entry, { offset, loggedAt }) }));
        const inserted = await collection.insertInOrder(rows);
        result.push(...chained.slice(0, inserted).map(({ entry }) => entry));
        const key = `${tenantId} ${chainId}`;
        const next = advance(
          head,
          rows.slice(0, inserted).map(({ state }) => state),
        );
        if (next && inserted > 0) {
          await heads.in(tenantId).put(chainId, next);
          remembered.set(key, next);
          onAppended(tenantId);
        }
        if (inserted === chained.length) break;
        // Refused: either this event is in the log already, or another writer has taken the place.
        const refused = chained[inserted];
        const known = refused && (await collection.get(refused.id));
        waiting = fresh.slice(known ? inserted + 1 : inserted);
        if (!known) remembered.delete(key);
      }
      return result;
    },
  };
}
