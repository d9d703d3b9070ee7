import { type Id, ProblemError, type TenantId } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import { z } from 'zod';
import { type Deliveries, type Delivery, deliveryView, originOf, viewOf } from './delivery.ts';

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
      const entry = await deliveryAt(deliveries, tenantId, params);
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

/** Throws `not_found` for one of another endpoint. */
export async function deliveryAt(
  deliveries: Deliveries,
  tenantId: TenantId,
  { endpointId, deliveryId }: { endpointId: Id<'endpoint'>; deliveryId: Id<'delivery'> },
): Promise<Entry<Delivery>> {
  const entry = await readExisting(deliveries.in(tenantId), deliveryId);
  if (entry.state.endpointId !== endpointId) throw new ProblemError('not_found');
  return entry;
}
