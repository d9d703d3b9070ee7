// Our own keys towards one identity provider: what signs our requests and opens what is encrypted for us. The
// certificates are settings, for everybody to read; the private keys are the connection's secret.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';
import { ProblemError } from '@reeve/contracts';
import { z } from 'zod';
import type { RotationStep } from '../kind.ts';

/** The first signs; what was encrypted for any of them is opened. */
export const ownKeysSchema = z
  .array(
    z.object({
      certificate: z.string(),
      createdAt: z.string(),
      /** Published, and not used so far. */
      isNext: z.literal(true).exactOptional(),
    }),
  )
  .max(2);
export type OwnKeys = z.infer<typeof ownKeysSchema>;

/** PEM. Which belongs to which certificate is seen from the keys, since the secret is written before the settings. */
const privateKeysSchema = z.array(z.string()).max(2);

const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  // Identity providers know nothing else than RSA everywhere, least of all for encryption.
  modulusLength: 2_048,
};
const years = 10;

export type OwnKey = { certificate: string; privateKey: string };

/** `name` stands in the certificate, for people who look at it. */
export async function newOwnKey(name: string, now: Date): Promise<OwnKey> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + years);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name.slice(0, 64)] }],
    notBefore: now,
    notAfter,
    signingAlgorithm: algorithm,
    keys,
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

export const writePrivateKeys = (keys: readonly string[]): string => JSON.stringify(keys);

/** Of these certificates and in their order; null in the place of one whose key is gone. */
export function readPrivateKeys(secret: string, keys: OwnKeys): (string | null)[] {
  const known = privateKeysSchema.parse(JSON.parse(secret)).map(pem => ({ pem, key: createPrivateKey(pem) }));
  return keys.map(({ certificate }) => {
    const read = new X509Certificate(certificate);
    return known.find(({ key }) => read.checkPrivateKey(key))?.pem ?? null;
  });
}

const nextStepOf = (keys: OwnKeys): RotationStep => {
  const [inUse, other] = keys;
  if (!inUse || !other) return 'publish';
  return other.isNext ? 'use' : 'finish';
};

type Rotated = { keys: OwnKeys; secret: string | null };
type Rotation = { step: RotationStep; readSecret: () => Promise<string>; name: string; now: Date };

/**
 * A provider that reads our metadata has the new certificate before anything is signed by its key, and we open what is
 * encrypted for the old one until nobody needs it. Throws `key_rotation_state`, or `connection_unsupported`.
 */
export async function rotateKeys(keys: OwnKeys, { step, readSecret, name, now }: Rotation): Promise<Rotated> {
  const [inUse, next] = keys;
  if (!inUse)
    throw new ProblemError('connection_unsupported', 'it has no key: nothing is signed by us or encrypted for us');
  const expected = nextStepOf(keys);
  if (step !== expected) throw new ProblemError('key_rotation_state', `the step that comes next is ${expected}`);
  if (step === 'use' && next) {
    const { certificate, createdAt } = next;
    return { keys: [{ certificate, createdAt }, inUse], secret: null };
  }
  const kept = readPrivateKeys(await readSecret(), [inUse])[0] ?? null;
  if (kept === null) throw new Error('the private key of the certificate in use is missing');
  if (step === 'finish') return { keys: [inUse], secret: writePrivateKeys([kept]) };
  const { certificate, privateKey } = await newOwnKey(name, now);
  const published = { certificate, createdAt: now.toISOString(), isNext: true } as const;
  return { keys: [inUse, published], secret: writePrivateKeys([kept, privateKey]) };
}
