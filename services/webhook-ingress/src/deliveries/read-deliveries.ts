import { ProblemError, type TenantId } from '@reeve/contracts';
import { instant, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Endpoints } from '../endpoints/endpoint.ts';
import {
  type Deliveries,
  type Delivery,
  deliveryKey,
  deliveryStatuses,
  deliveryView,
  originOf,
  viewOf,
} from './delivery.ts';

export async function mustExist(endpoints: Endpoints, tenantId: TenantId, endpointId: string): Promise<void> {
  if (!(await endpoints.in(tenantId).get(endpointId))) throw new ProblemError('not_found');
}

export const listDeliveries = ({ endpoints, deliveries }: { endpoints: Endpoints; deliveries: Deliveries }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/deliveries',
    summary: 'Search the delivery log, newest first',
    action: 'webhooks:read',
    query: pageQuery.extend({
      webhookId: z.string().min(1).max(300).optional().describe("The partner's id of the event, exactly"),
      status: z.enum(deliveryStatuses).optional(),
      orderingKey: z.string().max(256).optional(),
      from: instant.optional().describe('Received at or after'),
      to: instant.optional().describe('Received before'),
    }),
    response: pageOf(deliveryView),
    async handle({ tenantId, params, query: { webhookId, status, orderingKey, from, to, limit, cursor } }) {
      const endpointId = String(params['endpointId']);
      await mustExist(endpoints, tenantId, endpointId);
      const collection = deliveries.in(tenantId);
      if (webhookId !== undefined) {
        const found = await collection.getByUnique('webhook', deliveryKey(endpointId, webhookId));
        const fits = ({ state }: { state: Delivery }) =>
          (status === undefined || state.status === status) &&
          (orderingKey === undefined || state.orderingKey === orderingKey) &&
          (from === undefined || state.receivedAt >= from) &&
          (to === undefined || state.receivedAt < to);
        return { body: { items: found && fits(found) ? [viewOf(found)] : [], nextCursor: null } };
      }
      const where = {
        ...(orderingKey === undefined ? {} : { orderingKey }),
        ...(from === undefined && to === undefined
          ? {}
          : {
              receivedAt: { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) },
            }),
      };
      const page =
        status === undefined
          ? await collection.list('byEndpoint', { endpointId }, { limit, cursor, where })
          : await collection.list('byStatus', { endpointId, status }, { limit, cursor, where });
      return { body: { items: page.items.map(viewOf), nextCursor: page.nextCursor } };
    },
  });

export const readDelivery = ({ deliveries }: { deliveries: Deliveries }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/deliveries/{deliveryId}',
    summary: 'Read one delivery: its headers without secrets, and its body',
    action: 'webhooks:read',
    response: deliveryView.extend({
      headers: z.record(z.string(), z.string()),
      bodyBase64: z.string(),
      bodyText: z.string().nullable().describe('The body, where it is UTF-8'),
      ip: z.string().nullable(),
      correlationId: z.string(),
    }),
    async handle({ tenantId, params }) {
      const entry = await findDelivery(deliveries, tenantId, params);
      const { headers, cause } = originOf(entry.state);
      const body = Buffer.from(entry.state.body);
      const text = body.toString('utf8');
      return {
        body: {
          ...viewOf(entry),
          headers,
          bodyBase64: body.toString('base64'),
          bodyText: Buffer.from(text).equals(body) ? text : null,
          ip: cause.context.ip,
          correlationId: cause.correlationId,
        },
      };
    },
  });

export async function findDelivery(deliveries: Deliveries, tenantId: TenantId, params: Record<string, string>) {
  const entry = await deliveries.in(tenantId).get(String(params['deliveryId']));
  if (!entry || entry.state.endpointId !== params['endpointId']) throw new ProblemError('not_found');
  return entry;
}
