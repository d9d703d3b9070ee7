// How a delivery gets into the store: once, durably, and in order where it has one. Whoever waits shares a round trip
// with the others (group commit), and tenants take turns for the places in it. A delivery with an ordering key or a
// sequence is stored as `held` first; then its lane takes it, and releases in one write what can be released: the
// lane's document carries the bodies to Kafka. A crash between the two leaves the row to tend-lanes.ts. Nothing that
// waits here is durable: nobody was told 202 yet.
import { metrics } from '@opentelemetry/api';
import { event, newEventId, ProblemError, serviceCause, type TenantId } from '@reeve/contracts';
import { type Clock, type Collections, type Draft, VersionConflictError } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import type { Receiver } from '../endpoints/receivers.ts';
import { type Deliveries, type Delivery, deadLettered, deliveryKey, eventsOf } from './delivery.ts';
import {
  advance,
  emptyLane,
  forget,
  type Lane,
  laneId,
  mayHaveForgotten,
  type Outcome,
  type Policy,
  policyOf,
  replaceable,
  type Step,
} from './lane.ts';

type Waiting<I, R> = { item: I; bytes: number; resolve: (result: R) => void; reject: (error: unknown) => void };

type QueueOptions<I, R> = {
  /** Resolves to a result for each item, in order. One at a time: while it is on its way, the next is filled. */
  commit: (items: readonly I[]) => Promise<readonly R[]>;
  maxBatch?: number;
  maxWaiting?: number;
  maxWaitingBytes?: number;
};

type FairQueue<I, R> = ReturnType<typeof createFairQueue<I, R>>;

const maxBatchBytes = 8_000_000;
/** Of the places, how many one tenant may take while others wait. */
const tenantShare = 0.5;

const waitingGauge = metrics
  .getMeter('@reeve/webhook-ingress')
  .createUpDownCounter('reeve.ingress.waiting', { description: 'Deliveries that wait for the store' });

