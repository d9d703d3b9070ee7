// What holds for sessions of a surface, as sign-ins and refreshes look it up.
import { platformTenantId, type TenantId } from '@reeve/contracts';
import { keptBriefly } from '../kept-briefly.ts';
import { effective, type Said, type SurfacePolicies, type SurfacePolicy } from './surface-policy.ts';

export const mostSurfaces = 100;

export type SurfacePolicyDirectory = ReturnType<typeof createSurfacePolicyDirectory>;

export function createSurfacePolicyDirectory({ policies }: { policies: SurfacePolicies }) {
  const load = async (owner: TenantId): Promise<ReadonlyMap<string, SurfacePolicy>> => {
    const { items } = await policies.in(owner).list('inOrder', {}, { limit: mostSurfaces });
    return new Map(items.map(({ id, state }) => [id, state]));
  };
  const { of, forget } = keptBriefly(load, { most: 2_000 });

  async function said(tenantId: TenantId, surface: string): Promise<Said> {
    const [ofPlatform, ofTenant] = await Promise.all([of(platformTenantId), of(tenantId)]);
    const platform = ofPlatform.get(surface);
    return tenantId === platformTenantId ? { platform } : { platform, tenant: ofTenant.get(surface) };
  }

  return {
    /** As it was a second ago at most. */
    find: async (tenantId: TenantId, surface: string): Promise<SurfacePolicy> =>
      effective(surface, await said(tenantId, surface)),

    said,

    /** Those that somebody has said something of. */
    async named(tenantId: TenantId): Promise<string[]> {
      const known = await Promise.all([of(platformTenantId), of(tenantId)]);
      return known.flatMap(map => [...map.keys()]);
    },

    forget,
  };
}
