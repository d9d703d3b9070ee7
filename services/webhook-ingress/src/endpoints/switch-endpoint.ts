import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { type Endpoint, type Endpoints, endpointView, turn } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';
import type { Receivers } from './receivers.ts';
import { showEndpoint } from './show-endpoint.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; receivers: Receivers; selfUrl: string };

const switchTo =
  (status: Endpoint['status'], { verb, summary }: { verb: string; summary: string }) =>
  ({ endpoints, secrets, receivers, selfUrl }: Parts) =>
    tenantRoute({
      method: 'post',
      path: `/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}:${verb}`,
      summary,
      action: 'webhooks:write',
      response: endpointView,
      async handle({ tenantId, params, cause, expectedVersion }) {
        const id = String(params['endpointId']);
        const entry = await endpoints
          .in(tenantId)
          .change(id, endpoint => endpoint && turn(id, endpoint, status, 'requested'), { cause, expectedVersion });
        if (!entry) throw new ProblemError('not_found');
        receivers.forget(id);
        return { body: await showEndpoint({ secrets, selfUrl }, tenantId, entry), version: entry.version };
      },
    });

export const disableEndpoint = switchTo('disabled', {
  verb: 'disable',
  summary: 'Refuse deliveries with 410 until it is enabled again',
});
export const enableEndpoint = switchTo('active', { verb: 'enable', summary: 'Accept deliveries again' });
