// A stream of security events to a relying party (Shared Signals Framework 1.0): an application of a tenant has one at
// most, and is told by it of that tenant's people. What waits to be delivered is in signal.ts.
import { event, type Id, type ReasonOf } from '@reeve/contracts';
import { type Lease, type LeaseBy, leaseFor } from '@reeve/service-kit';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { eventsSupported } from './signal-events.ts';

export const pushMethod = 'urn:ietf:rfc:8935';
export const pollMethod = 'urn:ietf:rfc:8936';

type Delivery = { method: typeof pollMethod } | { method: typeof pushMethod; endpointUrl: string; hasHeader: boolean };

export const statuses = ['enabled', 'paused', 'disabled'] as const;

export type Stream = {
  clientId: Id<'client'>;
  delivery: Delivery;
  /** Null for all that there are. */
  eventsRequested: string[] | null;
  description: string | null;
  status: (typeof statuses)[number];
  reason: string | null;
  /** People whom it is not told of: all others are subjects. */
  without: string[];
  verifiedAt: string | null;
  createdAt: string;
  /** Absent while it is in use. */
  deletedAt?: Date;
  /** Of a push: who delivers it, when it is to be looked at, how often it has failed since it last succeeded. */
  lease: Lease;
  dueAt: string | null;
  failures: number;
  /** The latest that was queued: whoever finds nothing more to deliver looks whether that is so. */
  woken: string | null;
};

export type Streams = Collections<Stream>;
export type StreamId = Id<'signalStream'>;

export const isPush = ({ delivery }: Pick<Stream, 'delivery'>): boolean => delivery.method === pushMethod;

export const streams = collection<Stream>({
  name: 'signal_streams',
  unique: { client: ({ clientId, deletedAt }) => (deletedAt ? null : clientId) },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
  dueAt: stream =>
    stream.dueAt !== null && !stream.deletedAt && stream.status === 'enabled' && isPush(stream)
      ? new Date(stream.dueAt)
      : null,
});

export const mostWithout = 1_000;
export const minVerificationSeconds = 60;

const eventTypes = z.array(z.string().max(500)).max(50);
const givenDelivery = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal(pushMethod),
    endpoint_url: z.url({ protocol: /^https?$/ }).max(2_000),
    authorization_header: z
      .string()
      .regex(/^[\x20-\x7e]{1,2000}$/, 'must be printable ASCII')
      .exactOptional(),
  }),
  z.strictObject({ method: z.literal(pollMethod), endpoint_url: z.string().max(2_000).nullish() }),
]);
export type GivenDelivery = z.infer<typeof givenDelivery>;

/** What a receiver decides. */
export const streamSettings = z.strictObject({
  delivery: givenDelivery,
  events_requested: eventTypes,
  description: z.string().max(1_000).nullable(),
});

/** What we decide: a receiver may send it back with a change, as it was read (SSF §8.1.1.3). */
export const supplied = {
  iss: z.unknown().optional(),
  aud: z.unknown().optional(),
  events_supported: z.unknown().optional(),
  events_delivered: z.unknown().optional(),
  min_verification_interval: z.unknown().optional(),
};

export const streamView = z.object({
  stream_id: z.string(),
  iss: z.string(),
  aud: z.string(),
  events_supported: z.array(z.string()),
  events_requested: z.array(z.string()).optional(),
  events_delivered: z.array(z.string()),
  delivery: z.object({ method: z.string(), endpoint_url: z.string() }),
  min_verification_interval: z.number(),
  description: z.string().optional(),
});
export type StreamView = z.infer<typeof streamView>;

export const delivers = ({ eventsRequested }: Pick<Stream, 'eventsRequested'>, uri: string): boolean =>
  eventsSupported.includes(uri) && (eventsRequested === null || eventsRequested.includes(uri));

