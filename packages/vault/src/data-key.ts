// A data key of one tenant and class of secret, as it lies in the store: wrapped, with a check. Owns how it is wrapped
// and opened; when, and who may, is its callers'.
import { createHmac } from 'node:crypto';
import { event, type TenantId } from '@reeve/contracts';
import { collection, type Decision } from '@reeve/store';
import { type KeyManagement, keyServiceUnavailable, type WrappedKey } from './key-management.ts';

/**
 * `check` tells that what came back is the key that was wrapped, before anything is sealed by it that nobody could open
 * afterwards. It says nothing of the key, which is random. Null where it was made before there were any.
 */
export type DataKey = WrappedKey & { check: string | null };

/** What is left of one: it is never made again. */
type Destroyed = { destroyedAt: string };
export type StoredDataKey = DataKey | Destroyed;

export const isThere = (state: StoredDataKey): state is DataKey => !('destroyedAt' in state);

/** In the place of a class: no data key of the tenant is made any more. */
export const allClasses = '*';

export const dataKeys = collection<StoredDataKey>({
  name: 'vault_data_keys',
  queries: { inOrder: { equality: [] } },
  version: 2,
  // Version 1 knew key files alone.
  upgrade: stored => ({ kind: 'key_file', check: null, ...(stored as { keyId: string; wrapped: string }) }),
});

/** Authenticated with what is sealed: moved elsewhere it does not open. */
export const bindingOf = (tenantId: TenantId, ...parts: string[]): string => JSON.stringify([tenantId, ...parts]);

const checkOf = (key: Buffer, binding: string) => createHmac('sha256', key).update(binding).digest('base64');

/** Rejects as `KeyManagement.unwrap` does, and where another key comes back than was wrapped. */
export async function unwrapDataKey(keys: KeyManagement, { check, ...wrapped }: DataKey, binding: string) {
  const key = await keys.unwrap(wrapped, binding);
  if (check === null || check === checkOf(key, binding)) return key;
  throw keyServiceUnavailable(new Error('another key came back than was wrapped'));
}

/** What is wrapped is opened before it is returned: one that does not open would be there for good. */
export async function wrapDataKey(keys: KeyManagement, key: Buffer, binding: string): Promise<DataKey> {
  const wrapped = { ...(await keys.wrap(key, binding)), check: checkOf(key, binding) };
  await unwrapDataKey(keys, wrapped, binding);
  return wrapped;
}

/** Nothing where it is not any more what was read before: somebody else has wrapped it anew, or it is gone. */
export const rewrapped =
  (secretClass: string, { read, fresh }: { read: DataKey; fresh: DataKey }) =>
  (state: StoredDataKey | null): Decision<StoredDataKey> => {
    if (!state || !isThere(state) || state.wrapped !== read.wrapped) return null;
    const details = { secretClass, keyId: fresh.keyId, formerKeyId: read.keyId };
    return {
      state: fresh,
      events: [event('secret.rewrapped', { id: secretClass, name: secretClass, because: 'requested', details })],
    };
  };

/** With an event for a data key that was there. */
export const destroyed =
  (secretClass: string, at: Date) =>
  (state: StoredDataKey | null): Decision<StoredDataKey> => {
    if (state && !isThere(state)) return null;
    const about = { id: secretClass, name: secretClass, because: 'tenant_deleted', details: { secretClass } } as const;
    return { state: { destroyedAt: at.toISOString() }, events: state ? [event('secret.destroyed', about)] : [] };
  };
