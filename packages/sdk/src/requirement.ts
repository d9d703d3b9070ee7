// What an operation asks of whoever calls, besides a good token.
import { ReeveError } from './errors.ts';
import type { Identity } from './identity.ts';

export type Requirement = {
  /** All of them. */
  scopes?: readonly string[];
  /** The authentication context classes of which the sign-in has to have one (RFC 9470 §3). */
  acr?: readonly string[];
  /** How long ago the person may have signed in. */
  maxAgeSeconds?: number;
  /** The tenant that is asked about: whoever is of another is told that there is nothing. */
  tenantId?: string;
};

/** Throws `tenant_mismatch`, `insufficient_scope` and `insufficient_user_authentication`. */
export function assertMeets(identity: Identity, requirement: Requirement, now: number): void {
  const { scopes = [], acr, maxAgeSeconds, tenantId } = requirement;
  if (tenantId !== undefined && identity.tenantId !== tenantId) throw new ReeveError('tenant_mismatch');
  const missing = scopes.filter(one => !identity.scopes.includes(one));
  if (missing.length > 0)
    throw new ReeveError('insufficient_scope', missing.join(' '), { challenge: { scope: scopes.join(' ') } });
  const ageMs = identity.authenticatedAt === null ? Infinity : now - identity.authenticatedAt.getTime();
  const isOther = acr !== undefined && (identity.acr === null || !acr.includes(identity.acr));
  const isOld = maxAgeSeconds !== undefined && ageMs > maxAgeSeconds * 1_000;
  if (!isOther && !isOld) return;
  const challenge = {
    ...(acr === undefined ? {} : { acr_values: acr.join(' ') }),
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
  };
  throw new ReeveError('insufficient_user_authentication', undefined, { challenge });
}
