// The key by which a connection proves that it is us (`private_key_jwt`), in place of a secret that the identity
// provider knows as well. The private half is in the vault; the public half stands in the settings, and is served.
import { ProblemError } from '@reeve/contracts';
import type { ClientKey } from '@reeve/relying-party';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';

/** The public half. Nothing else is served, whatever else a JWK may hold. */
export const publicKeySchema = z.object({
  kty: z.string(),
  kid: z.string(),
  alg: z.string(),
  use: z.literal('sig'),
  crv: z.string().exactOptional(),
  x: z.string().exactOptional(),
  y: z.string().exactOptional(),
  n: z.string().exactOptional(),
  e: z.string().exactOptional(),
});
export type PublicKey = z.infer<typeof publicKeySchema>;

/**
 * A secret in the vault that begins so is a key. While a connection goes over from one to the other, whoever signs in
 * may hold the old settings and read the new secret: a key must never be sent as a secret.
 */
const mark = 'private-key-jwt:';

export async function newClientKey(alg: string): Promise<{ publicKey: PublicKey; secret: string }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const named = { kid, alg, use: 'sig' } as const;
  const secret = mark + JSON.stringify({ ...(await exportJWK(privateKey)), ...named });
  return { publicKey: publicKeySchema.parse({ ...publicJwk, ...named }), secret };
}

export const isClientKey = (secret: string): boolean => secret.startsWith(mark);

/** What is in the vault, as what the settings say that it is. Throws `dependency_unavailable` while it is another. */
export function credentialOf(secret: string, publicKey: PublicKey | undefined) {
  if (publicKey === undefined && !isClientKey(secret)) return { clientSecret: secret };
  if (publicKey !== undefined && isClientKey(secret)) {
    const clientKey = JSON.parse(secret.slice(mark.length)) as ClientKey;
    if (clientKey.kid === publicKey.kid) return { clientKey };
  }
  throw new ProblemError('dependency_unavailable', 'the connection is being changed', { retryAfterSeconds: 2 });
}
