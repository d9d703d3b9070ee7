// What lanes need besides deliveries: somebody to act on what has waited long enough, and to go on where a process was
// lost.
import { type Cause, serviceCause, type TenantId } from '@reeve/contracts';
import { worker } from '@reeve/service-kit';
import type { Collections, Entry, Store } from '@reeve/store';
import type { Receivers } from '../endpoints/receivers.ts';
import { type Deliveries, type Delivery, deadLettered, originOf } from './delivery.ts';
import { type Lane, laneId, policyOf } from './lane.ts';
import type { DeliveryStore } from './store-delivery.ts';

type Parts = {
  deliveries: Deliveries;
  lanes: Collections<Lane>;
  receivers: Receivers;
  deliveryStore: DeliveryStore;
  store: Pick<Store, 'recordFact'>;
  onError: (error: unknown) => void;
};

const lanesAtOnce = 50;
const lookEveryMs = 1_000;

/** Without a lease: whoever changes a lane first has done it, and the others find nothing to do. */
export const tendLanes = ({ lanes, receivers, deliveryStore, onError }: Parts) =>
  worker({
    due: limit => lanes.acrossTenants('waiting ends in all lanes at once').due(limit),
    take: lane => Promise.resolve(lane),
    async work({ tenantId, state: { endpointId, orderingKey } }) {
      const receiver = await receivers.findAgain(endpointId);
      if (!receiver) throw new Error(`the endpoint ${endpointId} of a lane is not there`);
      const address = { endpointId, orderingKey, policy: policyOf(receiver.endpoint) };
      await deliveryStore.advanceLane(tenantId, address, []);
    },
    atOnce: lanesAtOnce,
    everyMs: lookEveryMs,
    onError,
  });

/**
 * A row whose writer was lost between the row and its lane. Its sender may have been told 200 by a repetition since, so
 * it is not forgotten: what its lane does not take any more is a dead letter.
 */
export async function recoverDelivery(
  { deliveries, lanes, receivers, deliveryStore, store }: Parts,
  { id, state }: Entry<Delivery>,
  tenantId: TenantId,
): Promise<void> {
  if (state.status !== 'held') return;
  const receiver = await receivers.findAgain(state.endpointId);
  if (!receiver) return;
  const become = (status: Delivery['status']) => deliveries.in(tenantId).patch([id], { status });
  const outcome = await deliveryStore.throughLane(receiver, state);
  if (outcome === 'busy') throw new Error(`the lane ${laneId(state)} has no room yet`);
  if (outcome === 'refused') {
    const cause: Cause = serviceCause('webhook-ingress', { correlationId: originOf(state).cause.correlationId });
    await store.recordFact(tenantId, deadLettered(state), cause);
    await become('dead');
  }
  if (outcome !== 'known') return;
  // It may have left its lane, and whoever let it go was lost before the row said so.
  const lane = await lanes.in(tenantId).get(laneId(state));
  if (lane?.state.recent.includes(id)) await become('accepted');
  if (lane?.state.dead.includes(id)) await become('dead');
}
