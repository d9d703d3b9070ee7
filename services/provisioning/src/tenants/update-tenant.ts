import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { nameSchema, rename, type Tenants, tenantView, viewOf } from './tenant.ts';

export const updateTenant = ({ tenants }: { tenants: Tenants }) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}',
    summary: 'Change the name of a tenant; its slug stays',
    action: 'tenants:write',
    versioned: true,
    body: z.strictObject({ name: nameSchema }),
    response: tenantView,
    async handle({ tenantId: id, body: { name }, cause, expectedVersion }) {
      const entry = await changeExisting(tenants.in(id), id, tenant => rename(id, tenant, name), {
        cause,
        expectedVersion,
      });
      return { body: viewOf(entry), version: entry.version };
    },
  });
