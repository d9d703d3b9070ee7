// Who somebody is, of what an ID token and UserInfo say: in the forms that we take, and no more of it than we can keep.
import { resolveIdentityRequest, textSchema } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import type * as client from 'openid-client';
import { boundedClaims, localeText, partOfName, takenAs, verifiedIn } from '../claims.ts';
import type { UpstreamIdentity } from '../kind.ts';
import type { Settings } from './settings.ts';

/** What stands in our own tokens and in events is not as long as a provider likes. */
const mostMethods = 20;
const method = textSchema(100);
const level = textSchema(200);
const sessionName = textSchema(500);
/** Further on, dates are no text that compares. */
const latestTime = Date.parse('9999-12-31T23:59:59Z');

/** Without what provisioning would refuse: that would look like a fault of ours. */
export function identityOf(said: client.IDToken, { entraTenants }: Settings): UpstreamIdentity {
  const { iss, sub, amr, auth_time: authTime } = said;
  const taken = resolveIdentityRequest.shape;
  // A subject is unique with its issuer. One connection to many directories has many issuers, so the directory stands
  // in the subject: two people with the same `sub` are two, and nobody is taken for one of another directory.
  const directory = entraTenants?.find(tid => tid === said['tid']);
  if (entraTenants !== undefined && directory === undefined) throw new StepError('id_token_claims');
  const subject = takenAs(taken.subject, directory === undefined ? sub : `${directory}/${sub}`);
  if (subject === null) throw new StepError('id_token_claims');
  const { claims, dropped } = boundedClaims(said);
  return {
    issuer: iss,
    subject,
    email: takenAs(taken.email, said['email']),
    emailVerified: verifiedIn(said),
    displayName: takenAs(taken.displayName, said['name']),
    profile: {
      givenName: takenAs(partOfName, said['given_name']),
      familyName: takenAs(partOfName, said['family_name']),
      locale: takenAs(localeText, said['locale']),
    },
    amr: Array.isArray(amr) ? amr.flatMap(one => takenAs(method, one) ?? []).slice(0, mostMethods) : [],
    acr: takenAs(level, said['acr']),
    authenticatedAt: typeof authTime === 'number' ? new Date(authTime * 1_000).toISOString() : null,
    sessionEndsAt: endOf(said['session_expiry']),
    providerSession: { subject: sub, id: takenAs(sessionName, said['sid']), details: {} },
    claims,
    claimsDropped: dropped,
  };
}

/**
 * IPSIE OpenID SL1: when our session has to be over, in whole seconds since 1970. Throws StepError for anything else.
 */
function endOf(said: unknown): string | null {
  if (said === undefined) return null;
  if (!Number.isSafeInteger(said) || Number(said) * 1_000 <= Date.now()) throw new StepError('id_token_time');
  return new Date(Math.min(Number(said) * 1_000, latestTime)).toISOString();
}
