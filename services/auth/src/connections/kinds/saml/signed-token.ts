// A JWT that a SAML identity provider has signed: by a key that it signs assertions with, since it publishes no other
// (draft-parecki-oauth-global-token-revocation-06, “Authentication Using Private Key JWT”).
import { X509Certificate } from 'node:crypto';
import { isCanonicalJws } from '@reeve/contracts';
import { claimsOf, StepError } from '@reeve/relying-party';
import { compactVerify, errors, type JWTPayload } from 'jose';

const algorithms = { rsa: ['RS256', 'PS256'], ec: ['ES256'] } as const;

/** Throws StepError for what none of these certificates has signed, and for another type. */
export async function readSignedBy(
  certificates: readonly string[],
  { token, type }: { token: string; type: string },
): Promise<JWTPayload> {
  if (!isCanonicalJws(token)) throw new StepError('id_token_signature');
  for (const pem of certificates) {
    const { publicKey } = new X509Certificate(pem);
    const kind = publicKey.asymmetricKeyType;
    if (kind !== 'rsa' && kind !== 'ec') continue;
    try {
      return claimsOf(await compactVerify(token, publicKey, { algorithms: [...algorithms[kind]] }), type);
    } catch (error) {
      // By another key, or by none that can be used.
      if (!(error instanceof errors.JOSEError || error instanceof TypeError)) throw error;
    }
  }
  throw new StepError('id_token_signature');
}
