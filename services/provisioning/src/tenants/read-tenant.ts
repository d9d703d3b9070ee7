import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Tenants, tenantView, viewOf } from './tenant.ts';

export const readTenant = ({ tenants }: { tenants: Tenants }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}',
    summary: 'Read a tenant',
    action: 'tenants:read',
    response: tenantView,
    async handle({ tenantId }) {
      const entry = await readExisting(tenants.in(tenantId), tenantId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
