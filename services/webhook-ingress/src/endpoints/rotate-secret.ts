import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Endpoints, endpointView, rotate, viewOf } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock; selfUrl: string };

export const rotateSecret = ({ endpoints, secrets, clock, selfUrl }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}:rotate-secret',
    summary: 'Make a new secret, shown once; the previous one works for another day',
    action: 'webhooks:write',
    response: endpointView.extend({ secret: z.string().nullable() }),
    withoutSecrets: endpoint => ({ ...endpoint, secret: null }),
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['endpointId']);
      const collection = endpoints.in(tenantId);
      if (!(await collection.get(id))) throw new ProblemError('not_found');
      const { id: secretId, secret } = await secrets.create(tenantId, cause);
      const now = clock.now();
      const fresh = { id: secretId, createdAt: now.toISOString(), expiresAt: null };
      const entry = await collection.change(id, endpoint => endpoint && rotate(id, endpoint, fresh, now), {
        cause,
        expectedVersion,
      });
      if (!entry) throw new ProblemError('not_found');
      return { body: { ...viewOf(entry, selfUrl), secret }, version: entry.version };
    },
  });
