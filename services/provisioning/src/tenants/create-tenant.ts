import { createOnce, platformRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { nameSchema, open, slugSchema, type Tenants, tenantView, viewOf } from './tenant.ts';

export const createTenant = ({ tenants, clock }: { tenants: Tenants; clock: Clock }) =>
  platformRoute({
    method: 'post',
    path: '/v1/tenants',
    summary: 'Create a tenant',
    action: 'tenants:write',
    body: z.strictObject({ slug: slugSchema, name: nameSchema }),
    status: 201,
    response: tenantView,
    async handle({ body, cause, freshId }) {
      const id = freshId('tenant');
      const opened = open(id, { ...body, createdAt: clock.now().toISOString() });
      const { entry } = await createOnce(tenants.in(id), id, opened, { cause, taken: { slug: 'tenant_slug_taken' } });
      return { body: viewOf(entry), version: entry.version };
    },
  });
