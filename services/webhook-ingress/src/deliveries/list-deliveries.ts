import { instant, paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import { z } from 'zod';
import type { Endpoints } from '../endpoints/endpoint.ts';
import { type Deliveries, type Delivery, deliveryKey, deliveryStatuses, deliveryView, viewOf } from './delivery.ts';

const filters = z.strictObject({
  status: z.enum(deliveryStatuses).optional(),
  orderingKey: z.string().max(256).optional(),
  from: instant.optional().describe('Received at or after'),
  to: instant.optional().describe('Received before'),
});

type Filters = z.infer<typeof filters>;

export const listDeliveries = ({ endpoints, deliveries }: { endpoints: Endpoints; deliveries: Deliveries }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/deliveries',
    summary: 'Search the delivery log, newest first',
    action: 'webhooks:read',
    query: pageQuery.extend({
      webhookId: z.string().min(1).max(300).optional().describe("The partner's id of the event, exactly"),
      ...filters.shape,
    }),
    response: pageOf(deliveryView),
    async handle({ tenantId, params: { endpointId }, query: { webhookId, limit, cursor, ...filter } }) {
      await readExisting(endpoints.in(tenantId), endpointId);
      const collection = deliveries.in(tenantId);
      if (webhookId !== undefined) {
        const found = await collection.getByUnique('webhook', deliveryKey(endpointId, webhookId));
        return paged({ items: found && fits(found, filter) ? [found] : [], nextCursor: null }, viewOf);
      }
      const { status, orderingKey, from, to } = filter;
      const page = { limit, cursor, range: { from, before: to } };
      const found =
        status !== undefined && orderingKey === undefined
          ? await collection.list('byStatus', { endpointId, status }, page)
          : await collection.list('byEndpoint', { endpointId }, { ...page, only: given({ status, orderingKey }) });
      return paged(found, viewOf);
    },
  });

const given = ({ status, orderingKey }: Pick<Filters, 'status' | 'orderingKey'>) => ({
  ...(status === undefined ? {} : { status }),
  ...(orderingKey === undefined ? {} : { orderingKey }),
});

const fits = ({ state }: Entry<Delivery>, { status, orderingKey, from, to }: Filters): boolean =>
  (status === undefined || state.status === status) &&
  (orderingKey === undefined || state.orderingKey === orderingKey) &&
  (from === undefined || state.receivedAt >= from) &&
  (to === undefined || state.receivedAt < to);
