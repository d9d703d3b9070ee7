// DPoP (RFC 9449) at a resource server: a token that is bound to a key is good only with a proof, made for this very
// request, of whoever has the key. A copy of the token alone is worth nothing.
import { createHash } from 'node:crypto';
import { isCanonicalJws, ProblemError } from '@reeve/contracts';
import type { Request } from 'express';
import { calculateJwkThumbprint, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';

export const proofAlgorithms = ['ES256', 'PS256', 'EdDSA', 'Ed25519'];

/** How far the time in a proof may be from ours, either way. */
const windowMs = 60_000;
const mostRemembered = 200_000;
const longestId = 200;

export type Presented = {
  scheme: 'bearer' | 'dpop';
  token: string;
  /** The thumbprint (RFC 7638) of the key that the token is bound to; null where it is bound to none. */
  boundTo: string | null;
};

/** `selfUrl` is what proofs call this service. Proofs are remembered by this process alone. */
export function createPossessionCheck({ selfUrl, now }: { selfUrl: string; now: () => number }) {
  const used = new LRUCache<string, true>({ max: mostRemembered, ttl: 2 * windowMs });
  const proven = new WeakSet<Request>();

  /** Throws `token_invalid` where the scheme is not that of the token, and `dpop_proof_invalid`. */
  return async (request: Request, { scheme, token, boundTo }: Presented): Promise<void> => {
    if (boundTo === null && scheme === 'bearer') return;
    if (boundTo === null || scheme === 'bearer') throw new ProblemError('token_invalid');
    // A right is decided about again while a request goes on, and its proof stays the one that it came with.
    if (proven.has(request)) return;
    const [proof, ...more] = request.headersDistinct['dpop'] ?? [];
    if (proof === undefined || more.length > 0) throw new ProblemError('dpop_proof_invalid', 'exactly one is needed');
    const { thumbprint, payload } = await read(proof);
    const wrong = wrongIn(payload, { request, token }) ?? (thumbprint === boundTo ? null : 'it is of another key');
    if (wrong !== null) throw new ProblemError('dpop_proof_invalid', wrong);
    const name = `${thumbprint} ${String(payload.jti)}`;
    if (used.has(name)) throw new ProblemError('dpop_proof_invalid', 'it was used before');
    used.set(name, true);
    proven.add(request);
  };

  function wrongIn(
    { jti, iat, htm, htu, ath }: JWTPayload,
    { request, token }: { request: Request; token: string },
  ): string | null {
    if (typeof jti !== 'string' || jti === '' || jti.length > longestId) return 'jti is missing';
    if (typeof iat !== 'number' || Math.abs(now() - iat * 1_000) > windowMs) return 'iat is not now';
    if (htm !== request.method) return 'htm is another method';
    if (typeof htu !== 'string' || placeOf(htu) !== placeOf(new URL(request.originalUrl, selfUrl).href))
      return 'htu is another URL';
    return ath === createHash('sha256').update(token).digest('base64url') ? null : 'ath is of another token';
  }
}

async function read(proof: string): Promise<{ thumbprint: string; payload: JWTPayload }> {
  if (!isCanonicalJws(proof)) throw new ProblemError('dpop_proof_invalid', 'it is no JWT');
  try {
    const options = { algorithms: proofAlgorithms, typ: 'dpop+jwt', clockTolerance: windowMs / 1_000 };
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, options);
    return { payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) };
  } catch (cause) {
    throw new ProblemError('dpop_proof_invalid', 'its type, key, algorithm or signature is not taken', { cause });
  }
}

/** Without query and fragment, in the one way to write it. */
function placeOf(text: string): string | null {
  const url = URL.parse(text);
  if (!url) return null;
  url.search = '';
  url.hash = '';
  return url.href;
}
