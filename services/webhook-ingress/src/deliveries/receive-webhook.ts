// POST /hooks/:endpointId, as a list of steps. Until the signature is checked the request is a stranger's: it is told as little as
// possible, and has no effect but a record of its refusal.
import { type Cause, type EventDraft, emptyContext, isId, newId, ProblemError, type TenantId } from '@reeve/contracts';
import { causeOf } from '@reeve/service-kit';
import type { Clock, TenantEntry } from '@reeve/store';
import { verifyStandard } from '@reeve/webhook-signatures';
import express, { type Request, type Response, Router } from 'express';
import { type Endpoint, type Endpoints, liveSecrets } from '../endpoints/endpoint.ts';
import type { EndpointSecrets } from '../endpoints/endpoint-secrets.ts';
import { accept, type Deliveries, deliveryKey, refused, sha256 } from './delivery.ts';

type Parts = {
  endpoints: Endpoints;
  deliveries: Deliveries;
  secrets: EndpointSecrets;
  recordFact: (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;
  clock: Clock;
};

const bodyLimit = '1mb';

export function receiveWebhook(parts: Parts): Router {
  const router = Router();
  // Not inflated: the signature is over the bytes that were sent, and a bomb stays small.
  const rawBody = express.raw({ type: () => true, limit: bodyLimit, inflate: false });
  router.post('/hooks/:endpointId', rawBody, (request, response) => receive(parts, request, response));
  router.all('/hooks/:endpointId', (_request, response) => {
    response.setHeader('Allow', 'POST');
    throw new ProblemError('method_not_allowed');
  });
  return router;
}

async function receive(parts: Parts, request: Request, response: Response): Promise<void> {
  const endpoint = await findEndpoint(parts, String(request.params['endpointId']));
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const webhookId = await authenticate(parts, endpoint, request, body);
  const { tenantId, id: endpointId } = endpoint;
  const collection = parts.deliveries.in(tenantId);
  const key = deliveryKey(endpointId, webhookId);
  const contentType = request.get('Content-Type') ?? 'application/octet-stream';
  const decision = accept({
    deliveryId: newId('delivery'),
    tenantId,
    endpointId,
    webhookId,
    body,
    contentType,
    now: parts.clock.now(),
  });
  const created = await collection.create(key, decision, partnerCause(request, endpoint));
  if (created) {
    response.status(202).json({ id: created.state.deliveryId, status: 'accepted' });
    return;
  }
  const first = await collection.get(key);
  if (!first) throw new ProblemError('dependency_unavailable', undefined, { retryAfterSeconds: 1 });
  const same = first.state.bodySha256 === sha256(body);
  const event = same
    ? refused('delivery.duplicated', 'same_id', { endpointId, webhookId, bytes: body.length })
    : refused('delivery.rejected', 'same_id_other_body', { endpointId, webhookId, bytes: body.length });
  await parts.recordFact(tenantId, event, partnerCause(request, endpoint));
  if (!same) throw new ProblemError('delivery_conflict');
  response.status(200).json({ id: first.state.deliveryId, status: 'accepted' });
}

async function findEndpoint({ endpoints }: Parts, id: string): Promise<TenantEntry<Endpoint>> {
  const found = isId('endpoint', id)
    ? await endpoints.acrossTenants('a partner knows the endpoint and no tenant').getByUnique('id', id)
    : null;
  if (!found) throw new ProblemError('endpoint_unknown');
  if (found.state.status === 'disabled') throw new ProblemError('endpoint_disabled');
  return found;
}

/** The webhook's id, once its signature holds. What is wrong is recorded for the tenant; the sender learns a status and no more. */
async function authenticate(
  parts: Parts,
  endpoint: TenantEntry<Endpoint>,
  request: Request,
  body: Buffer,
): Promise<string> {
  const { tenantId, id: endpointId, state } = endpoint;
  const once = (name: string): string => {
    const values = request.headersDistinct[name];
    return values?.length === 1 ? (values[0] ?? '') : '';
  };
  const headers = {
    id: once('webhook-id'),
    timestamp: once('webhook-timestamp'),
    signature: once('webhook-signature'),
  };
  const now = parts.clock.now();
  const secrets = await Promise.all(liveSecrets(state, now).map(({ id }) => parts.secrets.read(tenantId, id)));
  const verdict = verifyStandard({ headers, body, secrets, now, toleranceSeconds: state.toleranceSeconds });
  if (verdict === 'valid') return headers.id;
  const webhookId = /^[\w-]{1,256}$/.test(headers.id) ? headers.id : null;
  await parts.recordFact(
    tenantId,
    refused('delivery.rejected', verdict, { endpointId, webhookId, bytes: body.length }),
    causeOf(request, null),
  );
  throw new ProblemError(verdict === 'malformed' ? 'delivery_malformed' : 'delivery_unauthenticated');
}

function partnerCause(request: Request, { state }: TenantEntry<Endpoint>): Cause {
  const cause = causeOf(request, null);
  return {
    ...cause,
    actor: { type: 'client', id: state.connectorId, name: null, via: 'client' },
    context: { ...emptyContext, ...cause.context },
  };
}
