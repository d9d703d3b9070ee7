// Every way in which the SDK refuses, in one table: the stable code, the status that middleware answers, and what it
// means. Whoever catches compares `code`; `cause` is what was behind it.

const refusals = {
  token_missing: [401, 'An access token is required'],
  token_invalid: [401, 'The access token is not valid here'],
  token_expired: [401, 'The access token has expired'],
  token_revoked: [401, 'The access token counts no more'],
  dpop_proof_invalid: [401, 'The proof of possession is not valid here'],
  insufficient_user_authentication: [401, 'This asks for another, or a more recent, sign-in'],
  session_missing: [401, 'Nobody is signed in at this browser'],
  session_over: [401, 'The sign-in counts no more'],
  sign_in_failed: [400, 'The sign-in did not come to its end'],
  logout_token_invalid: [400, 'The logout token is not valid here'],
  webhook_refused: [401, 'The webhook is not signed as it has to be'],
  csrf_refused: [403, 'This did not come from a page of this application'],
  insufficient_scope: [403, 'The access token lacks a scope that this asks for'],
  tenant_mismatch: [404, 'There is nothing here for this tenant'],
  revocations_stale: [503, 'It is not known which tokens were revoked'],
  issuer_unavailable: [503, 'What the issuer publishes could not be fetched'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ReeveErrorCode = keyof typeof refusals;

/** What a challenge tells the client besides its code (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1). */
export type ChallengeParameters = {
  scope?: string;
  acr_values?: string;
  max_age?: string;
  resource_metadata?: string;
};

export class ReeveError extends Error {
  override readonly name = 'ReeveError';
  readonly code: ReeveErrorCode;
  /** The HTTP status that it is answered with. */
  readonly status: number;
  readonly title: string;
  readonly challenge: ChallengeParameters;

  constructor(
    code: ReeveErrorCode,
    detail?: string,
    { cause, challenge = {} }: { cause?: unknown; challenge?: ChallengeParameters } = {},
  ) {
    const [status, title] = refusals[code];
    super(detail === undefined ? title : `${title}: ${detail}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.status = status;
    this.title = title;
    this.challenge = challenge;
  }
}