export function viewOf({ id, state }: Pick<Entry<Stream>, 'id' | 'state'>, issuer: string): StreamView {
  const { clientId, delivery, eventsRequested, description } = state;
  return {
    stream_id: id,
    iss: issuer,
    aud: clientId,
    events_supported: [...eventsSupported],
    ...(eventsRequested === null ? {} : { events_requested: eventsRequested }),
    events_delivered: eventsSupported.filter(uri => delivers(state, uri)),
    // The header is a secret of the receiver's.
    delivery: {
      method: delivery.method,
      endpoint_url: delivery.method === pushMethod ? delivery.endpointUrl : `${issuer}/ssf/poll/${id}`,
    },
    min_verification_interval: minVerificationSeconds,
    ...(description === null ? {} : { description }),
  };
}

const about = (id: StreamId, { clientId, delivery, eventsRequested }: Stream) => ({
  id,
  details: {
    clientId,
    delivery: delivery.method,
    endpointUrl: delivery.method === pushMethod ? delivery.endpointUrl : null,
    eventTypes: eventsRequested ?? [...eventsSupported],
  },
});

type Settings = Pick<Stream, 'clientId' | 'delivery' | 'eventsRequested' | 'description'>;

export function open(id: StreamId, settings: Settings, at: Date): NonNullable<Decision<Stream>> {
  const state: Stream = {
    ...settings,
    status: 'enabled',
    reason: null,
    without: [],
    verifiedAt: null,
    createdAt: at.toISOString(),
    lease: null,
    dueAt: null,
    failures: 0,
    woken: null,
  };
  return { state, events: [event('signal_stream.created', { ...about(id, state), because: 'requested' })] };
}

/** What waits is looked at anew: it may go another way now. */
export function update(
  id: StreamId,
  stream: Stream,
  { change, at }: { change: Partial<Stream>; at: Date },
): Decision<Stream> {
  const changed = changedIn(stream, change);
  if (changed.length === 0) return null;
  const state: Stream = { ...stream, ...change, dueAt: at.toISOString(), failures: 0 };
  const { details, ...target } = about(id, state);
  const told = { ...target, because: 'requested' as const, details: { ...details, changed: [...changed] } };
  return { state, events: [event('signal_stream.updated', told)] };
}

export function close(
  id: StreamId,
  stream: Stream,
  { because, at }: { because: ReasonOf<'signal_stream.deleted'>; at: Date },
): Decision<Stream> {
  if (stream.deletedAt) return null;
  return {
    state: { ...stream, deletedAt: at },
    events: [event('signal_stream.deleted', { ...about(id, stream), because })],
  };
}

/** Something was queued. One that is put off after a failure stays so. */
export const wake = (stream: Stream, queued: string, at: Date): Stream => ({
  ...stream,
  woken: queued,
  dueAt: stream.dueAt ?? at.toISOString(),
});

/** For a worker: due again when whoever took it is lost. */
export function take(stream: Stream, by: LeaseBy): Stream | null {
  if (!isPush(stream) || stream.status !== 'enabled' || stream.deletedAt) return null;
  const lease = leaseFor(stream.lease, by);
  return lease && { ...stream, lease, dueAt: lease.until };
}

/** Nothing more was found, unless something was queued since it was looked. */
export const rest = (stream: Stream, { seen, at }: { seen: string | null; at: Date }): Stream => ({
  ...stream,
  lease: null,
  failures: 0,
  dueAt: stream.woken === seen ? null : at.toISOString(),
});

const longestPauseMs = 300_000;

/** A second, two, four … five minutes, each a little less or more, so that not all come back at once. */
export function putOff(stream: Stream, { at, random }: { at: Date; random: () => number }): Stream {
  const failures = stream.failures + 1;
  const pauseMs = Math.min(longestPauseMs, 1_000 * 2 ** Math.min(failures - 1, 10)) * (0.9 + random() * 0.2);
  return { ...stream, lease: null, failures, dueAt: new Date(at.getTime() + pauseMs).toISOString() };
}
