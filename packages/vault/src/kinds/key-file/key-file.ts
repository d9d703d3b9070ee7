// Keys in a file: for development, and for an installation that has nothing else. Whoever reads the file opens
// everything in the vault.
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { type KeyService, keyUnusable } from '../../key-management.ts';
import { keyBytes, open, seal } from '../../sealing.ts';

const keyFile = z.strictObject({
  active: z.string(),
  keys: z.record(
    z.string(),
    z
      .string()
      .transform(text => Buffer.from(text, 'base64'))
      .refine(key => key.length === keyBytes, 'must be 32 bytes in base64'),
  ),
});

/**
 * Keys from a JSON file `{ "active": "<id>", "keys": { "<id>": "<32 bytes in base64>" } }`, read once. Throws when
 * everybody may read it; its group may, since Kubernetes mounts a secret for the group of the pod.
 */
export function createKeyFile(path: string): KeyService {
  if ((statSync(path).mode & 0o007) !== 0) throw new Error(`${path} is readable by everybody; chmod 600 it`);
  const { active, keys } = keyFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  const keyOf = (id: string) => {
    const key = keys[id];
    if (!key) throw keyUnusable(new Error(`the key file has no key "${id}"`));
    return key;
  };
  const activeKey = keys[active];
  if (!activeKey) throw new Error(`${path} has no key "${active}", which it calls active`);
  return {
    wrap: async (dataKey, context) => ({
      keyId: active,
      wrapped: seal(activeKey, dataKey, context).toString('base64'),
    }),
    unwrap: async ({ keyId, wrapped }, context) => open(keyOf(keyId), Buffer.from(wrapped, 'base64'), context),
  };
}
