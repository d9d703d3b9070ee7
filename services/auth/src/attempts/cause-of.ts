// The cause of a failed sign-in, where what was seen says more than the step at which it failed. Pure. Providers say in
// words what is wrong, and the code in them (Microsoft Entra's AADSTS…) is the part that stays the same.
import { eventTypes, type SignInCause, type SignInFailure } from '@reeve/contracts';
import { type Seen, StepError } from '@reeve/relying-party';
import { toProblem } from '@reeve/service-kit';

type Rule = readonly [SignInCause, RegExp];

/** By the words of an OAuth error, as `error: description`; the first that fits. */
const refusals: readonly Rule[] = [
  [
    'user_not_assigned',
    /AADSTS50105|not assigned to (the|a) (client )?(application|role)|access_denied.*not assigned/i,
  ],
  ['consent_missing', /AADSTS65001|AADSTS65004|AADSTS90094|consent_required/i],
  ['conditional_access', /AADSTS5300[0-9]|AADSTS53011|AADSTS50005|policy evaluation failed/i],
  ['mfa_needed', /AADSTS5007[4-9]/i],
  ['wrong_directory', /AADSTS50020|AADSTS90072|AADSTS50128|AADSTS700054/i],
  ['application_unknown', /AADSTS700016|unauthorized_client|AADSTS7000112/i],
  ['redirect_uri_unregistered', /AADSTS50011|redirect_uri/i],
  ['login_needed', /login_required|interaction_required|account_selection_required|AADSTS50058/i],
  ['scope_refused', /invalid_scope|AADSTS70011/i],
  ['request_refused', /invalid_request|unsupported_response_type|request_not_supported/i],
  ['provider_failed', /server_error|temporarily_unavailable/i],
  ['person_cancelled', /access_denied/i],
];

const exchanges: readonly Rule[] = [
  ['client_secret_expired', /AADSTS7000222|secret.*(is |has )?expired/i],
  // Keycloak says `unauthorized_client` of it.
  ['client_secret_wrong', /AADSTS7000215|invalid client (secret|credentials)/i],
  ['redirect_uri_unregistered', /AADSTS50011|redirect_uri|redirect uri/i],
  ['application_unknown', /AADSTS700016|unauthorized_client|AADSTS90002/i],
  ['key_not_found_there', /AADSTS700027|client_assertion|client assertion|AADSTS700024/i],
  ['code_expired', /AADSTS70008|AADSTS54005|invalid_grant/i],
  ['client_secret_wrong', /invalid_client/i],
];

const statuses: readonly Rule[] = [
  ['saml_no_authn_context', /:NoAuthnContext$/],
  ['saml_authn_failed', /:AuthnFailed$/],
  ['saml_request_denied', /:RequestDenied$/],
  ['saml_name_id_policy', /:InvalidNameIDPolicy$/],
  ['login_needed', /:NoPassive$/],
  ['saml_unknown_principal', /:UnknownPrincipal$/],
  ['saml_request_wrong', /:(Requester|RequestUnsupported|UnsupportedBinding|VersionMismatch)$/],
];

const claims: readonly Rule[] = [
  ['audience_wrong', /"aud"/],
  ['issuer_wrong', /"iss"/],
  ['nonce_wrong', /"nonce"/],
  ['clock_ahead', /"exp"/],
  ['clock_behind', /"nbf"/],
];

const textOf = (value: Seen[string] | undefined): string => (typeof value === 'string' ? value : '');
const firstFit = (rules: readonly Rule[], words: string) => rules.find(([, pattern]) => pattern.test(words))?.[0];

export function signInCauseOf(reason: SignInFailure, seen: Seen): SignInCause {
  const words = `${textOf(seen['error'])}: ${textOf(seen['description'])}`;
  switch (reason) {
    case 'refused_by_provider':
      return (
        firstFit(statuses, textOf(seen['subStatus']) || textOf(seen['status'])) ?? firstFit(refusals, words) ?? reason
      );
    case 'code_exchange': {
      const cause = firstFit(exchanges, words) ?? reason;
      return cause === 'client_secret_wrong' && seen['provedBy'] === 'private_key_jwt' ? 'key_not_found_there' : cause;
    }
    // An issuer that has another name by now says so first beside the code (RFC 9207).
    case 'response_mismatch':
    case 'id_token_claims':
      return firstFit(claims, textOf(seen['problem'])) ?? reason;
    case 'saml_signature':
      if (seen['signed'] === false) return 'saml_unsigned';
      return seen['isCertificateKnown'] === false ? 'saml_certificate_unknown' : reason;
    case 'saml_time':
    case 'id_token_time':
      if (seen['problem'] === 'not_yet') return 'clock_behind';
      return seen['problem'] === 'over' ? 'clock_ahead' : reason;
    default:
      return reason;
  }
}

/** At which step a sign-in failed by that error; `internal` where the fault is ours. */
export function signInFailureOf(error: unknown): SignInFailure {
  if (error instanceof StepError) return error.step;
  const { code } = toProblem(error);
  return eventTypes['sign_in.failed'].reasons.find(one => one === code) ?? 'internal';
}
