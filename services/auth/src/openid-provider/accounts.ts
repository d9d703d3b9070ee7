// Who a token is of, and what it says: all of it follows from the session that it was issued in, as that is now.
import { type Id, isId, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Allowed } from '../application-grants/allowed.ts';
import { askedFor, personalScopes, resourceOf } from '../application-grants/asked-for.ts';
import { type ApplicationDirectory, isServed, type KnownApplication } from '../applications/application-directory.ts';
import { acrOf, amrOf } from '../factors/level.ts';
import { mayExchange } from '../resource-servers/exchange-policy.ts';
import { type ResourceServer, scopesFor } from '../resource-servers/resource-server.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import { type LiveSession, type LiveSessions, refIn, type SessionRef } from '../sessions/live-sessions.ts';
import type { StatusLists } from '../status-lists/status-lists.ts';
import { type OwnMetadata, ownMetadata } from './client-metadata.ts';
import { saidInExchange } from './exchanged-claims.ts';
import type { GrantStore } from './grants.ts';
import { requestScope } from './request-scope.ts';
import { signalScopes, tenantOfScope } from './resource-servers.ts';
import { sessionOfLogin } from './session-of-login.ts';

export type AccountParts = {
  live: LiveSessions;
  tenants: TenantDirectory;
  grants: GrantStore;
  applications: ApplicationDirectory;
  resourceServers: ResourceServerDirectory;
  statusLists: Pick<StatusLists, 'claimOf'>;
  /** Applications that nobody registered. */
  allowed: Allowed;
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
async function findServed(
  parts: AccountParts,
  clientId: string,
  ref: SessionRef,
  usedIn?: Pick<KnownApplication, 'surface'>,
): Promise<LiveSession | null> {
  const application = await parts.applications.find(clientId);
  const isFor = application && (await parts.applications.serves(application, ref.tenantId));
  const found = isFor ? await findLive(parts, ref) : null;
  if (!found || !application) return null;
  return (await parts.live.isOverFor(found, surfaceOf(usedIn ?? application))) ? null : found;
}

/** Of an application that does not say in what kind of place people use it. */
const unsaidSurface = 'application';

export const surfaceOf = ({ surface }: Pick<KnownApplication, 'surface'>): string => surface ?? unsaidSurface;

const kindsThatEnd = ['AccessToken', 'ClientCredentials'];

/**
 * Not one that the application got before its tokens were ended. Of a refresh token that is not said: whoever uses it
 * has to authenticate as of now.
 */
function isOfNow({ tokensFrom }: Pick<KnownApplication, 'tokensFrom'>, token: object): boolean {
  if (!('kind' in token) || !kindsThatEnd.includes(String(token.kind))) return true;
  const { client_tokens_from: of } = ('extra' in token ? (token.extra ?? {}) : {}) as Record<string, unknown>;
  return of === (tokensFrom ?? undefined);
}

/** Of an application that nobody registered: what the person allowed it still holds, for all that the token is for. */
async function isAllowedStill(parts: AccountParts, application: KnownApplication, token: object): Promise<boolean> {
  if (!application.document) return true;
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
  iat?: number | undefined;
  extra?: unknown;
};

/**
 * Whether a token counts now, for an application that may know: its own, or those for the API that it is. The session
 * may be over, the application be gone, or serve that tenant or may ask for that API no more.
 */
export async function isGood(parts: AccountParts, client: { clientId: string }, token: Introspected): Promise<boolean> {
  const application = token.clientId === undefined ? null : await parts.applications.find(token.clientId);
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
    return (await findServed(parts, application.id, ref, usedIn)) !== null && isOriginGood(parts, ref.tenantId, token);
  }
  // A machine's.
  return tenantId === null || (await parts.tenants.find(tenantId))?.status === 'active';
}

const isExchanged = ({ extra }: Introspected) => typeof extra === 'object' && extra !== null && 'act' in extra;

/** By what the API says of applications, or of exchanges where the token is from one. */
const mayHave = (server: ResourceServer, application: KnownApplication, token: Introspected): boolean =>
  isExchanged(token) ? mayExchange(server, application.id) : scopesFor(server, application) !== null;

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

/**
 * Called with a token when one is exchanged or refreshed: a session that has ended yields no account, and so no token.
 */
export async function findAccount(
  parts: AccountParts,
  ctx: KoaContextWithOIDC,
  sub: string,
  token: object | undefined,
) {
  const { session, result } = ctx.oidc;
  const application = ctx.oidc.client ? await parts.applications.find(ctx.oidc.client.clientId) : null;
  if (!application || (token && !isOfNow(application, token))) return undefined;
  const ref = token ? refOfToken(token) : (refOfResult(result) ?? (session ? sessionOfLogin(session) : null));
  const served = token && ref ? await findServed(parts, application.id, ref) : null;
  if (token && !(served && (await isAllowedStill(parts, application, token)))) return undefined;
  if (served && token === ctx.oidc.entities.RefreshToken) await parts.live.use(served, application.id);
  return {
    accountId: sub,
    async claims() {
      const found = ref && (await findLive(parts, ref));
      if (!found) return { sub };
      return { sub, ...claimsOf(found), ...personalClaimsOf(found) };
    },
  };
}

