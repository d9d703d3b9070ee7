// The transit engine of OpenBao, or of HashiCorp Vault: keys that never leave it. The context is the additional data of
// AES-256-GCM (`associated_data`). https://openbao.org/api-docs/secret/transit/
import { z } from 'zod';
import { asDataKey, type KeyService, keyServiceUnavailable, keyUnusable } from '../../key-management.ts';
import { createTransitClient, type TransitOptions } from './transit-client.ts';
import type { Answer } from './transit-token.ts';

const encrypted = z.object({
  data: z.object({
    ciphertext: z
      .string()
      .max(2_000)
      .regex(/^vault:v\d+:[\w+/=-]+$/),
  }),
});
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });
const refused = z.object({ errors: z.array(z.string()) });

/** As it says that a ciphertext was changed, or is of another context. */
const doesNotOpen = /message authentication failed|invalid ciphertext/i;

export function createTransit(options: TransitOptions & { mount: string; key: string }): KeyService {
  const { mount, key } = options;
  const post = createTransitClient(options);
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  /** The version of the key stands before the ciphertext, and with it in the id. */
  const idOf = (ciphertext: string) => `${key}:${ciphertext.split(':')[1]}`;

  function read<T>(schema: z.ZodType<T>, { status, body }: Answer): T {
    if (status === 200) {
      const parsed = schema.safeParse(body);
      if (parsed.success) return parsed.data;
      throw keyServiceUnavailable(new Error('the answer is none of the transit engine', { cause: parsed.error }));
    }
    const said = refused.safeParse(body).data?.errors.join('; ').slice(0, 300) ?? 'nothing';
    if (status === 400 && doesNotOpen.test(said)) throw new Error(`a wrapped key does not open: ${said}`);
    throw keyUnusable(new Error(`${status} of the transit engine, which says: ${said}`));
  }

  return {
    async wrap(dataKey, context) {
      const body = { plaintext: dataKey.toString('base64'), associated_data: base64(context) };
      const { ciphertext } = read(encrypted, await post(`${mount}/encrypt/${key}`, body)).data;
      return { keyId: idOf(ciphertext), wrapped: ciphertext };
    },

    /** Only by the key that is configured: the row that names another one may have been written by anybody. */
    async unwrap({ keyId, wrapped }, context) {
      if (keyId !== idOf(wrapped)) throw keyUnusable(new Error(`a data key is wrapped by "${keyId}", not by "${key}"`));
      const body = { ciphertext: wrapped, associated_data: base64(context) };
      const { plaintext } = read(decrypted, await post(`${mount}/decrypt/${key}`, body)).data;
      return asDataKey(Buffer.from(plaintext, 'base64'));
    },
  };
}
