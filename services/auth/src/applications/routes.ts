// Each route of applications, three times: the platform's at /v1/applications, a tenant's own below the tenant, and
// there also by the name that they have until 1.0.
import { platformTenantId, type TenantId } from '@reeve/contracts';
import { type Asked, type Caller, platformRoute, type Reply, type Route, tenantRoute } from '@reeve/service-kit';
import type { z } from 'zod';

type Suffix = '' | '/{clientId}' | '/{clientId}:rotate-secret';

/** Whose it is: a tenant, or the platform. */
type Owned = { owner: TenantId; caller: Caller };

type RouteOfBoth<S extends Suffix, B, Q, R> = Omit<
  Parameters<typeof platformRoute<`/v1/applications${S}`, R, B, Q>>[0],
  'path' | 'body' | 'handle'
> & {
  /** The platform says more of its applications. */
  body?: { ofPlatform: z.ZodType<B>; ofTenant: z.ZodType<B> };
  handle: (asked: Asked<`/v1/applications${S}`, B, Q> & Owned) => Promise<Reply<R>>;
};

export function applicationRoutes<S extends Suffix, R, B = undefined, Q = Record<string, never>>(
  suffix: S,
  { body, handle, ...route }: RouteOfBoth<S, B, Q, R>,
): Route[] {
  const ofTenant = <P extends 'applications' | 'clients'>(name: P) =>
    tenantRoute<`/v1/tenants/{tenantId}/${P}${S}`, R, B, Q>({
      ...route,
      path: `/v1/tenants/{tenantId}/${name}${suffix}`,
      ...(body ? { body: body.ofTenant } : {}),
      handle: asked => handle({ ...asked, owner: asked.tenantId } as never),
    });
  const ofPlatform = platformRoute<`/v1/applications${S}`, R, B, Q>({
    ...route,
    path: `/v1/applications${suffix}`,
    ...(body ? { body: body.ofPlatform } : {}),
    handle: asked => handle({ ...asked, owner: platformTenantId }),
  });
  return [ofPlatform, ofTenant('applications'), ofTenant('clients')];
}
