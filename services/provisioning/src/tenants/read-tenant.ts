import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { type Tenants, tenantView, viewOf } from './tenant.ts';

export const readTenant = ({ tenants }: { tenants: Tenants }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}',
    summary: 'Read a tenant',
    action: 'tenants:read',
    response: tenantView,
    async handle({ tenantId }) {
      const entry = await tenants.in(tenantId).get(tenantId);
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry), version: entry.version };
    },
  });
