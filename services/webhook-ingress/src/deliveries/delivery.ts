// A delivery: one event of a partner at one endpoint, accepted once. The row is what de-duplication rests on, what the
// log shows and what a replay sends again. Its events are made from it when it is created (a journal of
// packages/store), so a crash after the 202 leaves them to a sweep (lesson L24).
import { hash } from 'node:crypto';
import { type Cause, type EventDraft, event, type Id, ProblemError, type TenantId } from '@reeve/contracts';
import { type Entry, type Journal, journal, type RawDraft } from '@reeve/store';
import type { HeaderOnce, Source } from '@reeve/webhook-signatures';
import jsonpointer from 'jsonpointer';
import { z } from 'zod';
import type { Receiver } from '../endpoints/receivers.ts';

export const deliveryStatuses = ['accepted', 'held', 'dead', 'refused'] as const;

export type Delivery = {
  /** Also the row's id, so that rows lie in the order in which they came. */
  deliveryId: Id<'delivery'>;
  endpointId: Id<'endpoint'>;
  webhookId: string;
  bodySha256: string;
  /** Where the signature does not cover the id: what was signed, since that is what a replay repeats. */
  signedSha256: string | null;
  contentType: string;
  bytes: number;
  receivedAt: string;
  expiresAt: string;
  /**
   * `held` waits for its lane; `dead` was held until its time was over; `refused` came after what it should come
   * before.
   */
  status: (typeof deliveryStatuses)[number];
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

export const deliveries = journal<Delivery>({
  name: 'webhook_deliveries',
  unique: {
    webhook: ({ endpointId, webhookId }) => deliveryKey(endpointId, webhookId),
    signedBytes: ({ endpointId, signedSha256 }) => (signedSha256 === null ? null : `${endpointId}:${signedSha256}`),
  },
  queries: {
    byEndpoint: {
      equality: ['endpointId'],
      sort: 'receivedAt',
      direction: 'descending',
      narrowedBy: ['status', 'orderingKey'],
    },
    byStatus: { equality: ['endpointId', 'status'], sort: 'receivedAt', direction: 'descending' },
  },
  expiresAt: delivery => new Date(delivery.expiresAt),
  countsUntilRemoved: true,
  eventsOf: (delivery, tenantId) => (delivery.inLane ? [] : eventsOf(delivery, tenantId)),
  topics: new Set(['reeve.webhook.v1', 'reeve.webhook.payloads.v1']),
});

/**
 * Longer than the longest retry schedule in use (76 hours, Standard Webhooks' example): what is forgotten could be
 * accepted again.
 */
const rememberedMs = 7 * 86_400_000;

export const expiryOf = (now: Date) => new Date(now.getTime() + rememberedMs).toISOString();
/** What de-duplication goes by. */
export const deliveryKey = (endpointId: string, webhookId: string) => `${endpointId}:${webhookId}`;
export const sha256 = (bytes: Uint8Array) => hash('sha256', bytes);
export const originOf = ({ origin }: Delivery) => JSON.parse(origin) as Origin;

export function viewOf({ state }: Entry<Delivery>): z.infer<typeof deliveryView> {
  const { deliveryId, webhookId, status, contentType, bytes, bodySha256, orderingKey, sequence, receivedAt } = state;
  return { id: deliveryId, webhookId, status, contentType, bytes, bodySha256, orderingKey, sequence, receivedAt };
}

const about = ({ deliveryId, webhookId }: Delivery) => ({ id: deliveryId, name: webhookId });

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

/** Of a delivery that is let through: that it was accepted, for the audit log, and its body, for the product. */
export function eventsOf(delivery: Delivery, tenantId: TenantId): ((EventDraft | RawDraft) & { cause: Cause })[] {
  const { endpointId, webhookId, bytes, contentType, bodySha256 } = delivery;
  const { cause } = originOf(delivery);
  const details = { endpointId, webhookId, bytes, contentType, bodySha256 };
  const accepted = event('delivery.accepted', { ...about(delivery), because: 'signature_valid', details });
  return [
    { ...accepted, cause },
    { ...payloadOf(delivery, tenantId), cause },
  ];
}

export function replayed(delivery: Delivery, tenantId: TenantId): (EventDraft | RawDraft)[] {
  const { endpointId, webhookId, status } = delivery;
  const details = { endpointId, webhookId, deadLetter: status === 'dead' };
  const again = event('delivery.replayed', { ...about(delivery), because: 'requested', details });
  return [again, payloadOf(delivery, tenantId, 'webhook.payload.replayed')];
}

export function deadLettered(delivery: Delivery): EventDraft {
  const { endpointId, webhookId, orderingKey, sequence } = delivery;
  const details = { endpointId, webhookId, orderingKey, sequence };
  return event('delivery.dead_lettered', { ...about(delivery), because: 'gap_not_filled', details });
}

type Identity = { webhookId: string; orderingKey: string; sequence: number | null };

const longest = 256;

/**
 * What a verified delivery says about itself, read from where the endpoint says. Throws `delivery_malformed`, naming
 * the place, for what stands there and is nothing of the kind.
 */
export function identify(
  { endpoint, idSource }: Receiver,
  { header, body, signedBytesSha256 }: { header: HeaderOnce; body: Buffer; signedBytesSha256: () => string },
): Identity {
  let parsed: unknown;
  const json = (): object => {
    parsed ??= parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  };
  const read = (source: Source): unknown =>
    source.startsWith('header:')
      ? header(source.slice('header:'.length))
      : jsonpointer.get(json(), source.slice('body:'.length));

  const { orderingKeyFrom, sequenceFrom, ordered } = endpoint;
  const id = idSource.from === null ? undefined : text(read(idSource.from), idSource.from);
  const orderingKey = orderingKeyFrom === null ? '' : (text(read(orderingKeyFrom), orderingKeyFrom) ?? '');
  const sequence = sequenceFrom === null ? null : sequenceOf(read(sequenceFrom), sequenceFrom);
  if (ordered && sequence === null)
    throw new ProblemError('delivery_malformed', `this endpoint demands order, and ${sequenceFrom} holds no sequence`);
  // What was signed is always there to be recognised by (lesson L25).
  return { webhookId: id ?? `sha256:${signedBytesSha256()}`, orderingKey, sequence };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return {};
  }
}

/**
 * Undefined for what is not there; whatever else is not text or a number is the partner's error, and it learns which.
 */
function text(value: unknown, source: Source): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const found = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof found === 'string' && found.length <= longest && found.isWellFormed() && !/\p{Cc}/u.test(found))
    return found;
  throw new ProblemError(
    'delivery_malformed',
    `${source} must be text of at most ${longest} characters, or a whole number`,
  );
}

function sequenceOf(value: unknown, source: Source): number | null {
  if (value === undefined || value === null || value === '') return null;
  const found = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  if (typeof found === 'number' && Number.isSafeInteger(found) && found >= 0) return found;
  throw new ProblemError('delivery_malformed', `${source} must be a whole number of at most 15 digits`);
}
