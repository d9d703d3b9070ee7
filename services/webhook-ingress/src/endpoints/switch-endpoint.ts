import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { type Endpoint, type Endpoints, endpointView, turn, viewOf } from './endpoint.ts';

type Parts = { endpoints: Endpoints; selfUrl: string };

const switchTo =
  (status: Endpoint['status'], { verb, summary }: { verb: string; summary: string }) =>
  ({ endpoints, selfUrl }: Parts) =>
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
        return { body: viewOf(entry, selfUrl), version: entry.version };
      },
    });

export const disableEndpoint = switchTo('disabled', {
  verb: 'disable',
  summary: 'Refuse deliveries with 410 until it is enabled again',
});
export const enableEndpoint = switchTo('active', { verb: 'enable', summary: 'Accept deliveries again' });
