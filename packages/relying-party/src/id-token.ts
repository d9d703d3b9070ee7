// What the client library leaves to us of an ID token (OpenID Connect Core §3.1.3.7): its signature, by the keys that
// its issuer has now, and the form of the token itself. Claims that belong to the request (issuer, audience, nonce,
// expiry) the library has compared.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isCanonicalJws } from '@reeve/contracts';
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Fetch, ServerMetadata } from './discover.ts';
import { StepError } from './step-error.ts';

type KeySet = ReturnType<typeof createRemoteJWKSet>;

const keySetsKept = 1_000;
/** A key that is not known is looked for at once, but not more often than this. */
const keysCooldownMs = 1_000;
const keysKeptMs = 600_000;
const fetchMs = 5_000;
const maxSkewSeconds = 30;
const maxAgeSeconds = 600;

export function createIdTokenCheck(fetch: Fetch) {
  const keySets = new LRUCache<string, KeySet>({ max: keySetsKept });

  function keysOf({ issuer, jwks_uri: url }: ServerMetadata): KeySet {
    const name = `${issuer} ${url}`;
    let keys = keySets.get(name);
    if (!keys) {
      keys = createRemoteJWKSet(new URL(url), {
        [customFetch]: (input, init) => fetch(input, init as RequestInit),
        cooldownDuration: keysCooldownMs,
        cacheMaxAge: keysKeptMs,
        timeoutDuration: fetchMs,
      });
      keySets.set(name, keys);
    }
    return keys;
  }

  /** Throws StepError for a token that is not to be believed. */
  return async (
    { metadata, clientId }: { metadata: ServerMetadata; clientId: string },
    { idToken, accessToken }: { idToken: string; accessToken: string },
  ): Promise<void> => {
    if (!isCanonicalJws(idToken)) throw new StepError('id_token_signature');
    const { alg, typ } = decodeProtectedHeader(idToken);
    if (typ !== undefined && typ.toUpperCase() !== 'JWT') throw new StepError('id_token_type');
    const { payload } = await jwtVerify(idToken, keysOf(metadata), {
      algorithms: metadata.id_token_signing_alg_values_supported,
      issuer: metadata.issuer,
      audience: clientId,
      clockTolerance: maxSkewSeconds,
      requiredClaims: ['iat', 'exp'],
    }).catch((error: unknown) => {
      throw new StepError(stepOf(error), { cause: error });
    });
    // The library compares it only where there are several audiences.
    if (payload['azp'] !== undefined && payload['azp'] !== clientId) throw new StepError('id_token_claims');
    if (typeof payload.sub !== 'string' || payload.sub === '') throw new StepError('subject_missing');
    checkTime(payload);
    if (payload['at_hash'] !== undefined && !isHashOf(accessToken, payload['at_hash'], alg))
      throw new StepError('access_token_hash');
  };
}

function stepOf(error: unknown) {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) return 'id_token_claims';
  if (error instanceof errors.JWKSTimeout) return 'provider_timeout';
  return error instanceof errors.JOSEError ? 'id_token_signature' : 'provider_unreachable';
}

/**
 * A sign-in that is still to come would be a fresh one for as long, whatever age an application asks for; further on
 * there are no dates.
 */
function checkTime({ iat = 0, auth_time: signedInAt = iat }: JWTPayload): void {
  const now = Date.now() / 1_000;
  const latest = now + maxSkewSeconds;
  const isNoTime = typeof signedInAt !== 'number' || signedInAt < 0 || signedInAt > latest;
  if (isNoTime || iat > latest || iat < now - maxAgeSeconds) throw new StepError('id_token_time');
}

/** OpenID Connect Core §3.1.3.6: the left half of the hash that belongs to the algorithm. */
function isHashOf(accessToken: string, given: unknown, alg: string | undefined): boolean {
  const digest = createHash(alg === 'EdDSA' ? 'sha512' : 'sha256')
    .update(accessToken, 'ascii')
    .digest();
  const expected = digest.subarray(0, digest.length / 2);
  const actual = typeof given === 'string' ? Buffer.from(given, 'base64url') : Buffer.alloc(0);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
