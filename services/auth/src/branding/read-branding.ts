import { tenantRoute } from '@reeve/service-kit';
import { type Brandings, brandingView, noBranding } from './branding.ts';

export const readBranding = ({ brandings }: { brandings: Brandings }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/branding',
    summary: 'Read the name and logo that the tenant’s people see while they sign in',
    action: 'connections:read',
    response: brandingView,
    async handle({ tenantId }) {
      const found = await brandings.in(tenantId).get(tenantId);
      return found ? { body: found.state, version: found.version } : { body: noBranding };
    },
  });
