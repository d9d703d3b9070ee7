// A JWT that a server has signed besides ID tokens, such as a security event or a request to end sessions: by the keys
// that it has now, by an algorithm that it signs by, and of the one type that is expected, so that nothing which was
// made for another purpose is taken for it (RFC 8725 §3.11). What it says is for whoever asked to compare.
import { isCanonicalJws } from '@reeve/contracts';
import { compactVerify, errors, type JWTPayload } from 'jose';
import type { createKeySets, SignsBy } from './key-sets.ts';
import { StepError } from './step-error.ts';

type Signed = { token: string; type: string };

export const createReadSigned =
  (keySets: ReturnType<typeof createKeySets>) =>
  /** Throws StepError. */
  async (metadata: SignsBy, { token, type }: Signed): Promise<JWTPayload> => {
    if (!isCanonicalJws(token)) throw new StepError('id_token_signature');
    const algorithms = metadata.id_token_signing_alg_values_supported;
    return keySets
      .by({ metadata }, async keys => claimsOf(await compactVerify(token, keys, { algorithms }), type))
      .catch((error: unknown) => {
        if (error instanceof StepError) throw error;
        const seen = error instanceof errors.JOSEError ? { problem: error.message } : {};
        throw new StepError('id_token_signature', { cause: error, seen });
      });
  };

type Verified = { payload: Uint8Array; protectedHeader: { typ?: string } };

/** Of what was verified. Throws StepError for another type, and for what is no claims. */
export function claimsOf({ payload, protectedHeader: { typ } }: Verified, type: string): JWTPayload {
  // RFC 7515 §4.1.9: `application/` may be left out, and the rest is compared without regard to case.
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== type)
    throw new StepError('id_token_type');
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as JWTPayload;
  } catch {
    // Signed, and no JSON: also where the header says that it is not encoded.
  }
  throw new StepError('id_token_type');
}
