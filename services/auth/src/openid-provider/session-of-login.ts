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
