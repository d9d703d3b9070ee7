// A delivery: one webhook id at one endpoint, accepted once. The row is what de-duplication rests on and what carries the payload to Kafka: both
// lie in one document, so a crash after the 202 leaves the payload to the relay's sweep and not to oblivion (lesson L24).
import { createHash } from 'node:crypto';
import { because, type EventDraft, type TenantId } from '@reeve/contracts';
import type { Collections, Decision, Entry, RawDraft, Store } from '@reeve/store';
import { z } from 'zod';

export type Delivery = {
  deliveryId: string;
  endpointId: string;
  webhookId: string;
  bodySha256: string;
  contentType: string;
  bytes: number;
  receivedAt: string;
  expiresAt: string;
};

export type Deliveries = Collections<Delivery>;

/** Longer than the longest retry schedule in use (76 hours, Standard Webhooks' example). */
const rememberedMs = 7 * 86_400_000;

export const deliveryView = z.object({
  id: z.string(),
  webhookId: z.string(),
  status: z.literal('accepted'),
  contentType: z.string(),
  bytes: z.number(),
  receivedAt: z.string(),
});

export function defineDeliveries(store: Store): Deliveries {
  return store.collections<Delivery>({
    name: 'webhook_deliveries',
    queries: { byEndpoint: { equality: ['endpointId'], sort: 'receivedAt', direction: 'descending' } },
    expiresAt: delivery => new Date(delivery.expiresAt),
  });
}

export const deliveryKey = (endpointId: string, webhookId: string) => `${endpointId}:${webhookId}`;
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export function viewOf({ state }: Entry<Delivery>): z.infer<typeof deliveryView> {
  const { deliveryId, webhookId, contentType, bytes, receivedAt } = state;
  return { id: deliveryId, webhookId, status: 'accepted', contentType, bytes, receivedAt };
}

type Incoming = {
  deliveryId: string;
  tenantId: TenantId;
  endpointId: string;
  webhookId: string;
  body: Buffer;
  contentType: string;
  now: Date;
};

export function accept({
  deliveryId,
  tenantId,
  endpointId,
  webhookId,
  body,
  contentType,
  now,
}: Incoming): NonNullable<Decision<Delivery>> {
  const bodySha256 = sha256(body);
  const state: Delivery = {
    deliveryId,
    endpointId,
    webhookId,
    bodySha256,
    contentType,
    bytes: body.length,
    receivedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + rememberedMs).toISOString(),
  };
  const accepted: EventDraft = {
    type: 'delivery.accepted',
    target: { type: 'webhook_delivery', id: deliveryId, name: webhookId },
    outcome: 'success',
    reason: because('signature_valid'),
    details: { endpointId, webhookId, bytes: body.length, contentType, bodySha256 },
  };
  const payload: RawDraft = {
    topic: 'reeve.webhook.payloads.v1',
    key: `${tenantId}:${endpointId}:`,
    type: 'webhook.payload',
    subject: `webhook_delivery/${deliveryId}`,
    contentType,
    data: body,
  };
  return { state, events: [accepted, payload] };
}

export function refused(
  type: 'delivery.rejected' | 'delivery.duplicated',
  reason: string,
  about: { endpointId: string; webhookId: string | null; bytes: number },
): EventDraft {
  return {
    type,
    target: { type: 'webhook_endpoint', id: about.endpointId, name: null },
    outcome: type === 'delivery.rejected' ? 'denied' : 'success',
    reason: because(reason),
    details: about,
  };
}
