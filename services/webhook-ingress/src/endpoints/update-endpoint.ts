import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { adjust, assertConsistent, type Endpoint, type Endpoints, settingsBody, settingsIn } from './endpoint.ts';
import type { Receivers } from './receivers.ts';
import { endpointView, type ShowParts, showEndpoint } from './show-endpoint.ts';

type Parts = ShowParts & { endpoints: Endpoints; receivers: Receivers };

export const updateEndpoint = ({ endpoints, receivers, ...parts }: Parts) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}',
    summary: "Change an endpoint's settings; what is left out stays",
    action: 'webhooks:write',
    versioned: true,
    body: settingsBody,
    response: endpointView,
    async handle({ tenantId, params: { endpointId: id }, body, cause, expectedVersion }) {
      const settings = settingsIn(body);
      const decide = (endpoint: Endpoint) => {
        assertConsistent({ ...endpoint, ...settings });
        return adjust(id, endpoint, settings);
      };
      const entry = await changeExisting(endpoints.in(tenantId), id, decide, { cause, expectedVersion });
      receivers.forget(id);
      return { body: await showEndpoint(parts, tenantId, entry), version: entry.version };
    },
  });
