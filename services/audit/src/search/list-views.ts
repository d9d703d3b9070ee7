import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type SavedViews, savedViewOnList, savedViewsPath, viewOf } from './saved-view.ts';

export const listViews = ({ views }: { views: SavedViews }) =>
  tenantRoute({
    method: 'get',
    path: savedViewsPath,
    summary: 'List the saved views of the audit log',
    action: 'audit:read',
    crossOrigin: true,
    query: pageQuery,
    response: pageOf(savedViewOnList),
    handle: async ({ tenantId, query }) => paged(await views.in(tenantId).list('inOrder', {}, query), viewOf),
  });
