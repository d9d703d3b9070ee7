import { ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Endpoints, endpointView } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';
import { showEndpoint, showEndpoints } from './show-endpoint.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; selfUrl: string };

export const listEndpoints = ({ endpoints, secrets, selfUrl }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints',
    summary: 'List webhook endpoints',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(endpointView),
    async handle({ tenantId, query }) {
      const page = await endpoints.in(tenantId).list('inOrder', {}, query);
      const items = await showEndpoints({ secrets, selfUrl }, tenantId, page.items);
      return { body: { items, nextCursor: page.nextCursor } };
    },
  });

export const readEndpoint = ({ endpoints, secrets, selfUrl }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}',
    summary: 'Read one webhook endpoint',
    action: 'webhooks:read',
    response: endpointView,
    async handle({ tenantId, params }) {
      const entry = await endpoints.in(tenantId).get(String(params['endpointId']));
      if (!entry) throw new ProblemError('not_found');
      return { body: await showEndpoint({ secrets, selfUrl }, tenantId, entry), version: entry.version };
    },
  });
