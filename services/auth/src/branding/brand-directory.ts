// The brand of a tenant, as pages look it up.
import type { TenantId } from '@reeve/contracts';
import type { Brand } from '@reeve/service-kit';
import { keptBriefly } from '../kept-briefly.ts';
import { type Brandings, brandOf, noBranding } from './branding.ts';

export type BrandDirectory = ReturnType<typeof createBrandDirectory>;

export function createBrandDirectory({ brandings }: { brandings: Brandings }) {
  const load = async (tenantId: TenantId): Promise<Brand | null> =>
    brandOf((await brandings.in(tenantId).get(tenantId))?.state ?? noBranding);
  return keptBriefly(load, { most: 2_000 });
}
