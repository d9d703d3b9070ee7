// Secrets as partners write them down, and the keys that they stand for.
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { decodeStrictly, type SchemeName, type SignatureSettings } from './scheme.ts';

/** A secret that its scheme cannot use. The message says what would do, and never the secret. */
export class SecretFormError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SecretFormError';
  }
}

export type SigningKey = { kind: 'hmac' | 'ed25519'; key: KeyObject };

const minimalHmacBytes = 24;
const longestSecret = 1_000;
// The fixed beginnings of a 32-byte Ed25519 key in DER (RFC 8410): SubjectPublicKeyInfo and PKCS #8.
const spki = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const publicKey = (raw: Buffer) => createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' });
const privateKey = (seed: Buffer) =>
  createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });

function base64After(prefix: string, secret: string): Buffer {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
  return decodeStrictly(text, 'base64') ?? Buffer.alloc(0);
}

function standardKey(secret: string, use: 'sign' | 'verify'): SigningKey {
  if (secret.startsWith('whpk_')) {
    const raw = base64After('whpk_', secret);
    if (use === 'sign') throw new SecretFormError('a public key cannot sign: use the whsk_ key');
    if (raw.length !== 32) throw new SecretFormError('whpk_ is followed by 32 bytes in base64');
    return { kind: 'ed25519', key: publicKey(raw) };
  }
  if (secret.startsWith('whsk_')) {
    const raw = base64After('whsk_', secret);
    // The seed alone, or the seed and the public key after it.
    if (raw.length !== 32 && raw.length !== 64)
      throw new SecretFormError('whsk_ is followed by 32 or 64 bytes in base64');
    const key = privateKey(raw.subarray(0, 32));
    if (use === 'verify') throw new SecretFormError('this is the private key: give the whpk_ key');
    return { kind: 'ed25519', key };
  }
  const bytes = base64After('whsec_', secret);
  if (bytes.length < minimalHmacBytes || bytes.length > 64)
    throw new SecretFormError('must be whsec_ and 24 to 64 bytes in base64, or a whpk_ public key');
  return { kind: 'hmac', key: createSecretKey(bytes) };
}

function ed25519Key(secret: string, use: 'sign' | 'verify'): SigningKey {
  try {
    if (secret.includes('-----BEGIN')) {
      const key = use === 'sign' ? createPrivateKey(secret) : createPublicKey(secret);
      if (key.asymmetricKeyType !== 'ed25519' || (use === 'verify' && secret.includes('PRIVATE')))
        throw new TypeError('another key');
      return { kind: 'ed25519', key };
    }
    const raw = decodeStrictly(secret, 'hex') ?? decodeStrictly(secret, 'base64') ?? Buffer.alloc(0);
    if (raw.length !== 32) throw new TypeError('not 32 bytes');
    return { kind: 'ed25519', key: use === 'sign' ? privateKey(raw) : publicKey(raw) };
  } catch {
    throw new SecretFormError('must be an Ed25519 public key: 32 bytes in hex or base64, or PEM');
  }
}

/** The key that a secret's text stands for. Throws SecretFormError, whose message is for whoever typed it. */
export function keyOf(
  scheme: SchemeName,
  secret: string,
  { use, settings }: { use: 'sign' | 'verify'; settings: SignatureSettings | null },
): SigningKey {
  if (secret.length > longestSecret) throw new SecretFormError(`must not be longer than ${longestSecret} characters`);
  if (scheme === 'standard') return standardKey(secret, use);
  if (scheme === 'ed25519') return ed25519Key(secret, use);
  const encoding = scheme === 'hmac' ? (settings?.secretEncoding ?? 'utf8') : 'utf8';
  const bytes =
    encoding === 'utf8' ? Buffer.from(secret, 'utf8') : (decodeStrictly(secret, encoding) ?? Buffer.alloc(0));
  // Providers choose these themselves, so only what no provider would give is refused.
  if (bytes.length < 4)
    throw new SecretFormError(`must be the secret that the partner signs with, at least 4 bytes (${encoding})`);
  return { kind: 'hmac', key: createSecretKey(bytes) };
}

/** A new secret in the scheme's own form, or null where only the partner can make one (it holds the private key). */
export function newSecret(scheme: SchemeName, settings: SignatureSettings | null): string | null {
  if (scheme === 'ed25519') return null;
  const bytes = randomBytes(32);
  if (scheme === 'standard' || scheme === 'stripe') return `whsec_${bytes.toString('base64')}`;
  if (scheme === 'hmac' && settings?.secretEncoding === 'base64') return bytes.toString('base64');
  return bytes.toString('hex');
}

/** A key pair of Standard Webhooks v1a: `whsk_` signs, `whpk_` verifies. */
export function newStandardKeyPair(): { privateKey: string; publicKey: string } {
  const pair = generateKeyPairSync('ed25519');
  const raw = (key: KeyObject, type: 'pkcs8' | 'spki') =>
    key.export({ format: 'der', type }).subarray(-32).toString('base64');
  return { privateKey: `whsk_${raw(pair.privateKey, 'pkcs8')}`, publicKey: `whpk_${raw(pair.publicKey, 'spki')}` };
}
