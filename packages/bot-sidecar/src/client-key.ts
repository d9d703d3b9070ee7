// The private key by which the bot proves itself in place of a secret (private_key_jwt, RFC 7523), as a JWK in a file.
import { readFile } from 'node:fs/promises';
import { importJWK } from 'jose';
import type { CryptoKey, PrivateKey } from 'openid-client';
import { z } from 'zod';

/** Of those that Reeve takes of applications (docs/applications.md), each of which a key has to name itself. */
const algorithms = ['ES256', 'PS256', 'RS256', 'Ed25519'] as const;

const schema = z.looseObject({
  kty: z.enum(['EC', 'RSA', 'OKP']),
  alg: z.enum(algorithms),
  kid: z.string().min(1).exactOptional(),
  use: z.literal('sig').exactOptional(),
  d: z.string().min(1),
});

/** Says nothing of what is in the file, and has no cause that does. */
export class ClientKeyError extends Error {
  constructor(problem: string) {
    super(`REEVE_CLIENT_KEY_FILE ${problem}`);
    this.name = 'ClientKeyError';
  }
}

/** Throws ClientKeyError. */
export async function readClientKey(file: string): Promise<PrivateKey> {
  const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new ClientKeyError(`cannot be read: ${code}`);
  });
  const jwk = schema.safeParse(parsed(text));
  if (!jwk.success) throw new ClientKeyError(`is no private JWK with one of the algorithms ${algorithms.join(', ')}`);
  const { alg, kid } = jwk.data;
  const key = await importJWK(jwk.data, alg).catch(() => null);
  if (key === null || key instanceof Uint8Array) throw new ClientKeyError(`is no key for ${alg}`);
  return { key: key as CryptoKey, ...(kid === undefined ? {} : { kid }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
