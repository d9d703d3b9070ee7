// What the client library leaves to us of an ID token (OpenID Connect Core §3.1.3.7): its signature, by the keys that
// its issuer has now, and the form of the token itself. Claims that belong to the request (issuer, audience, nonce,
// expiry) the library has compared, and it has read them from these very bytes.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isCanonicalJws } from '@reeve/contracts';
import { compactVerify, errors } from 'jose';
import type { IDToken } from 'openid-client';
import type { createKeySets, KeyOwner } from './key-sets.ts';
import { StepError } from './step-error.ts';

const maxSkewSeconds = 30;
const maxAgeSeconds = 600;

/** `claims` are of the ID token, as the library has read them. */
type Tokens = { idToken: string; claims: IDToken; accessToken: string };

export const createIdTokenCheck =
  (keySets: ReturnType<typeof createKeySets>) =>
  /** Throws StepError for a token that is not to be believed. */
  async (from: KeyOwner & { clientId: string }, { idToken, claims, accessToken }: Tokens): Promise<void> => {
    const { metadata, clientId } = from;
    if (!isCanonicalJws(idToken)) throw new StepError('id_token_signature');
    const algorithms = metadata.id_token_signing_alg_values_supported;
    const { alg, typ } = await keySets
      .by(from, async keys => (await compactVerify(idToken, keys, { algorithms })).protectedHeader)
      .catch((error: unknown) => {
        const seen = error instanceof errors.JOSEError ? { problem: error.message } : {};
        // One that cannot be used, as of RSA and too short, signs nothing.
        throw new StepError(error instanceof StepError ? error.step : 'id_token_signature', { cause: error, seen });
      });
    if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT'))
      throw new StepError('id_token_type');
    // The library compares it only where there are several audiences.
    if (claims['azp'] !== undefined && claims['azp'] !== clientId) throw new StepError('id_token_claims');
    if (typeof claims.sub !== 'string' || claims.sub === '') throw new StepError('subject_missing');
    checkTime(claims);
    if (claims['at_hash'] !== undefined && !isHashOf(accessToken, claims['at_hash'], alg))
      throw new StepError('access_token_hash');
  };

/**
 * A sign-in that is still to come would be a fresh one for as long, whatever age an application asks for; further on
 * there are no dates.
 */
function checkTime({ iat, auth_time: signedInAt = iat }: Pick<IDToken, 'iat' | 'auth_time'>): void {
  const now = Date.now() / 1_000;
  const latest = now + maxSkewSeconds;
  const isNoTime = typeof signedInAt !== 'number' || signedInAt < 0 || signedInAt > latest;
  if (!isNoTime && iat <= latest && iat >= now - maxAgeSeconds) return;
  const problem = iat > latest || (typeof signedInAt === 'number' && signedInAt > latest) ? 'not_yet' : 'over';
  throw new StepError('id_token_time', { seen: { problem, now: Math.floor(now), iat, auth_time: String(signedInAt) } });
}

/** OpenID Connect Core §3.1.3.6: the left half of the hash that belongs to the algorithm. */
function isHashOf(accessToken: string, given: unknown, alg: string | undefined): boolean {
  const digest = createHash(alg === 'EdDSA' || alg === 'Ed25519' ? 'sha512' : 'sha256')
    .update(accessToken, 'ascii')
    .digest();
  const expected = digest.subarray(0, digest.length / 2);
  const actual = typeof given === 'string' ? Buffer.from(given, 'base64url') : Buffer.alloc(0);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
