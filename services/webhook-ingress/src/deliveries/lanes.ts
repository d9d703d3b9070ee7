// Lanes in the store. A delivery that has an ordering key or a sequence is stored first, as `held`; then its lane takes it, and releases
// in one write what can be released: the lane's document carries the bodies to Kafka. A crash between the two leaves the row to `recover`.
import { because, type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Collections, Entry, Store } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Receiver, Receivers } from '../endpoints/receivers.ts';
import { announce, type Deliveries, type Delivery, deadLettered, originOf } from './delivery.ts';
import { advance, emptyLane, type Lane, type Offer, type Outcome, type Policy, type Step } from './lane.ts';

export type Lanes = ReturnType<typeof createLanes>;

type Origin = 'received' | 'recovered';
type Waiting = { row: Delivery; origin: Origin; answer: PromiseWithResolvers<Outcome> };
type Address = { tenantId: TenantId; endpointId: string; orderingKey: string; policy: Policy };

/** What one lane's document may carry to Kafka at a time: a document ends at 16 MB. */
const room = { messages: 1_000, bytes: 6_000_000 };
const markedRemembered = 50_000;
/** Of what a lane released, how many are remembered in it at least: another replica may still hold an older view of their rows. */
const recentAtLeast = 64;

export function defineLanes(store: Store): Collections<Lane> {
  return store.collections<Lane>({
    name: 'webhook_lanes',
    queries: { byEndpoint: { equality: ['endpointId'] } },
    dueAt: ({ dueAt }) => (dueAt === null ? null : new Date(dueAt)),
  });
}

const policyOf = ({ sequenceFrom, ordered, holdSeconds, onGap }: Endpoint): Policy => ({
  sequenced: sequenceFrom !== null,
  ordered,
  holdSeconds,
  onGap,
});

/** Thrown inside a decision that wants to release rows which are not loaded yet. */
class RowsWanted extends Error {
  readonly rows: string[];

  constructor(rows: string[]) {
    super('rows have to be loaded first');
    this.rows = rows;
  }
}

type Parts = { store: Store; lanes: Collections<Lane>; deliveries: () => Deliveries; receivers: Receivers };

