// Makes what records are searched by again from the records: after an upgrade that changed it, or should search ever miss what is stored.
import { because, type Cause, type EventDraft, type TenantId } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { fromStored, type Heads, type Records } from '../chains/chain-store.ts';
import { searchFieldsOf } from './search-fields.ts';

type Parts = {
  records: Records;
  heads: Heads;
  recordFact: (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;
};

const position = z.strictObject({ chain: z.string().max(300), sequence: z.number().int().nonnegative() });

export const rebuildSearch = ({ records, heads, recordFact }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/audit/search:rebuild',
    summary:
      'Make what a portion of the records is searched by again; call with `after` = `next` until that is null. `reeve audit rebuild-search` does',
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
      const collection = records.in(tenantId);
      const where = { sequence: { $gt: after?.sequence ?? 0 } };
      const { items } = await collection.list('byChain', { chain }, { limit, where });
      let rebuilt = 0;
      for (const { id, state } of items) {
        const fields = searchFieldsOf(fromStored(state).record);
        const held = Object.fromEntries(Object.keys(fields).map(name => [name, state[name as keyof typeof fields]]));
        if (JSON.stringify(held) === JSON.stringify(fields)) continue;
        await collection.patch([id], fields);
        rebuilt += 1;
      }
      const last = items.at(-1);
      const nextChain = chains[chains.indexOf(chain) + 1];
      const next =
        last && items.length === limit
          ? { chain, sequence: last.state.sequence }
          : nextChain === undefined
            ? null
            : { chain: nextChain, sequence: 0 };
      if (rebuilt > 0) {
        const target = { type: 'audit_log', id: tenantId, name: null };
        const details = { looked: items.length, rebuilt };
        const reason = because('requested');
        await recordFact(tenantId, { type: 'search.rebuilt', target, outcome: 'success', reason, details }, cause);
      }
      return { body: { looked: items.length, rebuilt, next } };
    },
  });
