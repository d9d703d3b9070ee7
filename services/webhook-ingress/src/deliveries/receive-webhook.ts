// POST /hooks/:endpointId, as a list of steps. Until the signature is checked the request is a stranger's: it is told as little as
// possible, and has no effect but a count of its refusal.
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { type Cause, newId, ProblemError } from '@reeve/contracts';
import { addressOf, causeOf, type Logger, sendProblem, toProblem } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type HeaderOnce, verify } from '@reeve/webhook-signatures';
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { LRUCache } from 'lru-cache';
import type { EndpointSecrets } from '../endpoints/endpoint-secrets.ts';
import type { Receiver, Receivers } from '../endpoints/receivers.ts';
import { type Deliveries, type Delivery, deliveryKey, expiryOf, type Origin, sha256 } from './delivery.ts';
import { createFairQueue } from './fair-queue.ts';
import { identify } from './identify.ts';
import type { Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import type { Tallies } from './tallies.ts';

type Parts = {
  receivers: Receivers;
  secrets: EndpointSecrets;
  deliveries: Deliveries;
  lanes: Lanes;
  tallies: Tallies;
  limits: Limits;
  clock: Clock;
  log: Logger;
};

type Step = Parts & {
  store: (row: Parameters<Deliveries['append']>[0][number]) => Promise<'created' | { taken: string }>;
  /** What was accepted lately, by key: a storm of repetitions needs no store to be recognised. */
  recent: LRUCache<string, { deliveryId: string; bodySha256: string }>;
};

type Arrival = { receiver: Receiver; body: Buffer; header: HeaderOnce; request: Request; cause: () => Cause };

const bodyLimit = 1_048_576;
const bodyWithinMs = 15_000;
const rememberedIds = 10_000;
const attemptsToStore = 5;

const tracer = trace.getTracer('@reeve/webhook-ingress');

export function receiveWebhook(parts: Parts): Router {
  const queue = createFairQueue({ commit: parts.deliveries.append });
  const steps: Step = {
    ...parts,
    store: row => queue.push(row.tenantId, row, row.state.body.byteLength),
    recent: new LRUCache({ max: rememberedIds }),
  };
  const router = Router();
  // Not inflated: the signature is over the bytes that were sent, and a bomb stays small.
  const rawBody = express.raw({ type: () => true, limit: bodyLimit, inflate: false });
  router.post(
    '/hooks/:endpointId',
    async (request, response, next) => {
      response.locals['receiver'] = await admit(steps, request);
      const timer = setTimeout(() => tooSlow(request, response), bodyWithinMs);
      rawBody(request, response, error => {
        clearTimeout(timer);
        if (!response.headersSent) next(error);
      });
    },
    (request, response) =>
      traced(request, () =>
        receive(steps, request, response).catch((error: unknown) => answerProblem(parts.log, error, response)),
      ),
  );
  router.all('/hooks/:endpointId', (_request, response) => {
    response.setHeader('Allow', 'POST');
    throw new ProblemError('method_not_allowed');
  });
  const answer: ErrorRequestHandler = (error: unknown, _request, response, _next) =>
    answerProblem(parts.log, error, response);
  router.use(answer);
  return router;
}

/** What can be said before a byte of the body is read. */
async function admit({ receivers, limits }: Step, request: Request): Promise<Receiver> {
  const id = String(request.params['endpointId']);
  if (!receivers.knows(id)) await limits.lookUp(addressOf(request) ?? '');
  const receiver = await receivers.find(id);
  if (!receiver) throw new ProblemError('endpoint_unknown');
  if (!receiver.open) throw new ProblemError('endpoint_disabled');
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new ProblemError('delivery_encoded');
  // Said at once, and not after the parser has read all of it to the end.
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) {
    request.res?.setHeader('Connection', 'close');
    throw new ProblemError('body_too_large');
  }
  return receiver;
}

async function receive(steps: Step, request: Request, response: Response): Promise<void> {
  const receiver = response.locals['receiver'] as Receiver;
  const arrival: Arrival = {
    receiver,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    header: headerOf(request),
    request,
    cause: () => partnerCause(request, receiver),
  };
  const row = await read(steps, arrival);
  const key = deliveryKey(receiver.id, row.webhookId);
  const known = steps.recent.get(key);
  await steps.limits.delivery(receiver, known !== undefined);
  const first = known ?? (await keep(steps, arrival, row));
  if (first === 'new') {
    steps.recent.set(key, { deliveryId: row.deliveryId, bodySha256: row.bodySha256 });
    return void response.status(202).json({ id: row.deliveryId, status: 'accepted' });
  }
  const same = first.bodySha256 === row.bodySha256;
  if (!known) steps.recent.set(key, first);
  await refuse(steps, arrival, {
    type: same ? 'delivery.duplicated' : 'delivery.rejected',
    reason: same ? 'same_id' : 'same_id_other_body',
    webhookId: row.webhookId,
  });
  if (!same) throw new ProblemError('delivery_conflict');
  response.status(200).json({ id: first.deliveryId, status: 'accepted' });
}

