import type { Id } from '@reeve/contracts';
import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Decision } from '@reeve/store';
import { disable, type Endpoint, type Endpoints, enable } from './endpoint.ts';
import type { Receivers } from './receivers.ts';
import { endpointView, type ShowParts, showEndpoint } from './show-endpoint.ts';

type Parts = ShowParts & { endpoints: Endpoints; receivers: Receivers };

const switchBy =
  (
    decide: (id: Id<'endpoint'>, endpoint: Endpoint) => Decision<Endpoint>,
    { verb, summary }: { verb: 'disable' | 'enable'; summary: string },
  ) =>
  ({ endpoints, receivers, ...parts }: Parts) =>
    tenantRoute({
      method: 'post',
      path: `/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}:${verb}`,
      summary,
      action: 'webhooks:write',
      versioned: true,
      response: endpointView,
      async handle({ tenantId, params: { endpointId: id }, cause, expectedVersion }) {
        const entry = await changeExisting(endpoints.in(tenantId), id, endpoint => decide(id, endpoint), {
          cause,
          expectedVersion,
        });
        receivers.forget(id);
        return { body: await showEndpoint(parts, tenantId, entry), version: entry.version };
      },
    });

export const disableEndpoint = switchBy((id, endpoint) => disable(id, endpoint, 'requested'), {
  verb: 'disable',
  summary: 'Refuse deliveries with 410 until it is enabled again',
});

export const enableEndpoint = switchBy(enable, { verb: 'enable', summary: 'Accept deliveries again' });
