// POST /hooks/{endpointId}, as a list of steps. Until the signature is checked the request is a stranger's: it is told
// as little as possible, and has no effect but a count of its refusal.
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { type Cause, type DeliveryRejection, newId, type ProblemCode, ProblemError } from '@reeve/contracts';
import {
  type AppParts,
  addressOf,
  causeOf,
  type Logger,
  openRoute,
  requestIdOf,
  sendError,
  toProblem,
} from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type HeaderOnce, verify } from '@reeve/webhook-signatures';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Receiver, Receivers } from '../endpoints/receivers.ts';
import { type Delivery, expiryOf, identify, type Origin, sha256 } from './delivery.ts';
import { answerLingering } from './linger.ts';
import type { DeliveryStore } from './store-delivery.ts';
import type { Kind, Tallies } from './tallies.ts';

type Parts = { receivers: Receivers; deliveryStore: DeliveryStore; tallies: Tallies; clock: Clock; log: Logger };

type Exchange = { request: Request; response: Response };

type Arrival = { receiver: Receiver; body: Buffer; header: HeaderOnce; request: Request; cause: () => Cause };

type Reading = { row: Delivery; key: number } | { refused: DeliveryRejection; problem: ProblemError };

const hookPath = /^\/hooks\/([^/]+)\/?$/i;
const bodyLimit = 1_048_576;
const bodyWithinMs = 15_000;
/** While a body is on its way an endpoint may be disabled, or its secret replaced. */
const findAgainAfterMs = 100;
const pausedSeconds = 3_600;

const tracer = trace.getTracer('@reeve/webhook-ingress');

/**
 * Served in front of everything else: what the other routes need of the application costs as much as receiving a
 * delivery.
 */
export function receiveWebhook(parts: Parts): NonNullable<AppParts['fastLane']> {
  return {
    route: openRoute({
      method: 'post',
      path: '/hooks/{endpointId}',
      summary: 'Take a webhook: signed as the endpoint says, any content type, at most 1 MiB',
      open: 'a partner has no account here; what it sends is believed when a secret of the endpoint signed it',
      answer: 'json',
      ownBody: true,
      status: 202,
      response: z.object({ id: z.string(), status: z.literal('accepted') }),
      handle: ({ params: { endpointId }, request, response }) =>
        Promise.resolve({ stream: () => serve(parts, endpointId, { request, response }) }),
    }),
    handlerFor(path) {
      const endpointId = hookPath.exec(path)?.[1];
      if (endpointId === undefined) return null;
      return (request, response) => serve(parts, endpointId, { request, response });
    },
  };
}

async function serve(parts: Parts, endpointId: string, { request, response }: Exchange): Promise<void> {
  try {
    let receiver = await admit(parts, endpointId, { request, response });
    const begun = performance.now();
    const body = await bytesOf(request);
    if (performance.now() - begun > findAgainAfterMs) receiver = await admit(parts, endpointId, { request, response });
    const arrival = { receiver, body, request };
    await traced(request, () => receive(parts, arrival, response));
  } catch (error) {
    answerProblem(parts.log, error, { request, response });
  }
}

/** What can be said before a byte of the body is read. */
async function admit({ receivers }: Parts, endpointId: string, { request, response }: Exchange): Promise<Receiver> {
  if (request.method !== 'POST') {
    response.setHeader('Allow', 'POST');
    throw new ProblemError('method_not_allowed');
  }
  const receiver = await receivers.find(endpointId, addressOf(request));
  if (!receiver) throw new ProblemError('endpoint_unknown');
  if (receiver.status === 'disabled') throw new ProblemError('endpoint_disabled');
  // Not 410, on which many senders give up for good: a suspension ends.
  if (receiver.status === 'paused')
    throw new ProblemError('endpoint_paused', undefined, { retryAfterSeconds: pausedSeconds });
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new ProblemError('delivery_encoded');
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw new ProblemError('body_too_large');
  return receiver;
}

