// Who a token is of, and what it says: all of it follows from the session that it was issued in, as that is now.
import type { TenantDirectory } from '@reeve/service-kit';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { type LiveSession, type LiveSessions, refIn, type SessionRef } from '../sessions/live-sessions.ts';
import { ownMetadata } from './client-metadata.ts';
import type { GrantStore } from './grants.ts';
import { requestScope } from './request-scope.ts';
import { tenantOfScope } from './resource-servers.ts';
import { sessionOfLogin } from './session-of-login.ts';

export type AccountParts = { live: LiveSessions; tenants: TenantDirectory; grants: GrantStore };

export function findLive({ live }: Pick<AccountParts, 'live'>, ref: SessionRef): Promise<LiveSession | null> {
  return requestScope().read(`session ${ref.sessionId}`, () => live.find(ref));
}

/** The session that a token was issued in, by the grant that it belongs to. */
export function refOfToken(token: object | undefined): SessionRef | null {
  const grantId: unknown = token && 'grantId' in token ? token.grantId : undefined;
  return typeof grantId === 'string' ? refIn(grantId) : null;
}

/**
 * Not one that the client got before its tokens were ended. Of a refresh token that is not said: whoever uses it has to
 * have the secret of now.
 */
function isOfNow(client: Client, token: object): boolean {
  if (!('kind' in token) || token.kind !== 'AccessToken') return true;
  const { client_tokens_from: of } = ('extra' in token ? (token.extra ?? {}) : {}) as Record<string, unknown>;
  return of === ownMetadata(client).tokens_from;
}

/** Whether a token of the client's own counts now: its session may be over. */
export async function isGood(
  parts: AccountParts,
  client: Client,
  token: { clientId?: string | undefined },
): Promise<boolean> {
  if (token.clientId !== client.clientId || !isOfNow(client, token)) return false;
  const ref = refOfToken(token);
  return ref === null || (await findLive(parts, ref)) !== null;
}

/** How long the session goes on whose code or refresh token came, in milliseconds; null where none came. */
export async function sessionLeftMs(
  parts: Pick<AccountParts, 'live'>,
  { oidc: { entities } }: KoaContextWithOIDC,
  now: Date,
): Promise<number | null> {
  const ref = refOfToken(entities?.RefreshToken ?? entities?.AuthorizationCode);
  const found = ref && (await findLive(parts, ref));
  return found ? Date.parse(found.state.expiresAt) - now.getTime() : null;
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
  if (token && ctx.oidc.client && !isOfNow(ctx.oidc.client, token)) return undefined;
  const ref = token ? refOfToken(token) : (refOfResult(result) ?? (session ? sessionOfLogin(session) : null));
  if (token && !(ref && (await findLive(parts, ref)))) return undefined;
  return {
    accountId: sub,
    async claims() {
      const found = ref && (await findLive(parts, ref));
      if (!found) return { sub };
      return { sub, ...claimsOf(found), email: found.state.email, name: found.state.displayName };
    },
  };
}

function claimsOf({ id, tenantId, state }: LiveSession) {
  const { amr, acr, roles, authenticatedAt } = state;
  return {
    tid: tenantId,
    sid: id,
    amr,
    roles,
    auth_time: Math.floor(Date.parse(authenticatedAt) / 1000),
    ...(acr === null ? {} : { acr }),
  };
}

export async function claimsOfToken(parts: AccountParts, ctx: KoaContextWithOIDC, token: object & { kind: string }) {
  const { platform, areas, surface, tokens_from: tokensFrom } = ctx.oidc.client ? ownMetadata(ctx.oidc.client) : {};
  const ofClient = {
    ...(platform ? { platform } : {}),
    ...(areas ? { areas } : {}),
    ...(surface === undefined ? {} : { surface }),
    // By which its verifiers know it from one that was issued in the same second, after the client's were revoked.
    ...(tokensFrom === undefined ? {} : { client_tokens_from: tokensFrom }),
  };
  if (token.kind === 'ClientCredentials') {
    const scope = 'scope' in token && typeof token.scope === 'string' ? token.scope : undefined;
    const tid = await tenantOfScope(scope, parts.tenants);
    return { ...ofClient, ...(tid === null ? {} : { tid }) };
  }
  const ref = refOfToken(token);
  const found = ref && (await findLive(parts, ref));
  return found ? { ...ofClient, ...claimsOf(found) } : ofClient;
}

/** What the sign-in has handed through the provider as its result (sign-in-routes.ts). */
function refOfResult(result: object | undefined): SessionRef | null {
  const login = result && 'login' in result ? (result.login as Partial<SessionRef> | undefined) : undefined;
  return login?.tenantId && login.sessionId ? { tenantId: login.tenantId, sessionId: login.sessionId } : null;
}

/**
 * The applications are the product's own, so what they ask for is granted without a page. Each time it is a grant of
 * its own, named after the session.
 */
export async function grantInSession({ grants }: AccountParts, ctx: KoaContextWithOIDC) {
  const { client, session, account, provider, result, requestParamOIDCScopes } = ctx.oidc;
  const ref = refOfResult(result) ?? (session ? sessionOfLogin(session) : null);
  if (!client || !session || !account || !ref) return undefined;
  for (const [clientId, { grantId = '' }] of Object.entries(session.authorizations ?? {}))
    if (refIn(grantId)?.sessionId !== ref.sessionId) delete session.authorizations?.[clientId];
  const named = { jti: grants.nameGrant(ref) };
  const grant = new provider.Grant({ ...named, clientId: client.clientId, accountId: account.accountId });
  grant.addOIDCScope([...requestParamOIDCScopes].join(' '));
  for (const [resource, server] of Object.entries(ctx.oidc.resourceServers ?? {}))
    grant.addResourceScope(resource, server.scope);
  await grant.save();
  return grant;
}
