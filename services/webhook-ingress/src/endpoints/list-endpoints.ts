import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Endpoints, endpointView, viewOf } from './endpoint.ts';

export const listEndpoints = ({ endpoints, selfUrl }: { endpoints: Endpoints; selfUrl: string }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints',
    summary: 'List webhook endpoints',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(endpointView),
    async handle({ tenantId, query }) {
      const page = await endpoints.in(tenantId).list('inOrder', {}, query);
      return { body: { items: page.items.map(entry => viewOf(entry, selfUrl)), nextCursor: page.nextCursor } };
    },
  });
