// Each route of surface policies, twice: the platform's, for all tenants, and a tenant's, within them.
import { platformTenantId, type TenantId } from '@reeve/contracts';
import { type Asked, platformRoute, type Reply, type Route, tenantRoute } from '@reeve/service-kit';

type Suffix = '' | '/{surface}';

type RouteOfBoth<S extends Suffix, R, B> = Omit<
  Parameters<typeof platformRoute<`/v1/surface-policies${S}`, R, B>>[0],
  'path' | 'handle'
> & {
  handle: (asked: Asked<`/v1/surface-policies${S}`, B, unknown> & { owner: TenantId }) => Promise<Reply<R>>;
};

export function surfacePolicyRoutes<S extends Suffix, R, B = undefined>(
  suffix: S,
  { handle, ...route }: RouteOfBoth<S, R, B>,
): Route[] {
  return [
    platformRoute<`/v1/surface-policies${S}`, R, B>({
      ...route,
      path: `/v1/surface-policies${suffix}`,
      handle: asked => handle({ ...asked, owner: platformTenantId }),
    }),
    tenantRoute<`/v1/tenants/{tenantId}/surface-policies${S}`, R, B>({
      ...route,
      path: `/v1/tenants/{tenantId}/surface-policies${suffix}`,
      handle: asked => handle({ ...asked, owner: asked.tenantId } as never),
    }),
  ];
}
