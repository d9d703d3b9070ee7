// The public keys by which an application proves which one it is (private_key_jwt).
import { createPublicKey, type JsonWebKey } from 'node:crypto';

const smallestRsaBits = 2_048;
/** By an exponent of one anybody signs. */
const usualExponent = 65_537n;
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Nothing of them is secret, and each can make signatures that we accept. */
export function isPublicKeySet({ keys }: { keys: Record<string, unknown>[] }): boolean {
  return keys.every(isPublicKey);
}

function isPublicKey(jwk: Record<string, unknown>): boolean {
  if (secretMembers.some(member => member in jwk) || ('use' in jwk && jwk['use'] !== 'sig')) return false;
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({
      key: jwk as JsonWebKey,
      format: 'jwk',
    });
    if (type === 'rsa')
      return (details?.modulusLength ?? 0) >= smallestRsaBits && (details?.publicExponent ?? 0n) >= usualExponent;
    return type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1');
  } catch {
    return false;
  }
}
