// Values that can be read with the secret of a browser alone: JWE with a key that is made of the secret.
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

export const newSecret = (): string => randomBytes(32).toString('base64url');

export const isSecret = (text: string | undefined): text is string => text !== undefined && /^[\w-]{43}$/.test(text);

/** By which an entry is found; the secret cannot be told from it. */
export const keyFor = (kind: string, secret: string): string =>
  `${kind}:${createHash('sha256').update(secret).digest('base64url')}`;

const sealingKey = (secret: string) => new Uint8Array(hkdfSync('sha256', secret, '', 'reeve-sdk-session', 32));

export async function seal(secret: string, value: object): Promise<string> {
  const header = { alg: 'dir', enc: 'A256GCM' };
  return new CompactEncrypt(Buffer.from(JSON.stringify(value))).setProtectedHeader(header).encrypt(sealingKey(secret));
}

/** Null where it was sealed under another secret. */
export async function unseal<T>(secret: string, sealed: string): Promise<T | null> {
  try {
    const { plaintext } = await compactDecrypt(sealed, sealingKey(secret), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return JSON.parse(Buffer.from(plaintext).toString('utf8')) as T;
  } catch {
    return null;
  }
}
