import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type DeletionRequests, deletionsPath, requestView, viewOf } from './deletion-request.ts';

export const listDeletionRequests = ({ requests }: { requests: DeletionRequests }) =>
  tenantRoute({
    method: 'get',
    path: deletionsPath,
    summary: 'List the deletion requests, newest first',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(requestView),
    handle: async ({ tenantId, query }) => paged(await requests.in(tenantId).list('newest', {}, query), viewOf),
  });
