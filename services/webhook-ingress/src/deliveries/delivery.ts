// A delivery: one event of a partner at one endpoint, accepted once. The row is what de-duplication rests on, what the log shows and what
// a replay sends again. It tells its events when it is created (a journal of packages/store), so a crash after the 202 leaves them to
// a sweep and not to oblivion (lesson L24).
import { hash } from 'node:crypto';
import { because, type Cause, type EventDraft, type TenantId } from '@reeve/contracts';
import type { Entry, Journal, RawDraft, Store } from '@reeve/store';
import { z } from 'zod';

export type Delivery = {
  /** Also the row's id, so that rows lie in the order in which they came. */
  deliveryId: string;
  endpointId: string;
  webhookId: string;
  bodySha256: string;
  /** Where the signature does not cover the id: what was signed, since that is what a replay repeats. */
  signedSha256: string | null;
  contentType: string;
  bytes: number;
  receivedAt: string;
  expiresAt: string;
  /** `held` waits for an earlier sequence; `dead` was held until its time was over. */
  status: 'accepted' | 'held' | 'dead';
  orderingKey: string;
  sequence: number | null;
  /** Goes through its lane, which publishes it, rather than publishing itself. */
  inLane: boolean;
  /** An `Origin` as JSON: seldom read, and as one field it costs the store a fraction of what its thirty would. */
  origin: string;
  body: Uint8Array;
};

/** Where a delivery came from. */
export type Origin = {
  cause: Cause;
  /** Without what must not be kept. */
  headers: Record<string, string>;
};

export type Deliveries = Journal<Delivery>;

/** Longer than the longest retry schedule in use (76 hours, Standard Webhooks' example): what is forgotten could be accepted again. */
const rememberedMs = 7 * 86_400_000;

export const deliveryStatuses = ['accepted', 'held', 'dead'] as const;

export const deliveryView = z.object({
  id: z.string(),
  webhookId: z.string(),
  status: z.enum(deliveryStatuses),
  contentType: z.string(),
  bytes: z.number(),
  bodySha256: z.string(),
  orderingKey: z.string(),
  sequence: z.number().nullable(),
  receivedAt: z.string(),
});

export function defineDeliveries(
  store: Store,
  recover: (row: Entry<Delivery>, tenantId: TenantId) => Promise<void>,
): Deliveries {
  return store.journal<Delivery>({
    name: 'webhook_deliveries',
    unique: {
      webhook: ({ endpointId, webhookId }) => deliveryKey(endpointId, webhookId),
      signedBytes: ({ endpointId, signedSha256 }) => (signedSha256 === null ? null : `${endpointId}:${signedSha256}`),
    },
    queries: {
      byEndpoint: { equality: ['endpointId'], sort: 'receivedAt', direction: 'descending' },
      byStatus: { equality: ['endpointId', 'status'], sort: 'receivedAt', direction: 'descending' },
    },
    expiresAt: delivery => new Date(delivery.expiresAt),
    countsUntilRemoved: true,
    tells: (delivery, tenantId) => (delivery.inLane ? [] : announce(delivery, tenantId)),
    topics: new Set(['reeve.webhook.v1', 'reeve.webhook.payloads.v1']),
    recover,
  });
}

/** What de-duplication goes by. */
export const deliveryKey = (endpointId: string, webhookId: string) => `${endpointId}:${webhookId}`;
export const sha256 = (bytes: Uint8Array) => hash('sha256', bytes);
export const expiryOf = (now: Date) => new Date(now.getTime() + rememberedMs).toISOString();

export function viewOf({ state }: Entry<Delivery>): z.infer<typeof deliveryView> {
  const { deliveryId, webhookId, status, contentType, bytes, bodySha256, orderingKey, sequence, receivedAt } = state;
  return { id: deliveryId, webhookId, status, contentType, bytes, bodySha256, orderingKey, sequence, receivedAt };
}

export const originOf = ({ origin }: Delivery) => JSON.parse(origin) as Origin;

const target = ({ deliveryId, webhookId }: Delivery) => ({ type: 'webhook_delivery', id: deliveryId, name: webhookId });

/** The body, byte for byte, for the product. */
function payloadOf(delivery: Delivery, tenantId: TenantId, type = 'webhook.payload'): RawDraft {
  const { deliveryId, endpointId, orderingKey, contentType, body } = delivery;
  return {
    topic: 'reeve.webhook.payloads.v1',
    key: `${tenantId}:${endpointId}:${orderingKey}`,
    type,
    subject: `webhook_delivery/${deliveryId}`,
    contentType,
    data: body,
  };
}

/** What an accepted delivery tells: that it was accepted, to the audit log, and its body, to the product. */
export function announce(delivery: Delivery, tenantId: TenantId): ((EventDraft | RawDraft) & { cause: Cause })[] {
  const { endpointId, webhookId, bytes, contentType, bodySha256 } = delivery;
  const { cause } = originOf(delivery);
  const accepted: EventDraft = {
    type: 'delivery.accepted',
    target: target(delivery),
    outcome: 'success',
    reason: because('signature_valid'),
    details: { endpointId, webhookId, bytes, contentType, bodySha256 },
  };
  return [
    { ...accepted, cause },
    { ...payloadOf(delivery, tenantId), cause },
  ];
}

export function replayed(delivery: Delivery, tenantId: TenantId): (EventDraft | RawDraft)[] {
  const { endpointId, webhookId, status } = delivery;
  const event: EventDraft = {
    type: 'delivery.replayed',
    target: target(delivery),
    outcome: 'success',
    reason: because('requested'),
    details: { endpointId, webhookId, deadLetter: status === 'dead' },
  };
  return [event, payloadOf(delivery, tenantId, 'webhook.payload.replayed')];
}

export function deadLettered(delivery: Delivery): EventDraft {
  const { endpointId, webhookId, orderingKey, sequence } = delivery;
  return {
    type: 'delivery.dead_lettered',
    target: target(delivery),
    outcome: 'failure',
    reason: because('gap_not_filled'),
    details: { endpointId, webhookId, orderingKey, sequence },
  };
}
