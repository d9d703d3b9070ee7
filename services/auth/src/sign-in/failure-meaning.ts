// What a failed step means to the person, who can do nothing about the difference between a wrong audience and a wrong
// destination. The steps themselves are for administrators: in the event, and in docs/sign-in.md.
import type { SignInFailure } from '@reeve/contracts';
import type { Meaning } from '@reeve/service-kit';

type SignInMeaning = Meaning<'sign_in_failed'>;

/** Null for what has a problem code of its own, and so a page of its own. */
const meanings: Record<SignInFailure, SignInMeaning | null> = {
  refused_by_provider: 'refused',
  provider_unreachable: 'unanswered',
  provider_timeout: 'unanswered',
  provider_url_refused: 'unacceptable',
  provider_response: 'unacceptable',
  response_mismatch: 'outdated',
  code_exchange: 'unacceptable',
  id_token_missing: 'unacceptable',
  id_token_type: 'unacceptable',
  id_token_claims: 'unacceptable',
  id_token_time: 'unacceptable',
  id_token_signature: 'unacceptable',
  access_token_hash: 'unacceptable',
  subject_missing: 'unacceptable',
  attribute_missing: 'unacceptable',
  user_info: 'unacceptable',
  saml_malformed: 'unacceptable',
  saml_algorithm: 'unacceptable',
  saml_signature: 'unacceptable',
  saml_encryption: 'unacceptable',
  saml_issuer: 'unacceptable',
  saml_destination: 'unacceptable',
  saml_audience: 'unacceptable',
  saml_response_to: 'outdated',
  saml_subject: 'unacceptable',
  saml_conditions: 'unacceptable',
  saml_time: 'unacceptable',
  saml_authentication: 'unacceptable',
  saml_replayed: 'outdated',
  unsolicited: 'outdated',
  authentication_too_old: 'outdated',
  connection_not_active: null,
  domain_enforced: null,
  identity_conflict: null,
  identity_unknown: null,
  identity_taken: null,
  link_needs_sign_in: null,
  link_declined: null,
  user_deactivated: null,
  tenant_suspended: null,
  sign_in_expired: null,
  dependency_unavailable: null,
  internal: null,
};

/** For the option of a ProblemError `sign_in_failed`. */
export function meaningOf(step: SignInFailure): { meaning?: SignInMeaning } {
  const meaning = meanings[step];
  return meaning === null ? {} : { meaning };
}