/** What nobody has said is not there. */
function personalClaimsOf({ state }: LiveSession): Record<string, unknown> {
  const { email, emailVerified, displayName, roles, profile } = state;
  const said = {
    ...(email === null ? {} : { email, email_verified: emailVerified }),
    name: displayName,
    given_name: profile.givenName,
    family_name: profile.familyName,
    locale: profile.locale,
    roles,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
}

/** What a token says of a person, as it is now: never more than it said when it was issued, and undefined for nothing. */
export function saidAsOfNow(said: Record<string, unknown>, found: LiveSession): Record<string, unknown> {
  const now = { ...personalClaimsOf(found), amr: amrOf(found.state), acr: acrOf(found.state, [String(said['acr'])]) };
  const stillSo = (before: unknown, is: unknown) =>
    Array.isArray(before) && Array.isArray(is) ? before.filter(one => is.includes(one)) : is;
  const names = Object.keys(now).filter(name => name in said);
  const told = Object.fromEntries(names.map(name => [name, stillSo(said[name], now[name as keyof typeof now])]));
  return told['acr'] === said['acr'] ? told : { ...told, acr: undefined };
}

function claimsOf({ id, tenantId, state }: LiveSession) {
  const { authenticatedAt } = state;
  const acr = acrOf(state);
  return {
    tid: tenantId,
    sid: id,
    amr: amrOf(state),
    auth_time: Math.floor(Date.parse(authenticatedAt) / 1000),
    ...(acr === null ? {} : { acr }),
  };
}

/** What an API wants to be told, by the names that tokens have for it. */
const claimNames = { email: ['email', 'email_verified'], name: ['name'], roles: ['roles'] } as const;

export async function claimsOfToken(parts: AccountParts, ctx: KoaContextWithOIDC, token: object & { kind: string }) {
  const audience = audienceOf(token);
  const server = audience === undefined ? null : await parts.resourceServers.find(audience);
  const client: Partial<OwnMetadata> = ctx.oidc.client ? ownMetadata(ctx.oidc.client) : {};
  const { platform, areas, surface, tenant_id: own, tokens_from: tokensFrom } = client;
  const exchanged = await saidInExchange();
  const ofClient = {
    ...(platform ? { platform } : {}),
    // Of Reeve's own API.
    ...(areas && !server ? { areas } : {}),
    ...(surface === undefined || exchanged ? {} : { surface }),
    // By which its verifiers know it from one that was issued in the same second, after the client's were revoked.
    ...(tokensFrom === undefined ? {} : { client_tokens_from: tokensFrom }),
  };
  if (token.kind === 'ClientCredentials') {
    const scope = 'scope' in token && typeof token.scope === 'string' ? token.scope : undefined;
    // At an API of the product a tenant's own machine acts in its tenant, whether it says so or not.
    const asked = await tenantOfScope(scope, parts.tenants);
    const isReceiver = scope?.split(' ').some(one => signalScopes.includes(one)) === true;
    const tid = asked ?? (server || isReceiver ? own : undefined);
    // Whoever asks for no more than that gets no more.
    const noAreas = isReceiver && asked === null && !server ? { areas: [] } : {};
    return { ...ofClient, ...noAreas, ...(tid === undefined ? {} : { tid }) };
  }
  const ref = refOfToken(token);
  const found = ref && (await findLive(parts, ref));
  if (!found) return ofClient;
  const { grantId = '' } = token as { grantId?: string };
  const allowedBy = exchanged ? null : await parts.grants.findAllowedBy(grantId);
  const ofService = audience === undefined ? [] : ['roles'];
  const wanted: string[] = server ? server.claims.flatMap(name => claimNames[name]) : ofService;
  // Whoever is given a token reads it: to others a person says by scopes what they are told.
  const personal = allowedBy ? [] : Object.entries(personalClaimsOf(found)).filter(([name]) => wanted.includes(name));
  const mayAct = server?.mayAct ? { may_act: { sub: server.mayAct } } : {};
  const status = server?.statusList ? parts.statusLists.claimOf(found.state.statusList) : {};
  const ofPerson = { ...(exchanged ?? claimsOf(found)), ...Object.fromEntries(personal) };
  // By which its verifiers know that it was withdrawn.
  const ofGrant = allowedBy ? { grant_id: allowedBy } : {};
  return { ...ofClient, ...mayAct, ...ofPerson, ...status, ...ofGrant };
}

function audienceOf(token: object): string | undefined {
  const server = 'resourceServer' in token ? (token.resourceServer as { audience?: string } | undefined) : undefined;
  return server?.audience;
}

/** What the sign-in has handed through the provider as its result (sign-in-routes.ts). */
function refOfResult(result: object | undefined): SessionRef | null {
  const login = result && 'login' in result ? (result.login as Partial<SessionRef> | undefined) : undefined;
  return login?.tenantId && login.sessionId ? { tenantId: login.tenantId, sessionId: login.sessionId } : null;
}

/** By `acr_values` or the `claims` parameter, which the library has made one of. */
export function acrsAsked({ oidc: { claims } }: KoaContextWithOIDC): string[] {
  const { acr } =
    (claims as { id_token?: { acr?: { value?: unknown; values?: unknown } | null } } | undefined)?.id_token ?? {};
  return [acr?.value, acr?.values].flat().filter(one => typeof one === 'string');
}

/**
 * What applications of the product ask for is granted without a page; what others ask for where the person has allowed
 * it, and is asked on a page where they have not. Each time it is a grant of its own, named after the session.
 */
export async function grantInSession(parts: AccountParts, ctx: KoaContextWithOIDC) {
  const { client, session, account, provider, result, requestParamOIDCScopes } = ctx.oidc;
  const ref = refOfResult(result) ?? (session ? sessionOfLogin(session) : null);
  if (!client || !session || !account || !ref) return undefined;
  // Whatever led here: a person gets no code for an application that does not serve their tenant.
  const hasJustSignedIn = refOfResult(result) !== null;
  const application = await parts.applications.find(client.clientId);
  const isAllowed = application && (await parts.applications.serves(application, ref.tenantId));
  // To sign in once more would end here again.
  if (!isAllowed && hasJustSignedIn) throw new errors.AccessDenied('the application does not serve that organization');
  // A session that has just begun is there, and knows the application.
  const found = isAllowed && !hasJustSignedIn ? await findLive(parts, ref) : null;
  if (!isAllowed || !(hasJustSignedIn || found)) return undefined;
  if (found) await parts.live.use(found, client.clientId);
  // What the library remembers of the browser's last sign-in may have changed in another one, or lapsed.
  if (found) Object.assign(session, { acr: acrOf(found.state, acrsAsked(ctx)) ?? undefined, amr: amrOf(found.state) });
  for (const [clientId, { grantId = '' }] of Object.entries(session.authorizations ?? {}))
    if (refIn(grantId)?.sessionId !== ref.sessionId) delete session.authorizations?.[clientId];
  const named = { jti: parts.grants.nameGrant(ref) };
  const grant = new provider.Grant({ ...named, clientId: client.clientId, accountId: account.accountId });
  const { document } = application;
  if (document) return grantAsAllowed(parts, ctx, { application: { ...application, document }, ref, grant });
  grant.addOIDCScope([...requestParamOIDCScopes].join(' '));
  grant.addOIDCClaims([...ctx.oidc.requestParamClaims]);
  for (const [resource, server] of Object.entries(ctx.oidc.resourceServers ?? {}))
    grant.addResourceScope(resource, server.scope);
  await grant.save();
  return grant;
}

type Granting = {
  application: KnownApplication & { document: NonNullable<KnownApplication['document']> };
  ref: SessionRef;
  grant: InstanceType<KoaContextWithOIDC['oidc']['provider']['Grant']>;
};

/** Nothing but what the person has allowed; nothing where they have not, which the library then has them asked for. */
async function grantAsAllowed(parts: AccountParts, ctx: KoaContextWithOIDC, { application, ref, grant }: Granting) {
  const { session, params = {}, requestParamClaims, account } = ctx.oidc;
  // They have no scope that a page could say.
  const claims = [...requestParamClaims].filter(name => !claimsOfEverybody.includes(name));
  if (claims.length > 0) throw new errors.InvalidRequest('such an application asks by scopes, and not by claims');
  const resource = resourceOf(params);
  const server = resource === null ? null : await parts.resourceServers.find(resource);
  const asked = askedFor(params, { application, server, userId: account?.accountId as Id<'user'> });
  // The browser is signed in to our session, whatever comes of the page.
  session?.ensureClientContainer(application.id);
  session?.grantIdFor(application.id, grant.jti);
  const allowedBy = await parts.allowed.covering(ref.tenantId, asked);
  if (!allowedBy) return undefined;
  grant.addOIDCScope(asked.scopes.filter(scope => personalScopes.includes(scope)).join(' '));
  if (resource !== null)
    grant.addResourceScope(resource, asked.scopes.filter(scope => !personalScopes.includes(scope)).join(' '));
  await grant.save();
  await parts.grants.saveAllowedBy(grant.jti, allowedBy);
  return grant;
}

const claimsOfEverybody = ['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss'];
