import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Endpoint, type Endpoints, rotate } from './endpoint.ts';
import type { Receivers } from './receivers.ts';
import { endpointWithSecret, type ShowParts, showEndpoint } from './show-endpoint.ts';

type Parts = ShowParts & { endpoints: Endpoints; receivers: Receivers; clock: Clock };

const day = 86_400;

export const rotateSecret = ({ endpoints, receivers, clock, ...parts }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}:rotate-secret',
    summary: 'Put a new secret in force, made by Reeve (shown once) or given; the previous ones work on for a while',
    action: 'webhooks:write',
    versioned: true,
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
    response: endpointWithSecret,
    withoutSecrets: endpoint => ({ ...endpoint, secret: null }),
    async handle({ tenantId, params: { endpointId: id }, body, cause, expectedVersion, freshId }) {
      const { secret: given, overlapSeconds } = body;
      const now = clock.now();
      const fresh = { id: freshId('secret'), createdAt: now.toISOString(), expiresAt: null };
      let shown: string | null = null;
      let isStored = false;
      const decide = (endpoint: Endpoint) => rotate(id, endpoint, { fresh, overlapSeconds, now });
      const entry = await changeExisting(endpoints.in(tenantId), id, decide, {
        cause,
        expectedVersion,
        // Once, and only where the endpoint may be changed. One that an earlier try has put in force stays as it is.
        async gather(endpoint) {
          if (!endpoint || isStored || decide(endpoint) === null) return;
          const { scheme, signature } = endpoint;
          const wanted = { id: fresh.id, scheme, signature, given, field: 'secret' };
          shown = await parts.secrets.create(tenantId, wanted, cause);
          isStored = true;
        },
      });
      receivers.forget(id);
      const view = await showEndpoint(parts, tenantId, entry);
      return { body: { ...view, secret: shown }, version: entry.version };
    },
  });
