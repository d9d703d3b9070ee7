// Why a sign-in failed, as an administrator needs it: the cause rather than the symptom, what it means, and what to do.
// docs/sign-in-causes.md is generated from it. Each reason of `sign_in.failed` is here; the others say more of one.
import type { SignInFailure } from './events/catalogue.ts';

type Row = readonly [meaning: string, whatToDo: string];

const byReason = {
  refused_by_provider: ['The identity provider said no.', 'Look into its log at that time.'],
  provider_unreachable: ['It did not answer.', 'Try `:test`; ask whether it is reachable from the internet.'],
  provider_timeout: ['It did not answer within five seconds.', 'Try `:test`; look at its load.'],
  provider_url_refused: ['One of its addresses is not public, or it redirected us.', 'Set `oidc.issuer` again.'],
  provider_response: [
    'It answered something that is no OAuth, or too much.',
    'Look at what stands before it: a proxy?',
  ],
  response_mismatch: [
    'What came back is not to what was asked: another state or issuer.',
    'Start again; if it goes on, somebody tampers.',
  ],
  code_exchange: ['It refused the code.', 'Compare client id, secret and redirect URI with its settings.'],
  id_token_missing: ['It gave no ID token.', 'Allow the scope `openid` there.'],
  id_token_type: [
    'It gave another kind of token in place of an ID token.',
    'Look at its settings for the application.',
  ],
  id_token_claims: [
    'Issuer, audience, nonce or expiry are not ours, or a claim is of a form that we do not take.',
    'Compare `oidc.issuer` and `oidc.clientId` with what the token was made for.',
  ],
  id_token_time: ['The ID token is of another time.', 'Compare the clocks.'],
  id_token_signature: [
    'The ID token is not signed by the keys that the issuer has now, or not by RS256, PS256, ES256 or EdDSA.',
    'Look at the signing algorithm and the keys there.',
  ],
  access_token_hash: ['The ID token belongs to another access token.', 'Start again; if it goes on, somebody tampers.'],
  subject_missing: [
    'It names nobody, or by a name that is new at each sign-in (a transient NameID).',
    'Set an `identifier`, or have the provider send a lasting name.',
  ],
  attribute_missing: [
    'The claim of the `identifier` is not there; or it has several values, is a fraction or a number of 2^52 or ' +
      'more, or an address that the provider has not verified.',
    'Have the provider release one value, long numbers as text; for an address, have the person verify it there.',
  ],
  user_info: ['The UserInfo endpoint failed, or spoke of somebody else.', 'Try it at the provider.'],
  saml_malformed: [
    'It is no SAML 2.0 response, or built as none is: several assertions, a document type, comments; or larger than ' +
      '256 KiB (48 KiB where nobody had asked), or has more than 3,000 elements or 40 prefixes.',
    'Look at what the provider sends; fewer groups make it smaller.',
  ],
  saml_algorithm: [
    'It is signed or encrypted by something that is not taken: SHA-1, RSA 1.5, AES-CBC outside a signed response.',
    'Set SHA-256 there, and AES-GCM, or have response and assertion signed.',
  ],
  saml_signature: ['A signature does not hold.', 'Take the metadata of the provider again.'],
  saml_encryption: [
    'It has to be encrypted and is not, or not for our certificate.',
    'Give the provider the first of `spCertificates`.',
  ],
  saml_issuer: ['Another provider says it.', 'Compare `entityId` with the issuer there.'],
  saml_destination: [
    'It is for another address of ours.',
    'Set the assertion consumer service URL there to `redirectUri`.',
  ],
  saml_audience: ['It is for another service provider.', 'Set the audience (entity id) there to `spEntityId`.'],
  saml_response_to: ['It answers another request, or none.', 'Start again from the application.'],
  saml_subject: ['It names nobody, or does not say how that is confirmed.', 'Have the provider send a NameID.'],
  saml_conditions: ['It lacks conditions, or has one that is not known.', 'Look at the profile that is set there.'],
  saml_time: ['It is over, or not yet good.', 'Compare the clocks.'],
  saml_authentication: ['It does not say when the person signed in.', 'Have the provider send an AuthnStatement.'],
  saml_replayed: ['It was used before.', 'Start again; if it goes on, somebody repeats what they have seen.'],
  unsolicited: [
    'Nobody here asked for it, and the connection takes none such, or its application has no `initiateLoginUri`.',
    'Set `allowIdpInitiated` and `idpInitiatedClientId`, or give people the address of the application.',
  ],
  authentication_too_old: [
    'The application asked for a fresh sign-in, and the provider let an earlier one pass.',
    'Have the provider heed `prompt=login`, `max_age` or `ForceAuthn`.',
  ],
  connection_not_active: ['The connection was deleted meanwhile.', 'Choose another one.'],
  domain_enforced: [
    'The person has to sign in by the connection of their domain.',
    'Send them there, or except their address (`breakGlass`).',
  ],
  identity_conflict: [
    'Somebody has the address or the identifier, and it may not be linked.',
    'Verify the domain and give it to the connection; or have them sign in as before and link it, or link it for them.',
  ],
  identity_unknown: ['The person is not among the users, and none is made.', 'Add them, or turn `jit.enabled` on.'],
  identity_taken: [
    'It was to be linked to somebody, and is somebody else’s, or they have another one of that connection.',
    'Unlink that one first, if it is the right thing to do.',
  ],
  link_needs_sign_in: [
    'It was to be linked, and nobody had signed in at that browser in the last fifteen minutes.',
    'Sign in as usual, then link it.',
  ],
  link_declined: ['The person did not want to link it.', 'Nothing was changed.'],
  user_deactivated: ['The user is deactivated.', 'Reactivate them.'],
  tenant_suspended: ['The tenant is suspended.', 'Ask the operator of the platform.'],
  sign_in_expired: [
    'It took longer than 15 minutes, came twice, or in another browser.',
    'Start again from the application, with cookies allowed.',
  ],
  dependency_unavailable: ['A part of Reeve did not answer; nobody was signed in.', 'Try again; tell the operator.'],
  internal: ['Something went wrong on our side.', 'Give the reference to the operator.'],
} as const satisfies Record<SignInFailure, Row>;

