// The test button: signs an example with the endpoint's newest secret and sends it through the front door, so that what passes here passes
// for the partner. The product sees its type, `reeve.test`.
import { randomUUID } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { SecretFormError, sign } from '@reeve/webhook-signatures';
import { z } from 'zod';
import { complete, type Endpoint, type Endpoints, liveSecrets } from '../endpoints/endpoint.ts';
import type { EndpointSecrets } from '../endpoints/endpoint-secrets.ts';
import { exampleOf } from '../samples/example.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock; port: number };

const withinMs = 10_000;

const explanations: Record<number, string> = {
  202: 'Accepted and stored. It is on its way to reeve.webhook.payloads.v1 with the type reeve.test in its body.',
  401: 'Refused. The test comes from this service itself: an endpoint with allowedIps takes it only if those hold the loopback address.',
  410: 'The endpoint is disabled, or its tenant is suspended. Enable it and test again.',
  415: 'Refused for its content type: see contentTypes of the endpoint.',
  429: 'The endpoint is at its limit just now. Test again in a moment.',
};

export const testEndpoint = ({ endpoints, secrets, clock, port }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}:test',
    summary: 'Send a signed test event to the endpoint and show what was sent and answered',
    action: 'webhooks:write',
    response: z.object({
      status: z.number(),
      explanation: z.string(),
      request: z.object({ headers: z.record(z.string(), z.string()), body: z.string() }),
      answer: z.unknown(),
    }),
    async handle({ tenantId, params }) {
      const id = String(params['endpointId']);
      const entry = await endpoints.in(tenantId).get(id);
      if (!entry) throw new ProblemError('not_found');
      const endpoint = complete(entry.state);
      if (endpoint.ordered && endpoint.orderingKeyFrom === null)
        throw new ProblemError(
          'delivery_state',
          'a test event would take a place in the only sequence of this endpoint',
        );
      const [newest] = liveSecrets(endpoint, clock.now());
      if (!newest) throw new ProblemError('delivery_state', 'the endpoint has no secret in force: rotate it');
      const testId = `reeve_test_${randomUUID()}`;
      const { body, headers, contentType } = exampleOf(endpoint, {
        id: testId,
        orderingKey: testId,
        sequence: 1,
        type: 'reeve.test',
      });
      const signed = {
        ...headers,
        ...signatureOf(endpoint, {
          secret: await secrets.secret(tenantId, newest.id),
          id: testId,
          now: clock.now(),
          body,
        }),
        'content-type': contentType,
      };
      const response = await fetch(`http://127.0.0.1:${port}/hooks/${id}`, {
        method: 'POST',
        headers: signed,
        body,
        signal: AbortSignal.timeout(withinMs),
      });
      const explanation = explanations[response.status] ?? 'See the code of the answer in docs/problems.md.';
      return {
        body: {
          status: response.status,
          explanation,
          request: { headers: signed, body },
          answer: await response.json(),
        },
      };
    },
  });

function signatureOf(
  { scheme, signature }: Endpoint,
  { secret, id, now, body }: { secret: string; id: string; now: Date; body: string },
): Record<string, string> {
  const timestamp = Math.floor(now.getTime() / 1_000);
  try {
    if (scheme === 'ed25519') throw new SecretFormError('a public key cannot sign');
    return sign({ scheme, settings: signature, secret, id, timestamp, body: Buffer.from(body) });
  } catch (error) {
    if (!(error instanceof SecretFormError)) throw error;
    throw new ProblemError(
      'delivery_state',
      'only the partner holds the private key: ask it to send, or use the signing samples with a key pair of your own',
    );
  }
}
