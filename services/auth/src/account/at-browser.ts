// Who is signed in at a browser that comes to a page of auth's own: by the provider's cookie, which names our session.
// What counts is the session as it is now, with the roles that the person has by now. Forms carry a value that follows
// from the cookie, which another site's do not know.
import { createHmac } from 'node:crypto';
import { type Id, serviceCause, type TenantId } from '@reeve/contracts';
import { type Authenticate, type Caller, causeOf } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Request, Response } from 'express';
import type { default as Provider } from 'oidc-provider';
import { acrOf } from '../factors/level.ts';
import { sessionCookieOf } from '../openid-provider/finish-requests.ts';
import { inRequestScope, requestScope } from '../openid-provider/request-scope.ts';
import { sessionOfLogin } from '../openid-provider/session-of-login.ts';
import type { LiveSession, LiveSessions } from '../sessions/live-sessions.ts';
import { demandOf, isMet } from '../step-up-policies/step-up-policy.ts';
import type { StepUpPolicyDirectory } from '../step-up-policies/step-up-policy-directory.ts';
import { accountClientId, accountSurface, pages, signInUrl } from './account-application.ts';

/** As the handler of a page gets them. */
export type SignedIn = { userId: Id<'user'>; tenantId: TenantId; sessionId: Id<'session'>; csrf: string };

type Parts = {
  provider: () => Provider;
  live: LiveSessions;
  stepUpPolicies: StepUpPolicyDirectory;
  clock: Clock;
  issuer: string;
  /** Of cookies, the newest first. */
  keys: readonly string[];
};

export type AtBrowser = ReturnType<typeof createAtBrowser>;

export function createAtBrowser({ provider, live, stepUpPolicies, clock, issuer, keys }: Parts) {
  const loginAt = (request: Request, response: Response) =>
    provider().Session.get(provider().createContext(request, response));

  const csrfOf = (secret: string) =>
    createHmac('sha256', keys[0] ?? '')
      .update(`account-page\n${secret}`)
      .digest('base64url');

  /** Null where the person has to sign in, be it once more. */
  async function find(request: Request, response: Response): Promise<{ session: LiveSession; csrf: string } | null> {
    const login = await loginAt(request, response);
    const ref = sessionOfLogin(login);
    const session = ref && (await live.find(ref));
    if (!session || (await live.isOverFor(session, accountSurface))) return null;
    const demand = demandOf(await stepUpPolicies.of(session.tenantId), { surface: accountSurface, levelAsked: null });
    // By way of /auth, where the person is asked for it.
    if (demand && !isMet(demand, session.state.stepUp ?? null, clock.now())) return null;
    const { context, correlationId } = causeOf(request, null);
    const cause = { ...serviceCause('auth', { correlationId }), context: { ...context, sessionId: session.id } };
    const at = { surface: accountSurface, userAgent: context.userAgent };
    if ((await live.cameFrom(session, at, cause)) !== 'as_before') return null;
    return { session, csrf: csrfOf(login.jti) };
  }

  const authenticate: Authenticate = ({ request, response }) =>
    inRequestScope(causeOf(request, null), async () => {
      const found = await find(request, response);
      const page = request.path === pages.sessions ? 'sessions' : 'account';
      if (!found) return { signIn: async () => signInUrl(issuer, page) };
      const { session, csrf } = found;
      const { tenantId, id: sessionId, state } = session;
      const { userId, displayName, email } = state;
      const details: SignedIn = { userId, tenantId, sessionId, csrf };
      return {
        principal: callerOf(session),
        actor: { type: 'user', id: userId, name: displayName ?? email, via: 'session' },
        sessionId,
        csrf,
        signInAgain: async ({ acrValues, maxAgeSeconds }) => {
          const seconds = (clock.now().getTime() - Date.parse(state.authenticatedAt)) / 1_000;
          return signInUrl(issuer, page, { acrValues, isAnew: maxAgeSeconds !== null && seconds > maxAgeSeconds });
        },
        details,
      };
    });

  return {
    authenticate,

    /** The browser forgets: for whoever has ended the session that it is signed in to. */
    forget: (request: Request, response: Response): Promise<void> =>
      inRequestScope(causeOf(request, null), async () => {
        const login = await loginAt(request, response);
        await login.destroy();
        await requestScope().flush();
        const { secure, name } = sessionCookieOf(issuer);
        for (const cookie of [name, `${name}.sig`])
          response.clearCookie(cookie, { path: '/', httpOnly: true, sameSite: 'lax', secure });
      }),
  };
}

const callerOf = ({ tenantId, id, state }: LiveSession): Caller => ({
  type: 'user',
  id: state.userId,
  tenantId,
  sessionId: id,
  clientId: accountClientId,
  scopes: ['tenant'],
  roles: state.roles,
  platform: false,
  acr: acrOf(state),
  authenticatedAt: new Date(state.authenticatedAt),
  clientTokensFrom: null,
  surface: accountSurface,
});