/** The bytes that were sent. They are not inflated: the signature is over them, and a bomb stays small. */
async function bytesOf(request: Request): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > bodyLimit) reject(new ProblemError('body_too_large'));
  };
  const late = setTimeout(() => reject(new ProblemError('delivery_too_slow')), bodyWithinMs);
  const end = () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes));
  const gone = (cause?: Error) => reject(new ProblemError('body_malformed', 'the body ended early', { cause }));
  request.on('data', take).once('end', end).once('error', gone).once('close', gone);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    request.off('data', take).off('end', end).off('error', gone).off('close', gone);
  }
}

async function receive(
  parts: Parts,
  { receiver, body, request }: Pick<Arrival, 'receiver' | 'body' | 'request'>,
  response: Response,
): Promise<void> {
  const { receivers, deliveryStore, clock } = parts;
  const now = clock.now();
  const arrival = { receiver, body, request, header: headerOf(request), cause: () => partnerCause(request, receiver) };
  const reading = read(arrival, now);
  if ('refused' in reading) {
    await count(parts, arrival, { type: 'delivery.rejected', reason: reading.refused, webhookId: claimedId(arrival) });
    throw reading.problem;
  }
  const { row, key } = reading;
  receivers.noteUse(receiver, key, now);
  const recalled = deliveryStore.recall(row);
  await receivers.charge(receiver, { repetition: recalled !== undefined });
  const { first, outcome } = recalled
    ? { first: recalled, outcome: 'repeated' as const }
    : await deliveryStore.keep(receiver, row);
  if (outcome === 'busy') throw new ProblemError('ingress_busy', undefined, { retryAfterSeconds: 2 });
  const { webhookId } = row;
  if (outcome === 'refused') {
    await count(parts, arrival, { type: 'delivery.rejected', reason: 'out_of_order', webhookId });
    throw new ProblemError('delivery_out_of_order');
  }
  if (outcome === 'repeated' && first.bodySha256 !== row.bodySha256) {
    await count(parts, arrival, { type: 'delivery.rejected', reason: 'same_id_other_body', webhookId });
    throw new ProblemError('delivery_conflict');
  }
  if (outcome === 'repeated')
    await count(parts, arrival, { type: 'delivery.duplicated', reason: 'same_id', webhookId });
  response.status(outcome === 'new' ? 202 : 200).json({ id: first.deliveryId, status: 'accepted' });
}

/** The delivery, once its sender is known by its signature. */
function read(arrival: Arrival, now: Date): Reading {
  const { receiver, body, header, request, cause } = arrival;
  const { endpoint, keys, idSource } = receiver;
  const { scheme, signature: settings, toleranceSeconds } = endpoint;
  if (!receiver.takesFrom(addressOf(request) ?? '')) return refusal('address', 'delivery_unauthenticated');
  const found = verify({ scheme, settings, header, body, keys, now, toleranceSeconds });
  if (found.verdict === 'malformed') return refusal('malformed', 'delivery_malformed');
  if (found.verdict !== 'valid') return refusal(found.verdict, 'delivery_unauthenticated');
  const contentType = request.headers['content-type'] ?? 'application/octet-stream';
  if (!isTaken(contentType, endpoint.contentTypes)) return refusal('content_type', 'delivery_type_refused');
  const { signedBytesSha256, key } = found;
  const inLane = endpoint.orderingKeyFrom !== null || endpoint.sequenceFrom !== null;
  try {
    const row: Delivery = {
      ...identify(receiver, { header, body, signedBytesSha256 }),
      deliveryId: newId('delivery'),
      endpointId: receiver.id,
      bodySha256: sha256(body),
      signedSha256: idSource.signed || endpoint.trustUnsignedIds ? null : signedBytesSha256(),
      contentType,
      bytes: body.length,
      receivedAt: now.toISOString(),
      expiresAt: expiryOf(now),
      status: inLane ? 'held' : 'accepted',
      inLane,
      origin: JSON.stringify({ cause: cause(), headers: keptHeaders(request, receiver) } satisfies Origin),
      body,
    };
    return { row, key };
  } catch (error) {
    if (error instanceof ProblemError) return { refused: 'malformed', problem: error };
    throw error;
  }
}

