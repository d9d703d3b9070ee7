// Which access token a client gets for which service. Audiences are the services' URLs, nothing else; a scope that the
// client may not have is refused by name rather than dropped.
import { isId, longestAccessTokenMs, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import { type Client, errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { ownMetadata } from './client-metadata.ts';

type Parts = {
  resources: readonly string[];
  tenants: TenantDirectory;
  /** How long the session goes on that the token is issued in, in milliseconds; null for a machine's. */
  sessionLeftMs: (ctx: KoaContextWithOIDC) => Promise<number | null>;
};

/** The tenant that the granted scope `tenant:<id or slug>` leads to. */
export async function tenantOfScope(scope: string | undefined, tenants: TenantDirectory): Promise<TenantId | null> {
  const reference = scope
    ?.split(' ')
    .find(one => one.startsWith('tenant:'))
    ?.slice('tenant:'.length);
  if (reference === undefined) return null;
  return (await tenants.find(reference))?.id ?? null;
}

export function resourceServerInfo({ resources, tenants, sessionLeftMs }: Parts) {
  async function mayActFor(
    scope: string,
    { own, platform }: { own: TenantId | undefined; platform: boolean },
  ): Promise<boolean> {
    const reference = scope.slice('tenant:'.length);
    if (isId('tenant', reference) && reference === own) return true;
    // Only the platform may ask about any name; a tenant's client is told nothing of others.
    const lookedUp = platform ? reference : own;
    const tenant = lookedUp === undefined ? null : await tenants.find(lookedUp);
    return tenant !== null && (reference === tenant.id || reference === tenant.slug);
  }

  return async (ctx: KoaContextWithOIDC, resource: string, client: Client): Promise<ResourceServer> => {
    if (!resources.includes(resource)) throw new errors.InvalidTarget('resource is not the URL of one of our services');
    const asked = ((ctx.oidc.params?.['scope'] as string | undefined) ?? '').split(' ').filter(scope => scope !== '');
    const { tenant_id: own, platform = false } = ownMetadata(client);
    const isMachine = ctx.oidc.params?.['grant_type'] === 'client_credentials';
    if (isMachine && own !== undefined && (await tenants.find(own))?.status === 'suspended')
      throw new errors.UnauthorizedClient('its tenant is suspended');
    const granted: string[] = [];
    for (const scope of asked) {
      if (scope === 'platform:admin' && platform) granted.push(scope);
      else if (scope.startsWith('tenant:') && isMachine && (await mayActFor(scope, { own, platform })))
        granted.push(scope);
      else if (isMachine) throw new errors.InvalidScope('this client may not ask for it', scope);
    }
    const leftMs = (await sessionLeftMs(ctx)) ?? longestAccessTokenMs;
    return {
      scope: granted.join(' '),
      audience: resource,
      // Services verify it by themselves, and nobody tells them of a session whose time is over.
      accessTokenTTL: Math.max(1, Math.floor(Math.min(leftMs, longestAccessTokenMs) / 1_000)),
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'ES256' } },
    };
  };
}
