// The port to whatever holds the key-encryption keys, and its adapter for development: a key file. Others (OpenBao
// Transit, AWS KMS) implement the same two functions.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';

export type WrappedKey = { keyId: string; wrapped: string };

export type KeyManagement = {
  /** Encrypts a data key; `context` is authenticated with it. */
  wrap(dataKey: Buffer, context: string): Promise<WrappedKey>;
  /** Throws when the key is unknown or the context is another one. */
  unwrap(key: WrappedKey, context: string): Promise<Buffer>;
};

const keyFile = z.strictObject({
  active: z.string(),
  keys: z.record(
    z.string(),
    z
      .string()
      .transform(text => Buffer.from(text, 'base64'))
      .refine(key => key.length === 32, 'must be 32 bytes in base64'),
  ),
});

const nonceBytes = 12;
const tagBytes = 16;

/** nonce ‖ tag ‖ ciphertext, AES-256-GCM. */
export function seal(key: Buffer, plaintext: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

/** Throws when key, context or a single bit is not the one it was sealed with. */
export function open(key: Buffer, sealed: Buffer, context: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
}

/**
 * Keys from a JSON file `{ "active": "<id>", "keys": { "<id>": "<32 bytes in base64>" } }`. For development: the file
 * is as secret as everything in the vault. Throws when everybody may read it; its group may, since Kubernetes mounts a
 * secret for the group of the pod.
 */
export function localKeyFile(path: string): KeyManagement {
  if ((statSync(path).mode & 0o007) !== 0) throw new Error(`${path} is readable by everybody; chmod 600 it`);
  const { active, keys } = keyFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  const keyOf = (id: string) => {
    const key = keys[id];
    if (!key) throw new Error(`the key file has no key "${id}"`);
    return key;
  };
  keyOf(active);
  return {
    wrap: (dataKey, context) =>
      Promise.resolve({ keyId: active, wrapped: seal(keyOf(active), dataKey, context).toString('base64') }),
    unwrap: async ({ keyId, wrapped }, context) => open(keyOf(keyId), Buffer.from(wrapped, 'base64'), context),
  };
}
