import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Endpoints } from './endpoint.ts';
import { endpointView, type ShowParts, showEndpoint } from './show-endpoint.ts';

export const readEndpoint = ({ endpoints, ...parts }: ShowParts & { endpoints: Endpoints }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}',
    summary: 'Read one webhook endpoint',
    action: 'webhooks:read',
    response: endpointView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(endpoints.in(tenantId), params.endpointId);
      return { body: await showEndpoint(parts, tenantId, entry), version: entry.version };
    },
  });
