// Which access token an application gets for which resource server: for one of Reeve's services or for an API of the
// product, and nothing else. A scope that a machine may not have is refused by name rather than dropped.
import { isId, longestAccessTokenMs, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import { type Client, errors, type ResourceServer as Info, type KoaContextWithOIDC } from 'oidc-provider';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isServed, type KnownApplication } from '../applications/known-application.ts';
import { type ResourceServer, scopesFor } from '../resource-servers/resource-server.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';

type Parts = {
  /** URLs of Reeve's own services. */
  services: readonly string[];
  resourceServers: ResourceServerDirectory;
  applications: Pick<ApplicationDirectory, 'find'>;
  tenants: TenantDirectory;
  /** How long the session goes on that the token is issued in, in milliseconds; null for a machine's. */
  sessionLeftMs: (ctx: KoaContextWithOIDC) => Promise<number | null>;
};

/** Of a receiver of Shared Signals (CAEP Interoperability Profile), which acts in its own tenant. */
export const signalScopes: readonly string[] = ['ssf.read', 'ssf.manage'];

/** Of a bot, which gets tokens of its users by it, and reaches nothing else. */
export const botScope = 'bots:act';

/** The tenant that the granted scope `tenant:<id or slug>` leads to. */
export async function tenantOfScope(scope: string | undefined, tenants: TenantDirectory): Promise<TenantId | null> {
  const reference = scope
    ?.split(' ')
    .find(one => one.startsWith('tenant:'))
    ?.slice('tenant:'.length);
  if (reference === undefined) return null;
  return (await tenants.find(reference))?.id ?? null;
}

type Format = Pick<Info, 'accessTokenFormat' | 'jwt'>;

export const formatOf = ({ format, algorithm }: ResourceServer): Format =>
  format === 'opaque'
    ? { accessTokenFormat: 'opaque' }
    : { accessTokenFormat: 'jwt', jwt: { sign: { alg: algorithm } } };

export function resourceServerInfo({ services, resourceServers, applications, tenants, sessionLeftMs }: Parts) {
  async function mayActFor(scope: string, application: KnownApplication): Promise<boolean> {
    const reference = scope.slice('tenant:'.length);
    const { tenantId: own, isPlatform } = application;
    if (isId('tenant', reference) && reference === own) return true;
    // Only who may serve several may ask about any name; a tenant's client is told nothing of others.
    const tenant = await tenants.find(own ?? reference);
    if (!tenant || (reference !== tenant.id && reference !== tenant.slug)) return false;
    return isPlatform || (tenant.status === 'active' && isServed(application, tenant.id));
  }

  /** Of one tenant, since a token says one. */
  async function grantedToMachine(
    asked: readonly string[],
    application: KnownApplication,
    others: readonly string[],
  ): Promise<string[]> {
    const { tenantId: own } = application;
    if (own !== null && (await tenants.find(own))?.status === 'suspended')
      throw new errors.UnauthorizedClient('its tenant is suspended');
    if (own === null && asked.filter(scope => scope.startsWith('tenant:')).length > 1)
      throw new errors.InvalidScope('a token is for one tenant', asked.join(' '));
    for (const scope of asked) {
      const mayAsk = scope.startsWith('tenant:') ? await mayActFor(scope, application) : others.includes(scope);
      if (!mayAsk) throw new errors.InvalidScope('this client may not ask for it', scope);
    }
    return [...asked];
  }

  async function forApi(
    server: ResourceServer,
    application: KnownApplication,
    machineAsks: readonly string[] | null,
  ): Promise<{ scopes: string[]; longestMs: number; format: Format }> {
    const allowed = scopesFor(server, application);
    if (!allowed) throw unknownResource();
    return {
      scopes: machineAsks ? await grantedToMachine(machineAsks, application, allowed) : allowed,
      longestMs: server.tokenSeconds * 1_000,
      format: formatOf(server),
    };
  }

  async function forService(application: KnownApplication, machineAsks: readonly string[] | null) {
    // What is revoked is of every tenant.
    const ofPlatform = application.tenants === 'all' ? ['revocations:read'] : [];
    const ofReceiver = application.tenantId === null ? [] : signalScopes;
    const ofBot = application.isPlatform ? [] : [botScope];
    const ofTeam = application.isPlatform ? ['platform:admin'] : [];
    return {
      scopes: machineAsks
        ? await grantedToMachine(machineAsks, application, [...ofPlatform, ...ofTeam, ...ofReceiver, ...ofBot])
        : [],
      longestMs: longestAccessTokenMs,
      format: { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } } as const,
    };
  }

  return async (ctx: KoaContextWithOIDC, resource: string, client: Client): Promise<Info> => {
    const application = await applications.find(client.clientId);
    if (!application) throw unknownResource();
    const asked = ((ctx.oidc.params?.['scope'] as string | undefined) ?? '').split(' ').filter(scope => scope !== '');
    const machineAsks = ctx.oidc.params?.['grant_type'] === 'client_credentials' ? asked : null;
    const server = services.includes(resource) ? null : await resourceServers.find(resource);
    if (!server && !services.includes(resource)) throw unknownResource();
    // Nobody but the product's own applications gets a token for Reeve.
    if (application.document && !(server && keepsSome(ctx, scopesFor(server, application)))) throw unknownResource();
    const { scopes, longestMs, format } = await (server
      ? forApi(server, application, machineAsks)
      : forService(application, machineAsks));
    const leftMs = (await sessionLeftMs(ctx)) ?? longestMs;
    return {
      scope: scopes.join(' '),
      audience: resource,
      // Whoever verifies it by itself is told by nobody of a session whose time is over.
      accessTokenTTL: Math.max(1, Math.floor(Math.min(leftMs, longestMs) / 1_000)),
      ...format,
    };
  };
}

/** Of what it was given there; else it would go on with a token that is for nothing. */
function keepsSome({ oidc: { entities } }: KoaContextWithOIDC, allowed: readonly string[] | null): boolean {
  const given = entities.RefreshToken?.scope ?? entities.AuthorizationCode?.scope;
  return given === undefined || given.split(' ').some(scope => allowed?.includes(scope));
}

/** One answer for what is not there and for what is not for this application. */
export const unknownResource = () =>
  new errors.InvalidTarget('resource is neither the URL of one of our services nor of an API that it may ask for');
