// What an application is granted, in a session: nothing outside of one.
import type { Id } from '@reeve/contracts';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { askedFor, personalScopes, resourceOf } from '../application-grants/asked-for.ts';
import type { KnownApplication } from '../applications/known-application.ts';
import { acrOf, amrOf } from '../factors/level.ts';
import { refIn, type SessionRef } from '../sessions/live-sessions.ts';
import { type AccountParts, acrsAsked, findLive } from './accounts.ts';
import { refOfResult, sessionOfLogin } from './session-of-login.ts';

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
