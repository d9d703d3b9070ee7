import type { Session as BrowserLogin } from 'oidc-provider';
import { refIn, type SessionRef } from '../sessions/live-sessions.ts';

/**
 * Our session, which the grants that were given in a browser's login are named after. All of them belong to one: those
 * of an earlier one are dropped.
 */
export function sessionOfLogin({ authorizations = {} }: Pick<BrowserLogin, 'authorizations'>): SessionRef | null {
  for (const { grantId } of Object.values(authorizations)) {
    const ref = grantId === undefined ? null : refIn(grantId);
    if (ref) return ref;
  }
  return null;
}

/** What the sign-in has handed through the provider as its result (sign-in-routes.ts). */
export function refOfResult(result: object | undefined): SessionRef | null {
  const login = result && 'login' in result ? (result.login as Partial<SessionRef> | undefined) : undefined;
  return login?.tenantId && login.sessionId ? { tenantId: login.tenantId, sessionId: login.sessionId } : null;
}
