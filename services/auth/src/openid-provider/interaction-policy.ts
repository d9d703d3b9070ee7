// When somebody has to sign in, besides what OpenID Connect says of it: when our session has ended, when the
// application asks for another tenant or connection than those signed in to, and not at all for the sake of somebody
// else whom the application expects.
import { serviceCause } from '@reeve/contracts';
import { decodeJwt } from 'jose';
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { isServed, type KnownApplication } from '../applications/application-directory.ts';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import { type AccountParts, findLive, surfaceOf } from './accounts.ts';
import { requestScope } from './request-scope.ts';
import { sessionOfLogin } from './session-of-login.ts';

export type PolicyParts = Pick<AccountParts, 'live' | 'tenants' | 'applications'> & { authKeys: AuthKeyDirectory };

type ClaimRequest = { essential?: boolean; value?: unknown; values?: unknown[] };

export function signInPolicy(parts: PolicyParts) {
  const { Check, Prompt, base } = interactionPolicy;
  const policy = base();

  /** By what holds for sessions of its surface, and where the application is used. */
  const isGoodHere = async (found: LiveSession, application: KnownApplication): Promise<boolean> => {
    if (await parts.live.isOverFor(found, surfaceOf(application))) return false;
    const { context, correlationId } = requestScope().cause;
    const cause = {
      ...serviceCause('auth', { correlationId }),
      context: { ...context, sessionId: found.id, clientId: application.id },
    };
    return (await parts.live.cameFrom(found, context.userAgent, cause)) === 'as_before';
  };

  const needsSignIn = async (ctx: KoaContextWithOIDC) => {
    const { session, result, params, client } = ctx.oidc;
    if (session?.accountId === undefined || result?.login) return Check.NO_NEED_TO_PROMPT;
    const ref = sessionOfLogin(session);
    const found = ref && (await findLive(parts, ref));
    if (!found) return Check.REQUEST_PROMPT;
    const application = client && (await parts.applications.find(client.clientId));
    const { tenant, connection, auth_key: authKey } = params ?? {};
    if (!application || !isServed(application, found.tenantId)) return Check.REQUEST_PROMPT;
    const isOtherTenant = typeof tenant === 'string' && (await parts.tenants.findNamed(tenant))?.id !== found.tenantId;
    const isOtherConnection = typeof connection === 'string' && connection !== found.state.connectionId;
    const isOtherKey =
      typeof authKey === 'string' &&
      (await parts.authKeys.of(found.tenantId)).get(authKey) !== found.state.connectionId;
    // By a connection that is another one, which the person has to sign in by.
    const isLink = params?.['link'] === 'true';
    if (isOtherTenant || isOtherConnection || isOtherKey || isLink) return Check.REQUEST_PROMPT;
    return (await isGoodHere(found, application)) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  };

  /**
   * Who or what a sign-in has not brought, another one would not bring either: the library looks before somebody signs
   * in, and would have them do so again and again.
   */
  const assertObtained = ({ oidc: { result, session, params, claims, acr } }: KoaContextWithOIDC) => {
    if (!result?.login) return Check.NO_NEED_TO_PROMPT;
    const wanted = (claims as { id_token?: Partial<Record<string, ClaimRequest | null>> } | undefined)?.id_token;
    const hint = params?.['id_token_hint'];
    const expected = [wanted?.['sub']?.value, typeof hint === 'string' ? decodeJwt(hint).sub : undefined];
    if (expected.some(sub => sub !== undefined && sub !== session?.accountId))
      throw new errors.LoginRequired('somebody else has signed in than the application expects');
    const level = wanted?.['acr'];
    const levels = level?.essential ? (level.values ?? [level.value]) : null;
    if (levels && !levels.includes(acr))
      throw new errors.UnmetAuthenticationRequirements('the identity provider has not signed the person in that way');
    return Check.NO_NEED_TO_PROMPT;
  };

  /** It was there when the sign-in began. */
  const assertStillRegistered = ({ oidc: { client, params, entities } }: KoaContextWithOIDC) => {
    // A device is sent nowhere.
    if (entities.DeviceCode) return Check.NO_NEED_TO_PROMPT;
    if (client?.redirectUriAllowed(String(params?.['redirect_uri']))) return Check.NO_NEED_TO_PROMPT;
    throw new errors.InvalidRedirectUri();
  };

  const checks = policy.get('login')?.checks;
  checks?.add(new Check('session_not_live', 'a sign-in is needed', 'login_required', needsSignIn));
  checks?.add(new Check('not_obtained', 'a requested claim could not be obtained', assertObtained), 0);
  checks?.add(new Check('redirect_uri_gone', 'nobody is sent there any more', assertStillRegistered), 0);
  // After `login`, whose reasons say more of what is needed where both are asked for.
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 1);
  return policy;
}
