import { ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Endpoints, endpointView, viewOf } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

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
      const ids = page.items.flatMap(({ state }) => state.secrets.map(secret => secret.id));
      const lastUsed = await secrets.lastUsed(tenantId, ids);
      return {
        body: { items: page.items.map(entry => viewOf(entry, selfUrl, lastUsed)), nextCursor: page.nextCursor },
      };
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
      const lastUsed = await secrets.lastUsed(
        tenantId,
        entry.state.secrets.map(secret => secret.id),
      );
      return { body: viewOf(entry, selfUrl, lastUsed), version: entry.version };
    },
  });
