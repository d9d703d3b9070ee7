import { ProblemError, type TenantId } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Entry, Page } from '@reeve/store';
import { z } from 'zod';
import { fromStored, type Records, type StoredRecord } from '../chains/chain-store.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { eventView, viewOf } from './event-view.ts';
import { type Filters, filters, planSearch } from './plan-search.ts';
import type { SavedViews } from './saved-views.ts';

type Parts = { records: Records; views: SavedViews; signingKey: () => SigningKey };

const query = z.strictObject({
  ...pageQuery.shape,
  ...filters.shape,
  view: z
    .string()
    .max(60)
    .optional()
    .describe('A saved view, whose filters count where none of the same name is given'),
});

/** A page of a text may need several looks; after this many it is answered with what was found and a cursor to go on. */
const looks = 20;

export const searchEvents = ({ records, views, signingKey }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events',
    summary: 'Search the audit log, newest first; filters combine',
    action: 'audit:read',
    query,
    response: pageOf(eventView),
    async handle({ tenantId, query: { limit, cursor, view, ...given } }) {
      const saved = view === undefined ? null : await views.in(tenantId).get(view);
      if (view !== undefined && !saved) throw new ProblemError('view_unknown');
      const page = await search(records, tenantId, { filters: { ...saved?.state.filters, ...given }, limit, cursor });
      const items = page.items.map(({ state }) => viewOf(fromStored(state), signingKey().kid));
      return { body: { items, nextCursor: page.nextCursor } };
    },
  });

export async function search(
  records: Records,
  tenantId: TenantId,
  { filters: given, limit, cursor }: { filters: Filters; limit: number; cursor?: string | undefined },
): Promise<Page<StoredRecord>> {
  const { query: name, equality, where, matches } = planSearch(given);
  const items: Entry<StoredRecord>[] = [];
  let next = cursor;
  for (let look = 0; look < looks; look += 1) {
    const page = await records.in(tenantId).list(name, equality, { limit: limit - items.length, cursor: next, where });
    items.push(...page.items.filter(matches));
    if (page.nextCursor === null || items.length >= limit) return { items, nextCursor: page.nextCursor };
    next = page.nextCursor;
  }
  return { items, nextCursor: next ?? null };
}