const more = {
  person_cancelled: ['The person, or the provider for them, said no.', 'Ask the person; look into the log there.'],
  consent_missing: [
    'Nobody has agreed there that the application may sign people in.',
    'Grant consent there, as an administrator.',
  ],
  user_not_assigned: ['The person is not assigned to the application there.', 'Assign the person, or their group.'],
  login_needed: [
    'The provider would have had to ask the person something, and was not to.',
    'Start again without `prompt=none`.',
  ],
  wrong_directory: [
    'The account is of another directory than the application.',
    'Use an account of that directory, or invite it there.',
  ],
  conditional_access: [
    'A policy of the provider keeps the person out: device, place or risk.',
    'Look at conditional access there.',
  ],
  mfa_needed: ['The provider wants a second factor that the person has not.', 'Have the person enrol one there.'],
  scope_refused: ['A scope is not allowed for the application.', 'Allow it there, or take it from `oidc.scopes`.'],
  request_refused: [
    'The provider took our request for a wrong one.',
    'Compare redirect URI, client id and response type there.',
  ],
  provider_failed: ['The provider failed by its own word.', 'Try again later; look at its status.'],
  client_secret_wrong: [
    'The client secret is not the one that the provider has.',
    'Set `oidc.clientSecret` again; it is the value, not its id.',
  ],
  client_secret_expired: ['The client secret is over.', 'Make a new one there and set `oidc.clientSecret`.'],
  redirect_uri_unregistered: [
    'The redirect URI is not registered there.',
    'Register `redirectUri` there, character for character.',
  ],
  application_unknown: [
    'The provider does not know the application, or does not let it sign people in by a code.',
    'Compare `oidc.clientId`, whether it is that directory, and whether the code flow is on there.',
  ],
  code_expired: ['The code was over or had been used.', 'Start again; compare the clocks if it goes on.'],
  key_not_found_there: ['The provider does not know the key that we sign with.', 'Have it read `jwksUri` again.'],
  clock_behind: [
    'By the clock here it was not yet good: one of the clocks is wrong.',
    'Set the clock there, and here, by NTP.',
  ],
  clock_ahead: [
    'By the clock here it was over: one of the clocks is wrong, or the person waited.',
    'Set the clock there, and here, by NTP.',
  ],
  audience_wrong: ['The ID token was made for another client.', 'Compare `oidc.clientId` there.'],
  issuer_wrong: [
    'The answer, or the ID token in it, is of another issuer.',
    'Compare `oidc.issuer` there, and set it again; if it goes on, somebody tampers.',
  ],
  nonce_wrong: ['The ID token answers another sign-in.', 'Start again; if it goes on, somebody tampers.'],
  saml_unsigned: [
    'Nothing is signed, or not what has to be.',
    'Have the assertion signed there; compare `wantSigned`.',
  ],
  saml_certificate_unknown: [
    'It is signed by a certificate that the connection does not have.',
    'Take the metadata again: the provider has changed its certificate.',
  ],
  saml_no_authn_context: [
    'The provider cannot sign people in the way that was asked (`acr_values`).',
    'Ask for another level, or none.',
  ],
  saml_authn_failed: ['The person did not sign in there.', 'Look into its log.'],
  saml_request_denied: [
    'The provider does not answer us.',
    'Look whether the application is active there, and the person assigned.',
  ],
  saml_name_id_policy: [
    'The provider cannot give such a NameID.',
    'Set its NameID format to unspecified or persistent.',
  ],
  saml_request_wrong: [
    'The provider took our request for a wrong one.',
    'Give it our metadata; compare whether it wants signed requests.',
  ],
  saml_unknown_principal: ['The provider does not know the person.', 'Look at the account there.'],
} as const satisfies Record<string, Row>;

export const signInCauses = { ...byReason, ...more };

export type SignInCause = keyof typeof signInCauses;
