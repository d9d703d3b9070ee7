import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { defaultToleranceSeconds, type Endpoints, endpointView, open, viewOf } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock; selfUrl: string };

export const createEndpoint = ({ endpoints, secrets, clock, selfUrl }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/webhook-endpoints',
    summary: 'Create a webhook endpoint; its secret is shown once',
    action: 'webhooks:write',
    body: z.strictObject({
      connectorId: z.string().min(1).max(100),
      scheme: z.literal('standard').default('standard'),
      toleranceSeconds: z.number().int().min(30).max(3_600).default(defaultToleranceSeconds),
    }),
    status: 201,
    response: endpointView.extend({ secret: z.string().nullable() }),
    withoutSecrets: endpoint => ({ ...endpoint, secret: null }),
    async handle({ tenantId, body: { connectorId, toleranceSeconds }, cause, freshId }) {
      const id = freshId('endpoint');
      const createdAt = clock.now().toISOString();
      const { id: secretId, secret } = await secrets.create(tenantId, cause);
      const decision = open(
        id,
        {
          connectorId,
          installationId: null,
          toleranceSeconds,
          secrets: [{ id: secretId, createdAt, expiresAt: null }],
          createdAt,
        },
        'requested',
      );
      const entry = await endpoints.in(tenantId).create(id, decision, cause);
      if (entry) return { body: { ...viewOf(entry, selfUrl), secret }, version: entry.version };
      const existing = await endpoints.in(tenantId).get(id);
      if (!existing) throw new ProblemError('conflict');
      return { body: { ...viewOf(existing, selfUrl), secret: null }, version: existing.version };
    },
  });
