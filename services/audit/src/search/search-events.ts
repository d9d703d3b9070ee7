import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { filters, findRecords } from '../log/find-records.ts';
import { eventView, type Readable, viewOfStored } from './event-view.ts';
import type { SavedViews } from './saved-view.ts';

const query = z.strictObject({
  ...pageQuery.shape,
  ...filters.shape,
  view: z
    .string()
    .max(60)
    .optional()
    .describe('A saved view, whose filters count where none of the same name is given'),
});

export const searchEvents = ({ views, ...log }: Readable & { views: SavedViews }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events',
    summary: 'Search the audit log, newest first; filters combine. A page may be short and yet have a `nextCursor`',
    action: 'audit:read',
    crossOrigin: true,
    query,
    response: pageOf(eventView),
    async handle({ tenantId, query: { limit, cursor, view, ...given } }) {
      const saved = view === undefined ? {} : (await readExisting(views.in(tenantId), view)).state.filters;
      const page = await findRecords(log.records, tenantId, { filters: { ...saved, ...given }, limit, cursor });
      return paged(page, entry => viewOfStored(log, entry));
    },
  });
