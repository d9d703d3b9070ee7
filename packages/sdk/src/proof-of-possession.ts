// DPoP (RFC 9449): a token that is bound to a key is good only with a proof, made for this very request, of whoever has
// the key.
import { createHash } from 'node:crypto';
import { isCanonicalJws } from '@reeve/contracts';
import { calculateJwkThumbprint, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { ReeveError } from './errors.ts';

export const proofAlgorithms = ['ES256', 'PS256', 'EdDSA', 'Ed25519'];

/** How far the time in a proof may be from ours, either way. */
const windowMs = 60_000;
const mostRemembered = 200_000;
const longestProof = 8_192;
const longestId = 200;

/** The request as its sender sees it. */
export type Request = { method: string; url: string };

const refusal = (detail: string, cause?: unknown) => new ReeveError('dpop_proof_invalid', detail, { cause });

/** Proofs are remembered by this process alone. */
export function createProofCheck({ now }: { now: () => number }) {
  const used = new LRUCache<string, true>({ max: mostRemembered, ttl: 2 * windowMs });

  /** Throws `dpop_proof_invalid`. */
  return async ({
    proofs,
    token,
    boundTo,
    request,
  }: {
    proofs: readonly string[];
    token: string;
    boundTo: string;
    request: Request;
  }): Promise<void> => {
    const [proof, ...more] = proofs;
    if (proof === undefined || more.length > 0) throw refusal('exactly one is needed');
    const { thumbprint, payload } = await read(proof, now());
    const wrong = wrongIn(payload, { request, token, now: now() });
    if (wrong !== null) throw refusal(wrong);
    if (thumbprint !== boundTo) throw refusal('it is of another key');
    const name = `${thumbprint} ${String(payload.jti)}`;
    if (used.has(name)) throw refusal('it was used before');
    used.set(name, true);
  };
}

function wrongIn(
  { jti, iat, htm, htu, ath }: JWTPayload,
  { request, token, now }: { request: Request; token: string; now: number },
): string | null {
  if (typeof jti !== 'string' || jti === '' || jti.length > longestId) return 'jti is missing';
  if (typeof iat !== 'number' || Math.abs(now - iat * 1_000) > windowMs) return 'iat is not now';
  if (htm !== request.method) return 'htm is another method';
  const place = placeOf(request.url);
  if (typeof htu !== 'string' || place === null || placeOf(htu) !== place) return 'htu is another URL';
  return ath === createHash('sha256').update(token).digest('base64url') ? null : 'ath is of another token';
}

async function read(proof: string, now: number): Promise<{ thumbprint: string; payload: JWTPayload }> {
  if (proof.length > longestProof || !isCanonicalJws(proof)) throw refusal('it is no JWT');
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: proofAlgorithms,
      typ: 'dpop+jwt',
      clockTolerance: windowMs / 1_000,
      currentDate: new Date(now),
    });
    return { payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) };
  } catch (cause) {
    throw refusal('its type, key, algorithm or signature is not taken', cause);
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
