import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import { type Deliveries, deliveryView, replayed, viewOf } from './delivery.ts';
import { deliveryAt } from './read-delivery.ts';

export const replayDelivery = ({ deliveries, store }: { deliveries: Deliveries; store: Pick<Store, 'recordFact'> }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/deliveries/{deliveryId}:replay',
    summary: 'Publish the body again, as `webhook.payload.replayed`; a dead letter leaves the dead letters by it',
    action: 'webhooks:write',
    response: deliveryView,
    async handle({ tenantId, params, cause }) {
      const entry = await deliveryAt(deliveries, tenantId, params);
      const { status } = entry.state;
      if (status === 'held')
        throw new ProblemError('delivery_state', 'it is held for an earlier sequence and will come by itself');
      if (status === 'refused') throw new ProblemError('delivery_state', 'it was refused for its place in the order');
      await store.recordFact(tenantId, replayed(entry.state, tenantId), cause);
      if (status === 'dead') await deliveries.in(tenantId).patch([entry.id], { status: 'accepted' });
      return { body: viewOf({ ...entry, state: { ...entry.state, status: 'accepted' } }) };
    },
  });