const refusal = (refused: DeliveryRejection, code: ProblemCode): Reading => ({
  refused,
  problem: new ProblemError(code),
});

function count(
  { tallies }: Parts,
  { receiver: { tenantId, id: endpointId }, body, cause }: Arrival,
  { webhookId, ...kind }: Kind & { webhookId: string | null },
): Promise<void> {
  return tallies.count({ kind, tenantId, endpointId, webhookId, bytes: body.length, cause });
}

/**
 * A header that came exactly once: what comes twice could be read in two ways. From the list as it was sent: Node's
 * `headersDistinct`, an object of lists for each request, was what the collector had most to do with.
 */
function headerOf({ rawHeaders }: Request): HeaderOnce {
  return name => {
    let found: string | undefined;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      if (rawHeaders[at]?.length !== name.length || rawHeaders[at]?.toLowerCase() !== name) continue;
      if (found !== undefined) return undefined;
      found = rawHeaders[at + 1];
    }
    return found;
  };
}

/** What an unverified sender says its id is, where that is harmless to write down. */
function claimedId({ receiver, header }: Arrival): string | null {
  const { from } = receiver.idSource;
  const id = from?.startsWith('header:') ? header(from.slice('header:'.length)) : undefined;
  return id !== undefined && /^[\w-]{1,256}$/.test(id) ? id : null;
}

function isTaken(contentType: string, taken: readonly string[]): boolean {
  return taken.length === 0 || taken.includes(contentType.split(';')[0]?.trim().toLowerCase() ?? '');
}

/** By the endpoint, which we named: its connector's id is whatever a tenant wrote, also the id of somebody else. */
const partnerCause = (request: Request, { id, endpoint: { connectorId } }: Receiver): Cause => ({
  ...causeOf(request, null),
  actor: { type: 'client', id, name: connectorId, via: 'client' },
});

/** Rather too much than too little: what is shown of a delivery is read by many. */
const secretNames = /auth|cookie|credential|hmac|jwt|key|pass|pwd|secret|session|\bsig|token/;
const secretValues = /^(?:(?:basic|bearer|digest|token)\s|eyJ)/i;

function keptHeaders({ headers }: Request, { endpoint: { signature } }: Receiver): Origin['headers'] {
  const kept: Origin['headers'] = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value);
    const isSecret = name === signature?.header || secretNames.test(name) || secretValues.test(text);
    kept[name] = isSecret ? '[redacted]' : text;
  }
  return kept;
}

const spanOptions = {
  kind: SpanKind.SERVER,
  attributes: { 'http.request.method': 'POST', 'http.route': '/hooks/{endpointId}' },
};

/** The span of the request, made here: the general instrumentation of HTTP costs as much as the rest of the work. */
function traced(request: Request, work: () => Promise<void>): Promise<void> {
  const parent = propagation.extract(ROOT_CONTEXT, request.headers);
  const span = tracer.startSpan('POST /hooks/{endpointId}', spanOptions, parent);
  return context.with(trace.setSpan(parent, span), work).finally(() => span.end());
}

function answerProblem(log: Logger, error: unknown, { request, response }: Exchange) {
  const problem = toProblem(error);
  if (problem.status >= 500 && problem.code !== 'endpoint_paused') {
    const about = { code: problem.code, requestId: requestIdOf(request) };
    log.error({ ...about, error: problem.cause ?? problem }, 'delivery failed');
  }
  if (response.headersSent) return;
  const answer = () => sendError('json', response, problem);
  if (request.complete) answer();
  else answerLingering(request, response, answer);
}
