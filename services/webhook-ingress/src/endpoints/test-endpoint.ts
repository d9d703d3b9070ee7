// The test button: signs an example with the endpoint's newest secret and sends it through the front door, so that what
// passes here passes for the partner. The product sees its type, `reeve.test`.
import { randomBytes } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { SecretFormError, sign } from '@reeve/webhook-signatures';
import { z } from 'zod';
import { exampleOf } from '../samples/example.ts';
import { type Endpoint, type Endpoints, liveSecrets } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock; port: number };

const withinMs = 10_000;

const explanations: Record<number, string> = {
  202: 'Accepted and stored. It is on its way to reeve.webhook.payloads.v1 with the type reeve.test in its body.',
  401: 'Refused. The test comes from this service itself: allowedIps, where there are any, have to hold 127.0.0.1.',
  410: 'The endpoint is disabled. Enable it and test again.',
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
    async handle({ tenantId, params: { endpointId } }) {
      const { state: endpoint } = await readExisting(endpoints.in(tenantId), endpointId);
      if (endpoint.ordered && endpoint.orderingKeyFrom === null)
        throw new ProblemError(
          'delivery_state',
          'a test event would take a place in the only sequence of this endpoint',
        );
      const now = clock.now();
      const [newest] = liveSecrets(endpoint, now);
      if (!newest) throw new ProblemError('delivery_state', 'the endpoint has no secret in force: rotate it');
      // Letters and digits alone, since a partner's own scheme may set the id apart by anything else.
      const id = `reevetest${randomBytes(16).toString('hex')}`;
      const { body, headers, contentType } = exampleOf(endpoint, {
        id,
        orderingKey: id,
        sequence: 1,
        type: 'reeve.test',
      });
      const secret = await secrets.read(tenantId, newest.id);
      const signature = signatureOf(endpoint, { secret, id, now, body });
      const signed = { ...headers, ...signature, 'content-type': contentType };
      const response = await fetch(`http://127.0.0.1:${port}/hooks/${endpointId}`, {
        method: 'POST',
        headers: signed,
        body,
        signal: AbortSignal.timeout(withinMs),
      });
      const explanation = explanations[response.status] ?? 'See the code of the answer in docs/problems.md.';
      const request = { headers: signed, body };
      return { body: { status: response.status, explanation, request, answer: await response.json() } };
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
