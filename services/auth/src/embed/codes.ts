// What an embedding page, and whoever builds it, is told went wrong: one table, of which the script, the page of help and
// docs/embedded.md say the same.
export const embedCodes = {
  missing_auth_key: 'The tenant has several sign-ins and none is its default: pass an auth_key.',
  unknown_auth_key: 'No sign-in goes by this domain and auth_key. Compare both, and whether embedding is enabled.',
  origin_not_allowed: 'This page is on an origin that the tenant has not allowed. Add it to `origins`.',
  redirect_uri_mismatch:
    'A redirect URI is not registered as it is used: ours at the identity provider, or /embed/callback.',
  redirect_loop: 'The page began to sign in again and again. Begin when the person asks, or once.',
  wrong_idp: 'The person belongs to another identity provider. Compare how the page chooses the auth_key.',
  blocked_by_csp: 'The content security policy of the page forbids it. See docs/embedded.md for what it has to allow.',
  blocked_by_cors:
    'The browser kept the answer from the page: a proxy, an extension, or an origin that is not allowed.',
  cookies_blocked: 'The browser keeps no cookies at all, so nobody can sign in there. Allow them for the sign-in.',
  popup_blocked: 'The browser opened no window. Begin to sign in from a click.',
  opener_isolated:
    'The window could not reach the page: its Cross-Origin-Opener-Policy cuts it off. Use the mode redirect.',
  frame_blocked: 'The frame did not come up. Compare frame-src of the page, and `origins`.',
  secret_expired: 'The client secret at the identity provider is over. Set a new one in the connection.',
  certificate_expired: 'The certificate of the identity provider is over or was replaced. Take its metadata again.',
  not_in_roster: 'The person signed in and is not among the users. Provision them, or turn jit on.',
  no_channel_identity:
    'The person is among the users, and nothing ties them to this sign-in. Link them, or verify their domain.',
  no_access: 'The person or the page may not use it: deactivated, not assigned, or not allowed to use the API.',
  sign_in_failed: 'The sign-in did not come about. `cause` says why: docs/sign-in-causes.md.',
  session_over: 'The session has ended. Sign in again.',
  offline: 'There is no network.',
  timed_out: 'Nobody finished to sign in within ten minutes.',
} as const;
export type EmbedCode = keyof typeof embedCodes;

/** Of the reasons and causes of a sign-in that failed, those that have a name of their own here. */
const named = new Map<string, EmbedCode>(
  Object.entries({
    identity_unknown: 'not_in_roster',
    identity_conflict: 'no_channel_identity',
    user_deactivated: 'no_access',
    user_not_assigned: 'no_access',
    conditional_access: 'no_access',
    domain_enforced: 'wrong_idp',
    wrong_directory: 'wrong_idp',
    redirect_uri_unregistered: 'redirect_uri_mismatch',
    client_secret_expired: 'secret_expired',
    saml_certificate_unknown: 'certificate_expired',
    // As OAuth has them, of the application rather than of the person.
    invalid_target: 'no_access',
    invalid_scope: 'no_access',
    unauthorized_client: 'no_access',
  } as const),
);

/** Of the answer that an application gets (RFC 6749 §4.1.2.1). */
export function codeOf({ error, cause }: { error: string; cause: string | null }): EmbedCode {
  return named.get(cause ?? '') ?? named.get(error) ?? 'sign_in_failed';
}
