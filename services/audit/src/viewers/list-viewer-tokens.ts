import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Viewers, viewersPath, viewerView, viewOf } from './viewer-token.ts';

export const listViewerTokens = ({ viewers }: { viewers: Viewers }) =>
  tenantRoute({
    method: 'get',
    path: viewersPath,
    summary: 'List the viewer tokens that have not expired, newest first; never the tokens themselves',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(viewerView),
    handle: async ({ tenantId, query }) => paged(await viewers.in(tenantId).list('inOrder', {}, query), viewOf),
  });
