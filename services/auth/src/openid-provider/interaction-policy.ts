// When somebody has to sign in, besides what OpenID Connect says of it: when our session has ended, when the
// application asks for another tenant or connection than those signed in to, and not at all for the sake of somebody
// else whom the application expects.
import { serviceCause } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { decodeJwt } from 'jose';
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { KnownApplication } from '../applications/known-application.ts';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import { acrOf, levelAskedIn } from '../factors/level.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import { enrollable } from '../sign-in/sign-in.ts';
import { demandOf, isMet } from '../step-up-policies/step-up-policy.ts';
import type { StepUpPolicyDirectory } from '../step-up-policies/step-up-policy-directory.ts';
import { type AccountParts, acrsAsked, findLive, surfaceOf } from './accounts.ts';
import { requestScope } from './request-scope.ts';
import { sessionOfLogin } from './session-of-login.ts';

export type PolicyParts = Pick<AccountParts, 'live' | 'tenants' | 'applications'> & {
  authKeys: AuthKeyDirectory;
  stepUpPolicies: StepUpPolicyDirectory;
  clock: Clock;
};

/** Where it is the only one, the person is not sent to their provider. */
export const stepUpReason = 'step_up';

type ClaimRequest = { essential?: boolean; value?: unknown };

const claimsWanted = ({ oidc: { claims } }: KoaContextWithOIDC) =>
  (claims as { id_token?: Partial<Record<string, ClaimRequest | null>> } | undefined)?.id_token;
const isAcrEssential = (ctx: KoaContextWithOIDC): boolean => claimsWanted(ctx)?.['acr']?.essential === true;

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
    return (
      (await parts.live.cameFrom(found, { surface: surfaceOf(application), userAgent: context.userAgent }, cause)) ===
      'as_before'
    );
  };

  const needsSignIn = async (ctx: KoaContextWithOIDC) => {
    const { session, result, params, client } = ctx.oidc;
    if (session?.accountId === undefined || result?.login) return Check.NO_NEED_TO_PROMPT;
    const ref = sessionOfLogin(session);
    const found = ref && (await findLive(parts, ref));
    if (!found) return Check.REQUEST_PROMPT;
    const application = client && (await parts.applications.find(client.clientId));
    const { tenant, connection, auth_key: authKey } = params ?? {};
    if (!application || !(await parts.applications.serves(application, found.tenantId))) return Check.REQUEST_PROMPT;
    const isOtherTenant = typeof tenant === 'string' && (await parts.tenants.findNamed(tenant))?.id !== found.tenantId;
    const isOtherConnection = typeof connection === 'string' && connection !== found.state.connectionId;
    const isOtherKey =
      typeof authKey === 'string' &&
      (await parts.authKeys.of(found.tenantId)).get(authKey) !== found.state.connectionId;
    // By a connection that is another one, which the person has to sign in by.
    const isLink = params?.['link'] === 'true';
    // Nobody gets a factor who has not just signed in.
    const isEnrolment = enrollable.some(kind => kind === params?.['enrol']);
    if (isOtherTenant || isOtherConnection || isOtherKey || isLink || isEnrolment) return Check.REQUEST_PROMPT;
    return (await isGoodHere(found, application)) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  };

  /** What is told of the session that goes on at this browser, and what is asked of it; null where none does. */
  const levelsOf = async (ctx: KoaContextWithOIDC) => {
    const { session, result } = ctx.oidc;
    const ref = session?.accountId === undefined || result?.login ? null : sessionOfLogin(session);
    const found = ref && (await findLive(parts, ref));
    if (!found) return null;
    const asked = acrsAsked(ctx);
    const told = acrOf(found.state, asked);
    return { found, asked, isTold: told !== null && asked.includes(told) };
  };

  /** A level of ours that is asked for, or that the tenant demands of whoever uses such an application. */
  const needsStepUp = async (ctx: KoaContextWithOIDC) => {
    const known = await levelsOf(ctx);
    if (!known) return Check.NO_NEED_TO_PROMPT;
    const { found, asked, isTold } = known;
    const { client } = ctx.oidc;
    const application = client && (await parts.applications.find(client.clientId));
    const surface = surfaceOf(application ?? { surface: null });
    const levelAsked = isTold ? null : levelAskedIn(asked);
    const demand = demandOf(await parts.stepUpPolicies.of(found.tenantId), { surface, levelAsked });
    return demand && !isMet(demand, found.state.stepUp ?? null, parts.clock.now())
      ? Check.REQUEST_PROMPT
      : Check.NO_NEED_TO_PROMPT;
  };

  /** A way of signing in that is the provider's. */
  const needsOtherAcr = async (ctx: KoaContextWithOIDC) => {
    const known = isAcrEssential(ctx) ? await levelsOf(ctx) : null;
    return known && !known.isTold && levelAskedIn(known.asked) === null
      ? Check.REQUEST_PROMPT
      : Check.NO_NEED_TO_PROMPT;
  };

  /**
   * Who or what a sign-in has not brought, another one would not bring either: the library looks before somebody signs
   * in, and would have them do so again and again.
   */
  const assertObtained = (ctx: KoaContextWithOIDC) => {
    const { result, session, params, acr } = ctx.oidc;
    if (!result?.login) return Check.NO_NEED_TO_PROMPT;
    const hint = params?.['id_token_hint'];
    const expected = [claimsWanted(ctx)?.['sub']?.value, typeof hint === 'string' ? decodeJwt(hint).sub : undefined];
    if (expected.some(sub => sub !== undefined && sub !== session?.accountId))
      throw new errors.LoginRequired('somebody else has signed in than the application expects');
    if (isAcrEssential(ctx) && !acrsAsked(ctx).includes(acr ?? ''))
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
  checks?.add(new Check(stepUpReason, 'a step-up is needed', 'login_required', needsStepUp));
  // In place of the library's, which know what the browser had at its last sign-in, and not the session as it is now.
  for (const name of ['essential_acr', 'essential_acrs']) checks?.remove(name);
  checks?.add(new Check('essential_acr', 'the requested ACR could not be obtained', needsOtherAcr));
  checks?.add(new Check('session_not_live', 'a sign-in is needed', 'login_required', needsSignIn));
  checks?.add(new Check('not_obtained', 'a requested claim could not be obtained', assertObtained), 0);
  checks?.add(new Check('redirect_uri_gone', 'nobody is sent there any more', assertStillRegistered), 0);
  // After `login`, whose reasons say more of what is needed where both are asked for.
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 1);
  return policy;
}
