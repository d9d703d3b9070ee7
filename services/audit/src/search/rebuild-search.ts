// Makes what records are found by again from the records: after an upgrade that changed it, or should search ever miss
// what is stored.
import { event, type TenantId } from '@reeve/contracts';
import { tenantRoute, yieldEvery } from '@reeve/service-kit';
import type { Entry, Store } from '@reeve/store';
import { z } from 'zod';
import type { Heads } from '../log/head.ts';
import { fromStored, type Records, type StoredRecord } from '../log/record.ts';
import { type SearchFields, searchFieldsOf } from '../log/search-fields.ts';

type Parts = { records: Records; heads: Heads; recordFact: Store['recordFact']; giveWay: () => Promise<void> };

const longestTurnMs = 10;

const position = z.strictObject({ chain: z.string().max(300), sequence: z.number().int().nonnegative() });
type Position = z.infer<typeof position>;

export const rebuildSearch = ({ records, heads, recordFact, giveWay }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/audit/search:rebuild',
    summary:
      'Make what a portion of the records is searched by again; call with `after` = `next` until that is null. ' +
      '`reeve audit rebuild-search` does',
    action: 'audit:configure',
    body: z.strictObject({ after: position.optional(), limit: z.number().int().min(1).max(5_000).default(1_000) }),
    response: z.object({
      looked: z.number().describe('Records of this portion'),
      rebuilt: z.number().describe('Of these, how many were not searchable as they should'),
      next: position.nullable(),
    }),
    async handle({ tenantId, body: { after, limit }, cause }) {
      const chains: string[] = [];
      for await (const { id } of heads.in(tenantId).all('inOrder', {})) chains.push(id);
      const chain = after?.chain ?? chains[0];
      if (chain === undefined) return { body: { looked: 0, rebuilt: 0, next: null } };
      const range = { after: after?.sequence ?? 0 };
      const { items } = await records.in(tenantId).list('byChain', { chain }, { limit, range });
      const wrong = await wrongAmong(items, giveWay);
      for (const { id, state } of wrong) await records.in(tenantId).patch([id], fieldsOf(state));
      if (wrong.length > 0) await recordFact(tenantId, rebuilt(tenantId, items, wrong), cause);
      const next = nextAfter(items, { chain, chains, limit });
      return { body: { looked: items.length, rebuilt: wrong.length, next } };
    },
  });

type Found = readonly Entry<StoredRecord>[];

const fieldsOf = (state: StoredRecord): SearchFields => searchFieldsOf(fromStored(state).record);

async function wrongAmong(found: Found, giveWay: Parts['giveWay']): Promise<Found> {
  const rest = yieldEvery(longestTurnMs, giveWay);
  const wrong: Entry<StoredRecord>[] = [];
  for (const one of found) {
    if (!isAsItShould(one.state)) wrong.push(one);
    await rest();
  }
  return wrong;
}

function isAsItShould(state: StoredRecord): boolean {
  const fields = fieldsOf(state);
  const held = Object.fromEntries(Object.keys(fields).map(name => [name, state[name as keyof SearchFields]]));
  return JSON.stringify(held) === JSON.stringify(fields);
}

const rebuilt = (tenantId: TenantId, looked: Found, wrong: Found) =>
  event('search.rebuilt', {
    id: tenantId,
    because: 'requested',
    details: { looked: looked.length, rebuilt: wrong.length },
  });

function nextAfter(
  found: Found,
  { chain, chains, limit }: { chain: string; chains: readonly string[]; limit: number },
): Position | null {
  const last = found.at(-1);
  if (last && found.length === limit) return { chain, sequence: last.state.sequence };
  const next = chains[chains.indexOf(chain) + 1];
  return next === undefined ? null : { chain: next, sequence: 0 };
}
