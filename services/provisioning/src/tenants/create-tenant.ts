import { ProblemError } from '@reeve/contracts';
import { platformRoute } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError } from '@reeve/store';
import { z } from 'zod';
import { open, slugSchema, type Tenants, tenantView, viewOf } from './tenant.ts';

export const createTenant = ({ tenants, clock }: { tenants: Tenants; clock: Clock }) =>
  platformRoute({
    method: 'post',
    path: '/v1/tenants',
    summary: 'Create a tenant',
    action: 'tenants:write',
    body: z.strictObject({ slug: slugSchema, name: z.string().trim().min(1).max(200) }),
    status: 201,
    response: tenantView,
    async handle({ body, cause, freshId }) {
      const id = freshId('tenant');
      const collection = tenants.in(id);
      try {
        const opened = open(id, { ...body, createdAt: clock.now().toISOString() });
        const entry = (await collection.create(id, opened, cause)) ?? (await collection.get(id));
        if (!entry) throw new ProblemError('conflict');
        return { body: viewOf(entry), version: entry.version };
      } catch (error) {
        if (error instanceof DuplicateKeyError && error.unique === 'slug')
          throw new ProblemError('tenant_slug_taken', undefined, { cause: error });
        throw error;
      }
    },
  });
