import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Endpoints } from '../endpoints/endpoint.ts';
import { type Deliveries, deliveryView, viewOf } from './delivery.ts';

export const listDeadLetters = ({ endpoints, deliveries }: { endpoints: Endpoints; deliveries: Deliveries }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/dead-letters',
    summary: 'List deliveries that were accepted and not published, with the reason; replay them as deliveries',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(deliveryView.extend({ reason: z.literal('gap_not_filled') })),
    async handle({ tenantId, params: { endpointId }, query }) {
      await readExisting(endpoints.in(tenantId), endpointId);
      const page = await deliveries.in(tenantId).list('byStatus', { endpointId, status: 'dead' }, query);
      return paged(page, entry => ({ ...viewOf(entry), reason: 'gap_not_filled' as const }));
    },
  });
