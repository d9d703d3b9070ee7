import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { suspend, type Tenants, tenantView, viewOf } from './tenant.ts';

export const suspendTenant = ({ tenants }: { tenants: Tenants }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}:suspend',
    summary: 'Suspend a tenant: nobody of it gets in until it is resumed',
    action: 'tenants:write',
    response: tenantView,
    async handle({ tenantId, cause, expectedVersion }) {
      const entry = await tenants
        .in(tenantId)
        .change(tenantId, tenant => tenant && suspend(tenantId, tenant), { cause, expectedVersion });
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry), version: entry.version };
    },
  });
