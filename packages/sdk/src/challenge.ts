// A refusal as HTTP has it: problem+json (RFC 9457), and a challenge (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3).
import { ReeveError, type ReeveErrorCode } from './errors.ts';
import { proofAlgorithms } from './proof-of-possession.ts';

export type Refusal = { status: number; headers: Record<string, string>; body: string };

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

function challengeOf({ code, title, challenge }: ReeveError, authorization: string): string | null {
  const usesDpop = /^dpop /i.test(authorization) || code === 'dpop_proof_invalid';
  const scheme = usesDpop ? `DPoP algs=${quoted(proofAlgorithms.join(' '))}` : 'Bearer';
  if (code === 'token_missing') return scheme;
  const error = errorOf[code];
  if (error === undefined) return null;
  const parameters = Object.entries({ error, error_description: title, ...challenge })
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(', ');
  return usesDpop ? `${scheme}, ${parameters}` : `${scheme} ${parameters}`;
}

/** Null for what is no refusal of ours. The detail of it stays in the log of whoever catches it. */
export function refusalOf(error: unknown, authorization = ''): Refusal | null {
  if (!(error instanceof ReeveError)) return null;
  const { code, status, title } = error;
  const challenge = challengeOf(error, authorization);
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
