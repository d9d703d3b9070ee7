// Whether Reeve vouches for the person of a session towards the authorization server of somebody else, and what it then
// says of them (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant §3 and §4.3). Never more than the tenant's
// policy names, nor than is asked for. Pure.
import type { TenantId, VouchingRefusal } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import { acrOf, amrOf } from '../factors/level.ts';
import type { Session } from '../sessions/session.ts';
import type { VouchingPolicy } from './vouching-policy.ts';

/** It is redeemed at once, and nothing calls it back. */
export const lastsSeconds = 120;

export type Refused = { refused: VouchingRefusal; detail: string };
export const refused = (because: VouchingRefusal, detail: string): Refused => ({ refused: because, detail });
export const isRefused = (value: object): value is Refused => 'refused' in value;

type Asked = {
  /** That of the tenant for the application and the audience, if there is one. */
  policy: Entry<VouchingPolicy> | null;
  session: Session;
  resources: readonly string[];
  /** Undefined for all that there is. */
  scopes: readonly string[] | undefined;
  now: Date;
};
export type Vouched = { policy: Entry<VouchingPolicy>; resources: string[]; scopes: string[] };

export function decideVouching({ policy, session, resources, scopes, now }: Asked): Vouched | Refused {
  // Whoever acts for the person was vouched for by others, or asked by them, for one API and not for any more.
  if (session.delegate) return refused('delegated', 'somebody acts for the person in the session');
  if (!policy) return refused('audience', 'no policy names the application and that authorization server');
  const { state } = policy;
  const { groups = [] } = session;
  if (state.groups.length > 0 && !state.groups.some(one => groups.includes(one)))
    return refused('group', 'the person is in none of the groups of the policy');
  const wrong = wrongInSignIn(state, session, now);
  if (wrong) return wrong;
  if (resources.some(one => !state.resources.includes(one)))
    return refused('resource', 'an API is named that the policy does not name');
  const chosen = resources.length > 0 ? [...resources] : state.resources;
  if (resources.length === 0 && chosen.length > 1)
    return refused('resource', 'the policy names several APIs, and the request none');
  const granted = state.scopes.filter(one => scopes?.includes(one) ?? true);
  if (granted.length === 0) return refused('scope', 'the policy names none of the scopes that are asked for');
  return { policy, resources: chosen, scopes: granted };
}

/** Both can be reached by signing in once more. */
function wrongInSignIn({ acrValues, maxAgeSeconds }: VouchingPolicy, session: Session, now: Date): Refused | null {
  const acr = acrOf(session, acrValues);
  if (acrValues.length > 0 && !(acr !== null && acrValues.includes(acr)))
    return refused('authentication', 'the session has reached none of the levels that the policy demands');
  const age = (now.getTime() - Date.parse(session.authenticatedAt)) / 1_000;
  return maxAgeSeconds !== null && age > maxAgeSeconds
    ? refused('authentication', 'the sign-in is longer ago than the policy allows')
    : null;
}

type Said = Vouched & {
  tenantId: TenantId;
  session: Session;
  /** The key that was proven with the request. */
  jkt: string | undefined;
};

/** A single one as a text (RFC 8693 §4.2, RFC 8707 §2.1). */
export const oneOrMany = (list: readonly string[]): string | readonly string[] =>
  list.length === 1 ? String(list[0]) : list;

/** Besides who says it to whom, and how long it counts. The same issuer vouches for many tenants: so it says which. */
export function claimsOf({
  tenantId,
  session,
  policy: { state },
  resources,
  scopes,
  jkt,
}: Said): Record<string, unknown> {
  const acr = acrOf(session, state.acrValues);
  const { email, emailVerified } = session;
  return {
    tenant: tenantId,
    client_id: state.audienceClientId,
    scope: scopes.join(' '),
    auth_time: Math.floor(Date.parse(session.authenticatedAt) / 1_000),
    amr: amrOf(session),
    ...(acr === null ? {} : { acr }),
    ...(resources.length === 0 ? {} : { resource: oneOrMany(resources) }),
    // Nobody is told an address as the person's that is none of theirs for certain.
    ...(scopes.includes('email') && email !== null && emailVerified ? { email } : {}),
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
  };
}