export function createLanes({ store, lanes, deliveries, receivers }: Parts) {
  const waiting = new Map<string, Waiting[]>();
  const running = new Set<string>();
  const marked = new LRUCache<string, true>({ max: markedRemembered });

  const worthKeeping = (recent: readonly string[]) =>
    recent.filter((row, index) => index >= recent.length - recentAtLeast || !marked.has(row));

  async function load(tenantId: TenantId, ids: readonly string[], into: Map<string, Delivery>) {
    for (const id of ids) {
      const row = await deliveries().in(tenantId).get(id);
      if (row) into.set(id, row.state);
    }
  }

  /** One change of the lane for all who wait for it. */
  async function step(
    { tenantId, endpointId, orderingKey, policy }: Address,
    offered: readonly Delivery[],
  ): Promise<Step> {
    const rows = new Map(offered.map(row => [row.deliveryId, row]));
    const offers = [...rows]
      .filter(([row]) => !marked.has(row))
      .map(([row, { sequence, bytes }]): Offer => ({ row, sequence, bytes }));
    const cause = serviceCause('webhook-ingress', { correlationId: newEventId() });
    for (;;) {
      let taken: Step | undefined;
      try {
        await lanes.in(tenantId).change(
          laneId(endpointId, orderingKey),
          (current, published) => {
            const lane = current ?? emptyLane(endpointId, orderingKey);
            const left = { messages: room.messages - published.messages, bytes: room.bytes - published.bytes };
            const before = { ...lane, recent: worthKeeping(lane.recent) };
            taken = advance(before, offers, { policy, now: store.clock.now(), room: left });
            if (changesNothing(taken)) return null;
            const wanted = [...taken.release, ...taken.dead].filter(row => !rows.has(row));
            if (wanted.length > 0) throw new RowsWanted(wanted);
            const events = [
              ...taken.gaps.map(gap => gapDetected({ endpointId, orderingKey }, gap)),
              ...taken.dead.map(row => deadLettered(rows.get(row) as Delivery)),
              ...taken.release.flatMap(row => announce(rows.get(row) as Delivery, tenantId)),
            ];
            return { state: taken.lane, events };
          },
          { cause },
        );
      } catch (error) {
        if (!(error instanceof RowsWanted)) throw error;
        const before = rows.size;
        await load(tenantId, error.rows, rows);
        if (rows.size === before)
          throw new Error(`rows of lane ${laneId(endpointId, orderingKey)} are gone`, { cause: error });
        continue;
      }
      if (taken) return taken;
    }
  }

  /** Rows say what became of them. */
  async function mark({ tenantId }: Address, { release, dead }: Step) {
    const collection = deliveries().in(tenantId);
    if (release.length > 0) await collection.patch(release, { status: 'accepted' });
    if (dead.length > 0) await collection.patch(dead, { status: 'dead' });
    for (const row of release) marked.set(row, true);
  }

  async function run(address: Address, key: string) {
    running.add(key);
    for (let group = waiting.get(key); group && group.length > 0; group = waiting.get(key)) {
      waiting.delete(key);
      try {
        const taken = await step(
          address,
          group.map(({ row }) => row),
        );
        await mark(address, taken);
        for (const { row, origin, answer } of group) {
          const id = row.deliveryId;
          const outcome = taken.outcomes.get(id) ?? 'known';
          // Its sender is told so, and may send it again: as if it had not come.
          if (origin === 'received' && (outcome === 'refused' || outcome === 'busy'))
            await deliveries().in(address.tenantId).remove(id);
          deliveries().settle({ tenantId: address.tenantId, id }, true);
          answer.resolve(outcome);
        }
      } catch (error) {
        for (const { row, answer } of group) {
          deliveries().settle({ tenantId: address.tenantId, id: row.deliveryId }, false);
          answer.reject(error);
        }
      }
    }
    running.delete(key);
  }

  function offerTo(address: Address, row: Delivery, origin: Origin): Promise<Outcome> {
    const key = `${address.tenantId} ${laneId(address.endpointId, address.orderingKey)}`;
    const answer = Promise.withResolvers<Outcome>();
    const group = waiting.get(key);
    if (group) group.push({ row, origin, answer });
    else waiting.set(key, [{ row, origin, answer }]);
    if (!running.has(key)) void run(address, key);
    return answer.promise;
  }

  return {
    /** Resolves when the lane has it, durably. */
    offer({ tenantId, endpoint }: Receiver, row: Delivery): Promise<Outcome> {
      const { endpointId, orderingKey } = row;
      return offerTo({ tenantId, endpointId, orderingKey, policy: policyOf(endpoint) }, row, 'received');
    },

    /**
     * A row whose writer was lost between the row and the lane. Its sender may have been told 200 by a repetition since, so it is not
     * forgotten: what its lane does not take any more is a dead letter.
     */
    async recover({ id, state }: Entry<Delivery>, tenantId: TenantId): Promise<void> {
      if (state.status !== 'held') return;
      const receiver = await receivers.find(state.endpointId);
      if (!receiver) return;
      const { endpointId, orderingKey } = state;
      const address = { tenantId, endpointId, orderingKey, policy: policyOf(receiver.endpoint) };
      const outcome = await offerTo(address, state, 'recovered');
      if (outcome === 'busy') throw new Error(`lane ${laneId(endpointId, orderingKey)} has no room yet`);
      const rows = deliveries().in(tenantId);
      if (outcome === 'refused') {
        const cause = serviceCause('webhook-ingress', { correlationId: originOf(state).cause.correlationId });
        await store.recordFact(tenantId, deadLettered(state), cause);
        await rows.patch([id], { status: 'dead' });
      }
      const lane = await lanes.in(tenantId).get(laneId(endpointId, orderingKey));
      if (outcome === 'known' && lane?.state.recent.includes(id)) await rows.patch([id], { status: 'accepted' });
    },

    /** Acts on what has been held, or missing, long enough. Returns how many lanes that were. */
    async tend(): Promise<number> {
      const due = await lanes.acrossTenants('waiting ends in all lanes at once').due(100);
      for (const { tenantId, state } of due) {
        const { endpointId, orderingKey } = state;
        const receiver = await receivers.find(endpointId);
        if (!receiver) continue;
        const address = { tenantId, endpointId, orderingKey, policy: policyOf(receiver.endpoint) };
        await mark(address, await step(address, []));
      }
      return due.length;
    },

    /** What is missing and held, for an endpoint's statistics. */
    list: (tenantId: TenantId, endpointId: string, page: { limit: number; cursor?: string | undefined }) =>
      lanes.in(tenantId).list('byEndpoint', { endpointId }, page),
  };
}

const changesNothing = ({ outcomes, release, dead, gaps }: Step) =>
  outcomes.size > 0 &&
  release.length + dead.length + gaps.length === 0 &&
  [...outcomes.values()].every(outcome => outcome === 'known');

const laneId = (endpointId: string, orderingKey: string) => `${endpointId}:${orderingKey}`;

function gapDetected(
  about: { endpointId: string; orderingKey: string },
  { from, to }: { from: number; to: number },
): EventDraft {
  return {
    type: 'delivery.gap_detected',
    target: { type: 'webhook_endpoint', id: about.endpointId, name: null },
    outcome: 'failure',
    reason: because('sequence_missing'),
    details: { ...about, firstMissing: from, lastMissing: to },
  };
}
