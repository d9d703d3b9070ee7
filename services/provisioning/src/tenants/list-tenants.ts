import { pageOf, platformRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Tenants, tenantView, viewOf } from './tenant.ts';

export const listTenants = ({ tenants }: { tenants: Tenants }) =>
  platformRoute({
    method: 'get',
    path: '/v1/tenants',
    summary: 'List tenants in the order of their creation',
    action: 'tenants:list',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z
        .string()
        .regex(/^ten_[0-9a-f-]{36}$/, 'is not a cursor of this list')
        .optional(),
    }),
    response: pageOf(tenantView),
    async handle({ query: { limit, cursor } }) {
      const found = await tenants
        .acrossTenants('platform administration lists tenants')
        .list({ after: cursor, limit: limit + 1 });
      const items = found.slice(0, limit).map(viewOf);
      return { body: { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null } };
    },
  });
