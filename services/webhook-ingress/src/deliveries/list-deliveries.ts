import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Deliveries, deliveryView, viewOf } from './delivery.ts';

export const listDeliveries = ({ deliveries }: { deliveries: Deliveries }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/deliveries',
    summary: 'List accepted deliveries, newest first',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(deliveryView),
    async handle({ tenantId, params, query }) {
      const page = await deliveries
        .in(tenantId)
        .list('byEndpoint', { endpointId: String(params['endpointId']) }, query);
      return { body: { items: page.items.map(viewOf), nextCursor: page.nextCursor } };
    },
  });
