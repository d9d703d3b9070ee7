// Keys as this issuer has them, for tests of what it has signed: one for access tokens, one for ID tokens.
import type { ProviderKey } from '@reeve/testing';
import { exportJWK, generateKeyPair } from 'jose';
import type { SigningKey } from '../signing-keys/signing-keys.ts';

async function make(alg: string) {
  const pair = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(pair.privateKey)), kid: alg, alg, use: 'sig' };
  return { key: { ...pair, kid: alg, alg, jwk: await exportJWK(pair.publicKey) }, jwk };
}

/** `keys` are both, as they are kept. */
export async function newOwnKeys(): Promise<{ access: ProviderKey; id: ProviderKey; keys: SigningKey[] }> {
  const [access, id] = await Promise.all([make('ES256'), make('RS256')]);
  return { access: access.key, id: id.key, keys: [access.jwk, id.jwk] as SigningKey[] };
}
