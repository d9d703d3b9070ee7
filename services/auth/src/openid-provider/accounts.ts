// Whether a token counts now: what follows from the session that it was issued in, as that is now, from the application
// that it was issued to, and from what the person has allowed.
import { isId, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Allowed } from '../application-grants/allowed.ts';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isServed, type KnownApplication } from '../applications/known-application.ts';
import type { VouchedBy } from '../identity-assertions/vouched-by.ts';
import { scopesByExchange } from '../resource-servers/exchange-policy.ts';
import { isReserved, type ResourceServer, scopesFor } from '../resource-servers/resource-server.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import { type LiveSession, type LiveSessions, refIn, type SessionRef } from '../sessions/live-sessions.ts';
import type { StatusLists } from '../status-lists/status-lists.ts';
import { clientKey, metadataOf, ownMetadata } from './client-metadata.ts';
import type { GrantStore } from './grants.ts';
import { requestScope } from './request-scope.ts';

export type AccountParts = {
  live: LiveSessions;
  tenants: TenantDirectory;
  grants: GrantStore;
  applications: ApplicationDirectory;
  resourceServers: ResourceServerDirectory;
  statusLists: Pick<StatusLists, 'claimOf'>;
  /** Applications that nobody registered. */
  allowed: Allowed;
  /** Assistants that identity providers vouch towards. */
  vouchedBy: VouchedBy;
};

export function findLive({ live }: Pick<AccountParts, 'live'>, ref: SessionRef): Promise<LiveSession | null> {
  return requestScope().read(`session ${ref.sessionId}`, () => live.find(ref));
}

/** The session that a token was issued in, by the grant that it belongs to. */
export function refOfToken(token: object | undefined): SessionRef | null {
  const grantId: unknown = token && 'grantId' in token ? token.grantId : undefined;
  return typeof grantId === 'string' ? refIn(grantId) : null;
}

/** The session that is live and whose tenant the application serves: asked wherever a token is made or looked at. */
export async function findServed(
  parts: AccountParts,
  application: KnownApplication,
  ref: SessionRef,
  usedIn: Pick<KnownApplication, 'surface'> = application,
): Promise<LiveSession | null> {
  const found = (await parts.applications.serves(application, ref.tenantId)) ? await findLive(parts, ref) : null;
  return found && !(await parts.live.isOverFor(found, surfaceOf(usedIn))) ? found : null;
}

/** Of an application that does not say in what kind of place people use it. */
const unsaidSurface = 'application';

export const surfaceOf = ({ surface }: Pick<KnownApplication, 'surface'>): string => surface ?? unsaidSurface;

const kindsThatEnd = ['AccessToken', 'ClientCredentials'];

/**
 * Not one that the application got before its tokens were ended. Of a refresh token that is not said: whoever uses it
 * has to authenticate as of now.
 */
export function isOfNow({ tokensFrom }: Pick<KnownApplication, 'tokensFrom'>, token: object): boolean {
  if (!('kind' in token) || !kindsThatEnd.includes(String(token.kind))) return true;
  const { client_tokens_from: of } = ('extra' in token ? (token.extra ?? {}) : {}) as Record<string, unknown>;
  return of === (tokensFrom ?? undefined);
}

/** Of an application that nobody registered: what the person allowed it still holds, for all that the token is for. */
export async function isAllowedStill(
  parts: AccountParts,
  application: KnownApplication,
  token: object,
): Promise<boolean> {
  // The tenant has said what an assistant may that its identity provider vouches towards: nobody is asked.
  if (!application.document || delegatedBy(token) === 'id_jag') return true;
  const ref = refOfToken(token);
  const { grantId, scope } = token as { grantId?: string; scope?: unknown };
  const allowedBy = grantId === undefined ? null : await parts.grants.findAllowedBy(grantId);
  if (!ref || !allowedBy) return false;
  const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
  return parts.allowed.holds(ref.tenantId, allowedBy, { scopes, clientId: application.id });
}

type Introspected = {
  kind?: string;
  grantId?: string | undefined;
  clientId?: string | undefined;
  aud?: unknown;
  scope?: string | undefined;
  iat?: number | undefined;
  extra?: unknown;
};

/**
 * Whether a token counts now, for an application that may know: its own, or those for the API that it is. The session
 * may be over, the application be gone, or serve that tenant or may ask for that API no more.
 */
