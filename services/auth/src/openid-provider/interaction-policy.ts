// When somebody has to sign in, besides what OpenID Connect says of it: when our session has ended, when the
// application asks for another tenant or connection than those signed in to, and not at all for the sake of somebody
// else whom the application expects.
import { decodeJwt } from 'jose';
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import { type AccountParts, findLive } from './accounts.ts';
import { ownMetadata } from './client-metadata.ts';
import { sessionOfLogin } from './session-of-login.ts';

export type PolicyParts = Pick<AccountParts, 'live' | 'tenants'> & { authKeys: AuthKeyDirectory };

export function signInPolicy(parts: PolicyParts) {
  const { Check, Prompt, base } = interactionPolicy;
  const policy = base();

  const needsSignIn = async (ctx: KoaContextWithOIDC) => {
    const { session, result, params, client } = ctx.oidc;
    if (session?.accountId === undefined || result?.login) return Check.NO_NEED_TO_PROMPT;
    const ref = sessionOfLogin(session);
    const found = ref && (await findLive(parts, ref));
    if (!found) return Check.REQUEST_PROMPT;
    const bound = client && ownMetadata(client).tenant_id;
    const { tenant, connection, auth_key: authKey } = params ?? {};
    const isOtherTenant =
      (bound !== undefined && bound !== found.tenantId) ||
      (typeof tenant === 'string' && (await parts.tenants.findNamed(tenant))?.id !== found.tenantId);
    const isOtherConnection = typeof connection === 'string' && connection !== found.state.connectionId;
    const isOtherKey =
      typeof authKey === 'string' &&
      (await parts.authKeys.of(found.tenantId)).get(authKey) !== found.state.connectionId;
    // By a connection that is another one, which the person has to sign in by.
    const isLink = params?.['link'] === 'true';
    return isOtherTenant || isOtherConnection || isOtherKey || isLink ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
  };

  /** The library compares the hint before somebody signs in, and not after. */
  const assertExpected = (ctx: KoaContextWithOIDC) => {
    const { session, result, params } = ctx.oidc;
    const hint = params?.['id_token_hint'];
    if (!result?.login || typeof hint !== 'string') return Check.NO_NEED_TO_PROMPT;
    if (decodeJwt(hint).sub !== session?.accountId)
      throw new errors.LoginRequired('somebody else has signed in than the application expects');
    return Check.NO_NEED_TO_PROMPT;
  };

  /** It was there when the sign-in began. */
  const assertStillRegistered = ({ oidc: { client, params } }: KoaContextWithOIDC) => {
    if (client?.redirectUriAllowed(String(params?.['redirect_uri']))) return Check.NO_NEED_TO_PROMPT;
    throw new errors.InvalidRedirectUri();
  };

  const checks = policy.get('login')?.checks;
  checks?.add(new Check('session_not_live', 'a sign-in is needed', 'login_required', needsSignIn));
  checks?.add(new Check('somebody_else', 'another person is expected', 'login_required', assertExpected));
  checks?.add(new Check('redirect_uri_gone', 'nobody is sent there any more', assertStillRegistered), 0);
  // After `login`, whose reasons say more of what is needed where both are asked for.
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 1);
  return policy;
}
