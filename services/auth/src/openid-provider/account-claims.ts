// Who a token is of, and what it says: all of it follows from the session that it was issued in, as that is now.
import type { KoaContextWithOIDC } from 'oidc-provider';
import { acrOf, amrOf } from '../factors/level.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import { type AccountParts, findLive, findServed, isAllowedStill, isOfNow, refOfToken } from './accounts.ts';
import { type OwnMetadata, ownMetadata } from './client-metadata.ts';
import { saidInExchange } from './exchanged-claims.ts';
import { nameInTokens } from './grants.ts';
import { botScope, signalScopes, tenantOfScope } from './resource-servers.ts';
import { refOfResult, sessionOfLogin } from './session-of-login.ts';

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
  const served = token && ref ? await findServed(parts, application, ref) : null;
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
  const { email, emailVerified, displayName, roles, groups = [], profile } = state;
  const said = {
    ...(email === null ? {} : { email, email_verified: emailVerified }),
    name: displayName,
    given_name: profile.givenName,
    family_name: profile.familyName,
    locale: profile.locale,
    roles,
    groups,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
}

/** What a token says of a person, as it is now: never more than when it was issued, and undefined for nothing. */
export function saidAsOfNow(said: Record<string, unknown>, found: LiveSession): Record<string, unknown> {
  const now = { ...personalClaimsOf(found), amr: amrOf(found.state), acr: acrOf(found.state, [String(said['acr'])]) };
  const stillSo = (before: unknown, is: unknown) =>
    Array.isArray(before) && Array.isArray(is) ? before.filter(one => is.includes(one)) : is;
  const names = Object.keys(now).filter(name => name in said);
  const told = Object.fromEntries(names.map(name => [name, stillSo(said[name], now[name as keyof typeof now])]));
  return told['acr'] === said['acr'] ? told : { ...told, acr: undefined };
}

function claimsOf({ id, tenantId, state }: LiveSession) {
  const { authenticatedAt, delegate } = state;
  const acr = acrOf(state);
  return {
    tid: tenantId,
    sid: id,
    amr: amrOf(state),
    auth_time: Math.floor(Date.parse(authenticatedAt) / 1000),
    ...(acr === null ? {} : { acr }),
    ...(delegate ? { act: { sub: delegate.clientId, client_id: delegate.clientId }, delegated_by: delegate.by } : {}),
  };
}

/** What an API is told of whoever is in that session, for who makes a token outside of the provider. */
export function saidToApi(server: ResourceServer, found: LiveSession): Record<string, unknown> {
  const wanted: string[] = server.claims.flatMap(name => claimNames[name]);
  const personal = Object.entries(personalClaimsOf(found)).filter(([name]) => wanted.includes(name));
  return { ...claimsOf(found), ...Object.fromEntries(personal) };
}

/** What an API wants to be told, by the names that tokens have for it. */
const claimNames = {
  email: ['email', 'email_verified'],
  name: ['name'],
  roles: ['roles'],
  groups: ['groups'],
} as const;

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
    const scopes = scope?.split(' ') ?? [];
    const isReceiver = scopes.some(one => signalScopes.includes(one));
    const isBot = scopes.includes(botScope);
    const tid = asked ?? (server || isReceiver || isBot ? own : undefined);
    // Whoever asks for no more than that gets no more; a bot's token goes to many, and is for nothing else in any case.
    const noAreas = !server && (isBot || (isReceiver && asked === null)) ? { areas: [] } : {};
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
  // By which its verifiers know that it was withdrawn, or is void.
  const ofGrant = exchanged ? {} : { grant_id: allowedBy ?? nameInTokens(grantId) };
  return { ...ofClient, ...mayAct, ...ofPerson, ...status, ...ofGrant };
}

function audienceOf(token: object): string | undefined {
  const server = 'resourceServer' in token ? (token.resourceServer as { audience?: string } | undefined) : undefined;
  return server?.audience;
}