export async function isGood(parts: AccountParts, client: { clientId: string }, token: Introspected): Promise<boolean> {
  const application = token.clientId === undefined ? null : await parts.applications.findUnread(token.clientId);
  if (!application || !isOfNow(application, token)) return false;
  const server = typeof token.aud === 'string' ? await parts.resourceServers.find(token.aud) : null;
  if (typeof token.aud === 'string' && !(server && mayHave(server, application, token))) return false;
  // Not one for an API of before at the same URL.
  if (server && (token.iat ?? 0) < Math.floor(Date.parse(server.createdAt) / 1_000)) return false;
  const ref = refOfToken(token);
  const tenantId = ref?.tenantId ?? tenantIn(token);
  if (client.clientId !== application.id) {
    const asking = server?.introspectedBy.some(id => id === client.clientId)
      ? await parts.applications.find(client.clientId)
      : null;
    // The API of a tenant's own is told of that tenant's.
    if (!asking || (asking.tenantId !== null && asking.tenantId !== tenantId)) return false;
  }
  if (ref) {
    if (!(await isAllowedStill(parts, application, token))) return false;
    // An exchanged one is used where the person is, and not where the application is that exchanged it.
    const usedIn = isExchanged(token) ? { surface: surfaceIn(token) } : application;
    const served = await findServed(parts, application, ref, usedIn);
    return served !== null && (await isVouchedStill(parts, served, token)) && isOriginGood(parts, ref.tenantId, token);
  }
  // A machine's.
  return tenantId === null || (await parts.tenants.find(tenantId))?.status === 'active';
}

/** When it was found good the library looks up the application that it was issued to: what is known of that does. */
export async function mayIntrospect(parts: AccountParts, client: { clientId: string }, token: Introspected) {
  const { clientId } = token;
  if (!(await isGood(parts, client, token))) return false;
  if (clientId !== undefined && clientId !== client.clientId)
    await requestScope().read(clientKey(clientId), async () =>
      metadataOf(await parts.applications.findUnread(clientId)),
    );
  return true;
}

/** In others that name who acts for the person it is the application itself, in a session of its own. */
const isExchanged = ({ extra }: Introspected) =>
  typeof extra === 'object' && extra !== null && 'act' in extra && !('delegated_by' in extra);

const saidIn = (token: object, name: string): unknown =>
  'extra' in token && typeof token.extra === 'object' ? (token.extra as Record<string, unknown> | null)?.[name] : null;

const delegatedBy = (token: object): unknown => saidIn(token, 'delegated_by');

/** What was issued in the session of an assistant names the policy as it was then. */
async function isVouchedStill(parts: AccountParts, session: LiveSession, token: Introspected): Promise<boolean> {
  const policy = await parts.vouchedBy(session);
  return policy === undefined || (policy !== null && policy.grantName === saidIn(token, 'grant_id'));
}

/** All that the token is for, by what the API says of applications, or of exchanges where it is from one. */
function mayHave(server: ResourceServer, application: KnownApplication, token: Introspected): boolean {
  const may = isExchanged(token) ? scopesByExchange(server, application.id) : scopesFor(server, application);
  const scopes = (token.scope ?? '').split(' ').filter(one => one !== '' && !isReserved(one));
  return may !== null && scopes.every(one => may.includes(one));
}

function surfaceIn({ extra }: Introspected): string | null {
  const surface: unknown = typeof extra === 'object' && extra !== null && 'surface' in extra ? extra.surface : null;
  return typeof surface === 'string' ? surface : null;
}

/** The applications count still whose tokens were exchanged until it was this one. */
async function isOriginGood(parts: AccountParts, tenantId: TenantId, token: object): Promise<boolean> {
  let grantId: unknown = 'grantId' in token ? token.grantId : null;
  while (typeof grantId === 'string') {
    const origin = await parts.grants.findOrigin(grantId);
    if (!origin) return true;
    const application = await parts.applications.find(origin.clientId);
    if (!application || !isServed(application, tenantId) || application.tokensFrom !== origin.tokensFrom) return false;
    ({ grantId } = origin);
  }
  return true;
}

function tenantIn({ extra }: Introspected): TenantId | null {
  const tid: unknown = typeof extra === 'object' && extra !== null && 'tid' in extra ? extra.tid : null;
  return isId('tenant', tid) ? tid : null;
}

/** How long the session goes on whose code or refresh token came, in milliseconds; null where none came. */
export async function sessionLeftMs(
  parts: Pick<AccountParts, 'live'>,
  { oidc: { entities, client } }: KoaContextWithOIDC,
  now: Date,
): Promise<number | null> {
  const ref = refOfToken(entities?.RefreshToken ?? entities?.AuthorizationCode ?? entities?.DeviceCode);
  const found = ref && (await findLive(parts, ref));
  if (!found) return null;
  const surface = client ? (ownMetadata(client).surface ?? null) : null;
  return Date.parse(await parts.live.overFor(found, surfaceOf({ surface }))) - now.getTime();
}

/** By `acr_values` or the `claims` parameter, which the library has made one of. */
export function acrsAsked({ oidc: { claims } }: KoaContextWithOIDC): string[] {
  const { acr } =
    (claims as { id_token?: { acr?: { value?: unknown; values?: unknown } | null } } | undefined)?.id_token ?? {};
  return [acr?.value, acr?.values].flat().filter(one => typeof one === 'string');
}
