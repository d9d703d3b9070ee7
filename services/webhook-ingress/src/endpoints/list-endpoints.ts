import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Endpoints } from './endpoint.ts';
import { endpointView, type ShowParts, showEndpoints } from './show-endpoint.ts';

export const listEndpoints = ({ endpoints, ...parts }: ShowParts & { endpoints: Endpoints }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints',
    summary: 'List webhook endpoints',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(endpointView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await endpoints.in(tenantId).list('inOrder', {}, query);
      return { body: { items: await showEndpoints(parts, tenantId, items), nextCursor } };
    },
  });
