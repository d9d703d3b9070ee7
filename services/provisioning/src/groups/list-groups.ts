import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Groups, groupView, viewOf } from './group.ts';

export const listGroups = ({ groups }: { groups: Groups }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/groups',
    summary: 'List groups in the order of their creation',
    action: 'groups:read',
    query: pageQuery,
    response: pageOf(groupView),
    handle: async ({ tenantId, query }) => paged(await groups.in(tenantId).list('inOrder', {}, query), viewOf),
  });
