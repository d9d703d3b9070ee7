// A refusal as HTTP has it: problem+json (RFC 9457), and a challenge (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3).
import { type ChallengeParameters, ReeveError, type ReeveErrorCode } from './errors.ts';
import { proofAlgorithms } from './proof-of-possession.ts';
import type { ProtectedResource } from './protected-resource.ts';
import type { Requirement } from './requirement.ts';

export type Refusal = { status: number; headers: Record<string, string>; body: string };

/** What an operation asks, and of which API it is, where that says of itself what it is. */
export type Protection = Requirement & { resource?: ProtectedResource };

/** Of the request that is refused. */
type Refused = { authorization?: string | undefined; protection?: Protection };

const errorOf: Partial<Record<ReeveErrorCode, string>> = {
  token_invalid: 'invalid_token',
  token_expired: 'invalid_token',
  token_revoked: 'invalid_token',
  dpop_proof_invalid: 'invalid_dpop_proof',
  insufficient_user_authentication: 'insufficient_user_authentication',
  insufficient_scope: 'insufficient_scope',
};

const retryAfterSeconds = 2;

/** RFC 6750 §3: what may stand in a value without being escaped. */
const quoted = (text: string): string => `"${text.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')}"`;

/** RFC 9728 §5.1, and the scopes with which somebody who has no token would be let in. */
function whereToAsk({ resource, scopes = [] }: Protection): ChallengeParameters {
  if (!resource) return {};
  return {
    resource_metadata: resource.metadataUrl,
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
  };
}

function challengeOf({ code, title, challenge }: ReeveError, { authorization = '', protection = {} }: Refused) {
  const usesDpop = /^dpop /i.test(authorization) || code === 'dpop_proof_invalid';
  const scheme = usesDpop ? `DPoP algs=${quoted(proofAlgorithms.join(' '))}` : 'Bearer';
  const error = errorOf[code];
  if (error === undefined && code !== 'token_missing') return null;
  const wrong = error === undefined ? {} : { error, error_description: title };
  const parameters = Object.entries({ ...wrong, ...whereToAsk(protection), ...challenge })
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(', ');
  if (parameters === '') return scheme;
  return usesDpop ? `${scheme}, ${parameters}` : `${scheme} ${parameters}`;
}

/** Null for what is no refusal of ours. The detail of it stays in the log of whoever catches it. */
export function refusalOf(error: unknown, refused: Refused = {}): Refusal | null {
  if (!(error instanceof ReeveError)) return null;
  const { code, status, title } = error;
  const challenge = challengeOf(error, refused);
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(challenge === null ? {} : { 'www-authenticate': challenge }),
      ...(status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
    },
    body: JSON.stringify({ type: 'about:blank', title, status, code }),
  };
}
