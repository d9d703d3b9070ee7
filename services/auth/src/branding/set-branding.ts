import { tenantRoute } from '@reeve/service-kit';
import type { BrandDirectory } from './brand-directory.ts';
import { type Brandings, brandingSchema, brandingView, noBranding, set } from './branding.ts';

export const setBranding = ({ brandings, directory }: { brandings: Brandings; directory: BrandDirectory }) =>
  tenantRoute({
    method: 'put',
    path: '/v1/tenants/{tenantId}/branding',
    summary: 'Set the name and logo that the tenant’s people see while they sign in; null for none',
    action: 'connections:write',
    versioned: true,
    body: brandingSchema,
    response: brandingView,
    async handle({ tenantId, body, cause, expectedVersion }) {
      const decide = (before: Parameters<typeof set>[1]) => set(tenantId, before, body);
      const entry = await brandings.in(tenantId).change(tenantId, decide, { cause, expectedVersion });
      directory.forget(tenantId);
      return entry ? { body: entry.state, version: entry.version } : { body: noBranding };
    },
  });