/** What would wait too long is refused at once, with the seconds after which to send it again. */
export function createFairQueue<I, R>({
  commit,
  maxBatch = 256,
  maxWaiting = 2_000,
  maxWaitingBytes = 32_000_000,
}: QueueOptions<I, R>) {
  /** In the order of turns: a tenant that was served goes to the end. */
  const tenants = new Map<TenantId, Waiting<I, R>[]>();
  let waiting = 0;
  let waitingBytes = 0;
  let running = false;

  function nextBatch(): Waiting<I, R>[] {
    const batch: Waiting<I, R>[] = [];
    let bytes = 0;
    while (batch.length < maxBatch && bytes < maxBatchBytes) {
      const [first] = tenants;
      if (!first) break;
      const [tenantId, queue] = first;
      const next = queue.shift();
      if (tenants.size > 1 || queue.length === 0) tenants.delete(tenantId);
      if (queue.length > 0) tenants.set(tenantId, queue);
      if (next) {
        batch.push(next);
        bytes += next.bytes;
      }
    }
    waiting -= batch.length;
    waitingBytes -= bytes;
    waitingGauge.add(-batch.length);
    return batch;
  }

  async function run() {
    while (waiting > 0) {
      const batch = nextBatch();
      try {
        const results = await commit(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  return {
    isIdle: () => !running,

    push(tenantId: TenantId, item: I, bytes: number): Promise<R> {
      const mine = tenants.get(tenantId) ?? [];
      if (waiting >= maxWaiting || waitingBytes + bytes > maxWaitingBytes)
        throw new ProblemError('ingress_busy', undefined, { retryAfterSeconds: 2 });
      if (mine.length >= maxWaiting * tenantShare)
        throw new ProblemError('rate_limited', 'too much of this tenant is waiting', { retryAfterSeconds: 2 });
      const { promise, resolve, reject } = Promise.withResolvers<R>();
      mine.push({ item, bytes, resolve, reject });
      if (mine.length === 1) tenants.set(tenantId, mine);
      waiting += 1;
      waitingBytes += bytes;
      waitingGauge.add(1);
      // After whatever else arrives in this turn of the loop.
      if (!running) {
        running = true;
        setImmediate(() => void run());
      }
      return promise;
    },
  };
}

/** The delivery that was stored first under this id or with these signed bytes. */
export type First = Pick<Delivery, 'deliveryId' | 'bodySha256'>;

/** `busy` may be sent again; `refused` came after what it should come before. */
export type Kept = { first: First; outcome: 'new' | 'repeated' | 'busy' | 'refused' };

type Address = Pick<Lane, 'endpointId' | 'orderingKey'> & { policy: Policy };
type LaneQueue = { queue: FairQueue<Delivery, Outcome>; policy: Policy };

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;

/** What one lane's document may carry to Kafka at a time: a document ends at 16 MB. */
const room = { messages: 1_000, bytes: 6_000_000 };
const firstsRemembered = 10_000;
const markedRemembered = 50_000;
/**
 * Replaceable rows of a lane that this process did not mark. Beyond this many they are read: whoever marked them may be
 * gone.
 */
const mostUnsure = 256;

export function createDeliveryStore({
  deliveries,
  lanes,
  clock,
}: {
  deliveries: Deliveries;
  lanes: Collections<Lane>;
  clock: Clock;
}) {
  const queue = createFairQueue({ commit: deliveries.append });
  const laneQueues = new Map<string, LaneQueue>();
  /** What was stored lately, by key: a storm of repetitions needs no store to be recognised. */
  const firsts = new LRUCache<string, First>({ max: firstsRemembered });
  /** Rows that say themselves that they left their lane. */
  const marked = new LRUCache<string, true>({ max: markedRemembered });

  async function findFirst(tenantId: TenantId, row: Delivery, taken: string): Promise<Delivery> {
    const { endpointId, webhookId, signedSha256 } = row;
    const found =
      taken === 'signedBytes'
        ? await deliveries.in(tenantId).getByUnique('signedBytes', `${endpointId}:${signedSha256}`)
        : await deliveries.in(tenantId).getByUnique('webhook', deliveryKey(endpointId, webhookId));
    // It was remembered for as long as was promised, and removed in the moment between.
    if (!found) throw new ProblemError('ingress_busy', undefined, { retryAfterSeconds: 1 });
    return found.state;
  }

  /**
   * Resolves when its lane has it, durably. One that finds no room stays a row, and is offered again when it is sent
   * again.
   */
  async function offer(receiver: Receiver, row: Delivery): Promise<Outcome> {
    const { tenantId } = receiver;
    const { deliveryId: id } = row;
    try {
      const outcome = await throughLane(receiver, row);
      if (outcome === 'refused') await deliveries.in(tenantId).patch([id], { status: 'refused' });
      deliveries.settle({ tenantId, id }, true);
      return outcome;
    } catch (error) {
      deliveries.settle({ tenantId, id }, false);
      throw error;
    }
  }

  /** Whoever waits for the same lane shares one change of it. */
  async function throughLane({ tenantId, endpoint }: Receiver, row: Delivery): Promise<Outcome> {
    const key = `${tenantId} ${laneId(row)}`;
    const lane = laneQueues.get(key) ?? laneQueue(tenantId, row, policyOf(endpoint));
    laneQueues.set(key, lane);
    lane.policy = policyOf(endpoint);
    try {
      return await lane.queue.push(tenantId, row, row.body.byteLength);
    } finally {
      if (lane.queue.isIdle() && laneQueues.get(key) === lane) laneQueues.delete(key);
    }
  }

  function laneQueue(tenantId: TenantId, { endpointId, orderingKey }: Delivery, policy: Policy): LaneQueue {
    async function commit(offered: readonly Delivery[]): Promise<Outcome[]> {
      const step = await advanceLane(tenantId, { endpointId, orderingKey, policy: lane.policy }, offered);
      return offered.map(({ deliveryId }) => (step ? (step.outcomes.get(deliveryId) ?? 'known') : 'busy'));
    }
    const unlimited = { maxWaiting: Infinity, maxWaitingBytes: Infinity };
    const lane = { queue: createFairQueue({ commit, ...unlimited }), policy };
    return lane;
  }

  /**
   * One change of a lane for all that is offered. Null where other processes changed it each time before this one
   * could.
   */
  async function advanceLane(
    tenantId: TenantId,
    { endpointId, orderingKey, policy }: Address,
    offered: readonly Delivery[],
  ): Promise<Step | null> {
    const known = new Map<string, Delivery>(offered.map(row => [row.deliveryId, row]));
    const inDoubt = [...known.keys()].filter(id => !marked.has(id));
    const load = async (ids: readonly string[]) => {
      for (const { id, state } of await deliveries.in(tenantId).getAll(ids)) known.set(id, state);
    };
    const rowsOf = (ids: readonly string[]) => ids.flatMap(id => known.get(id) ?? []);
    let step: Step | null = null;
    try {
      await lanes
        .in(tenantId)
        .change(
          laneId({ endpointId, orderingKey }),
          () => (step?.changed ? { state: step.lane, events: eventsOfStep(tenantId, step, rowsOf) } : null),
          {
            cause: serviceCause('webhook-ingress', { correlationId: newEventId() }),
            // Rows are read after the lane was: what left it by then, and is not in it any more, says so itself.
            async gather(found, waiting) {
              const lane = await withoutMarked(tenantId, found ?? emptyLane(endpointId, orderingKey));
              await load(inDoubt.filter(id => mayHaveForgotten(lane, id)));
              const offers = rowsOf(inDoubt)
                .filter(({ status }) => status === 'held')
                .map(({ deliveryId: row, sequence, bytes }) => ({ row, sequence, bytes }));
              const left = { messages: room.messages - waiting.messages, bytes: room.bytes - waiting.bytes };
              step = advance(lane, offers, { policy, now: clock.now(), room: left });
              const leaving = [...step.release, ...step.dead];
              await load(leaving.filter(id => !known.has(id)));
              if (rowsOf(leaving).length < leaving.length) throw new Error(`rows of the lane ${laneId(lane)} are gone`);
            },
          },
        );
    } catch (error) {
      if (error instanceof VersionConflictError) return null;
      throw error;
    }
    if (step) await mark(tenantId, step);
    return step;
  }

  /** The lane without those that left it and say so. What other processes marked is asked where there is much of it. */
  async function withoutMarked(tenantId: TenantId, lane: Lane): Promise<Lane> {
    const unsure = replaceable(lane).filter(row => !marked.has(row));
    if (unsure.length > mostUnsure) {
      const found = await deliveries.in(tenantId).getAll(unsure);
      const held = new Set(found.filter(({ state }) => state.status === 'held').map(({ id }) => id));
      for (const row of unsure) if (!held.has(row)) marked.set(row, true);
    }
    return forget(lane, row => marked.has(row));
  }

  /** Rows say what became of them. */
  async function mark(tenantId: TenantId, { release, dead }: Step): Promise<void> {
    if (release.length > 0) await deliveries.in(tenantId).patch(release, { status: 'accepted' });
    if (dead.length > 0) await deliveries.in(tenantId).patch(dead, { status: 'dead' });
    for (const row of [...release, ...dead]) marked.set(row, true);
  }

  return {
    /** What was stored lately under its id. */
    recall: ({ endpointId, webhookId }: Delivery): First | undefined => firsts.get(deliveryKey(endpointId, webhookId)),

    async keep(receiver: Receiver, row: Delivery): Promise<Kept> {
      const { tenantId } = receiver;
      const given = { tenantId, id: row.deliveryId, state: row };
      const result = await queue.push(tenantId, given, row.body.byteLength);
      const first = result === 'created' ? row : await findFirst(tenantId, row, result.taken);
      // What was stored before may not have come through its lane yet, and what happens to it there is the answer to
      // all of them.
      const outcome = first.status === 'held' ? await offer(receiver, first) : first.status;
      if (outcome === 'busy' || outcome === 'refused') return { first, outcome };
      firsts.set(deliveryKey(row.endpointId, row.webhookId), first);
      return { first, outcome: result === 'created' ? 'new' : 'repeated' };
    },

    throughLane,
    advanceLane,
  };
}

function eventsOfStep(tenantId: TenantId, step: Step, rowsOf: (ids: readonly string[]) => Delivery[]): Draft[] {
  const { endpointId, orderingKey } = step.lane;
  const gaps = step.gaps.map(({ from, to }) => {
    const details = { endpointId, orderingKey, firstMissing: from, lastMissing: to };
    return event('delivery.gap_detected', { id: endpointId, because: 'sequence_missing', details });
  });
  const released = rowsOf(step.release).flatMap(row => eventsOf(row, tenantId));
  return [...gaps, ...rowsOf(step.dead).map(deadLettered), ...released];
}
