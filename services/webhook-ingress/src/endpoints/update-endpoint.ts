import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { adjust, complete, type Endpoints, endpointView } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';
import { assertConsistent, settingsBody, settingsIn } from './endpoint-settings.ts';
import type { Receivers } from './receivers.ts';
import { showEndpoint } from './show-endpoint.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; receivers: Receivers; selfUrl: string };

export const updateEndpoint = ({ endpoints, secrets, receivers, selfUrl }: Parts) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}',
    summary: "Change an endpoint's settings; what is left out stays",
    action: 'webhooks:write',
    body: settingsBody,
    response: endpointView,
    async handle({ tenantId, params, body, cause, expectedVersion }) {
      const id = String(params['endpointId']);
      const settings = settingsIn(body);
      const entry = await endpoints.in(tenantId).change(
        id,
        endpoint => {
          if (!endpoint) return null;
          assertConsistent({ ...complete(endpoint), ...settings });
          return adjust(id, endpoint, settings);
        },
        { cause, expectedVersion },
      );
      if (!entry) throw new ProblemError('not_found');
      receivers.forget(id);
      return { body: await showEndpoint({ secrets, selfUrl }, tenantId, entry), version: entry.version };
    },
  });