/** The delivery, once its sender is known by its signature. */
async function read(steps: Step, arrival: Arrival): Promise<Delivery> {
  const { receiver, body, header, request, cause } = arrival;
  const { endpoint, keys, secretIds, tenantId, id: endpointId, idSource } = receiver;
  const now = steps.clock.now();
  const { scheme, signature: settings, toleranceSeconds } = endpoint;
  if (!receiver.takesFrom(addressOf(request) ?? '')) {
    await refuse(steps, arrival, { type: 'delivery.rejected', reason: 'address', webhookId: null });
    throw new ProblemError('delivery_unauthenticated');
  }
  const found = verify({ scheme, settings, header, body, keys, now, toleranceSeconds });
  if (found.verdict !== 'valid') {
    await refuse(steps, arrival, { type: 'delivery.rejected', reason: found.verdict, webhookId: claimedId(arrival) });
    throw new ProblemError(found.verdict === 'malformed' ? 'delivery_malformed' : 'delivery_unauthenticated');
  }
  const secretId = secretIds[found.key];
  if (secretId !== undefined) steps.secrets.used(tenantId, secretId, now);
  const contentType = request.headers['content-type'] ?? 'application/octet-stream';
  if (!isTaken(contentType, endpoint.contentTypes)) {
    await refuse(steps, arrival, { type: 'delivery.rejected', reason: 'content_type', webhookId: claimedId(arrival) });
    throw new ProblemError('delivery_type_refused');
  }
  const { webhookId, orderingKey, sequence } = await identified(steps, arrival, found.signedBytesSha256);
  const inLane = endpoint.orderingKeyFrom !== null || endpoint.sequenceFrom !== null;
  return {
    deliveryId: newId('delivery'),
    endpointId,
    webhookId,
    bodySha256: sha256(body),
    signedSha256: idSource.signed || endpoint.trustUnsignedIds ? null : found.signedBytesSha256(),
    contentType,
    bytes: body.length,
    receivedAt: now.toISOString(),
    expiresAt: expiryOf(now),
    status: inLane ? 'held' : 'accepted',
    orderingKey,
    sequence,
    inLane,
    origin: JSON.stringify({ cause: cause(), headers: keptHeaders(request) } satisfies Origin),
    body,
  };
}

async function identified(steps: Step, arrival: Arrival, signedBytesSha256: () => string) {
  try {
    return identify(arrival.receiver, { header: arrival.header, body: arrival.body, signedBytesSha256 });
  } catch (error) {
    await refuse(steps, arrival, { type: 'delivery.rejected', reason: 'malformed', webhookId: null });
    throw error;
  }
}

/** Stores it, and gives `new`, or what was stored under the same id or with the same signed bytes before. */
async function keep(
  steps: Step,
  arrival: Arrival,
  row: Delivery,
): Promise<'new' | Pick<Delivery, 'deliveryId' | 'bodySha256'>> {
  const { tenantId } = arrival.receiver;
  for (let attempt = 0; attempt < attemptsToStore; attempt += 1) {
    const result = await steps.store({ tenantId, id: row.deliveryId, state: row });
    const first = result === 'created' ? row : await findFirst(steps, arrival, { row, taken: result.taken });
    // Whoever had the id was refused by its lane in the moment between: the id is free again.
    if (!first) continue;
    // The first may not have come through its lane yet, and what happens to it there is the answer to all of them.
    await throughLane(steps, arrival, first);
    return result === 'created' ? 'new' : { deliveryId: first.deliveryId, bodySha256: first.bodySha256 };
  }
  throw new ProblemError('ingress_busy', undefined, { retryAfterSeconds: 1 });
}

async function findFirst(
  { deliveries }: Step,
  { receiver }: Arrival,
  { row, taken }: { row: Delivery; taken: string },
): Promise<Delivery | null> {
  const collection = deliveries.in(receiver.tenantId);
  const found =
    taken === 'signedBytes'
      ? await collection.getByUnique('signedBytes', `${row.endpointId}:${row.signedSha256}`)
      : await collection.getByUnique('webhook', deliveryKey(row.endpointId, row.webhookId));
  return found && found.state;
}

async function throughLane(steps: Step, arrival: Arrival, row: Delivery): Promise<void> {
  if (row.status !== 'held') return;
  const outcome = await steps.lanes.offer(arrival.receiver, row);
  if (outcome === 'busy') throw new ProblemError('ingress_busy', undefined, { retryAfterSeconds: 2 });
  if (outcome !== 'refused') return;
  await refuse(steps, arrival, { type: 'delivery.rejected', reason: 'out_of_order', webhookId: row.webhookId });
  throw new ProblemError('delivery_out_of_order');
}

function refuse(
  { tallies }: Step,
  { receiver: { tenantId, id: endpointId }, body, cause }: Arrival,
  about: { type: 'delivery.rejected' | 'delivery.duplicated'; reason: string; webhookId: string | null },
): Promise<void> {
  return tallies.count({ ...about, tenantId, endpointId, bytes: body.length, cause });
}

/**
 * A header that came exactly once: what comes twice could be read in two ways. From the list as it was sent: Node's `headersDistinct`, an object of
 * lists for each request, was what the collector had most to do with.
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

function partnerCause(request: Request, { endpoint }: Receiver): Cause {
  const span = trace.getActiveSpan()?.spanContext();
  return {
    ...causeOf(request, null),
    actor: { type: 'client', id: endpoint.connectorId, name: null, via: 'client' },
    ...(span ? { traceparent: `00-${span.traceId}-${span.spanId}-0${span.traceFlags.toString(16)}` } : {}),
  };
}

const secretHeaders = /signature|authorization|cookie|token|secret|hmac|api-?key|password/i;

function keptHeaders({ headers }: Request): Origin['headers'] {
  const kept: Origin['headers'] = {};
  for (const [name, value] of Object.entries(headers))
    kept[name] = secretHeaders.test(name) ? '[redacted]' : String(value);
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

function tooSlow(request: Request, response: Response) {
  if (response.headersSent) return;
  response.setHeader('Connection', 'close');
  sendProblem(response, new ProblemError('delivery_too_slow'));
  response.once('finish', () => request.destroy());
}

function answerProblem(log: Logger, error: unknown, response: Response) {
  const problem = toProblem(error);
  if (problem.status >= 500) log.error({ error: problem.cause ?? problem, code: problem.code }, 'delivery failed');
  if (!response.headersSent) sendProblem(response, problem);
}
