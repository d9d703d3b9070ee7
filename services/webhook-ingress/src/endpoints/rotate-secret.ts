import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { complete, type Endpoints, endpointView, rotate } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';
import type { Receivers } from './receivers.ts';
import { showEndpoint } from './show-endpoint.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; receivers: Receivers; clock: Clock; selfUrl: string };

const day = 86_400;

export const rotateSecret = ({ endpoints, secrets, receivers, clock, selfUrl }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}:rotate-secret',
    summary: 'Put a new secret in force, made by Reeve (shown once) or given; the previous ones work on for a while',
    action: 'webhooks:write',
    body: z.strictObject({
      secret: z.string().optional().describe('The new secret or public key, where the partner makes it'),
      overlapSeconds: z
        .number()
        .int()
        .min(0)
        .max(30 * day)
        .default(day)
        .describe('How long the previous secrets go on working; 0 ends them now'),
    }),
    response: endpointView.extend({ secret: z.string().nullable() }),
    withoutSecrets: endpoint => ({ ...endpoint, secret: null }),
    async handle({ tenantId, params, body: { secret: given, overlapSeconds }, cause, expectedVersion }) {
      const id = String(params['endpointId']);
      const collection = endpoints.in(tenantId);
      const current = await collection.get(id);
      if (!current) throw new ProblemError('not_found');
      const { scheme, signature } = complete(current.state);
      const { id: secretId, shown } = await secrets.create(
        tenantId,
        { scheme, signature, given, field: 'secret' },
        cause,
      );
      const now = clock.now();
      const fresh = { id: secretId, createdAt: now.toISOString(), expiresAt: null };
      const entry = await collection.change(
        id,
        endpoint => endpoint && rotate(id, endpoint, { fresh, overlapSeconds, now }),
        { cause, expectedVersion },
      );
      if (!entry) throw new ProblemError('not_found');
      receivers.forget(id);
      return {
        body: { ...(await showEndpoint({ secrets, selfUrl }, tenantId, entry)), secret: shown },
        version: entry.version,
      };
    },
  });
