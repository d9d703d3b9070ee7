// Envelope encryption of secrets: a data key per tenant and class of secret, wrapped by the key-management service. The
// additional authenticated data binds tenant, class and id, so that a ciphertext moved elsewhere does not open. There
// is one way to a plaintext, and it records `secret.accessed` with who and why before it returns.
import { randomBytes } from 'node:crypto';
import { type Cause, event, type SecretPurpose, type TenantId } from '@reeve/contracts';
import { collection, type Store } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import { type KeyManagement, open, seal, type WrappedKey } from './key-management.ts';

export type SecretRef = { secretClass: string; id: string };
export type Access = { cause: Cause; purpose: SecretPurpose };

export type Vault = ReturnType<typeof createVault>;

export class SecretMissingError extends Error {
  constructor({ secretClass, id }: SecretRef) {
    super(`there is no secret ${secretClass}/${id}`);
    this.name = 'SecretMissingError';
  }
}

/** What is destroyed keeps its place, without the ciphertext, until its event is published. */
type Secret = { secretClass: string; sealed: string | null; destroyedAt: Date | null };

const dataKeyCachedMs = 300_000;
const dataKeysCached = 1_000;

const dataKeys = collection<WrappedKey>({ name: 'vault_data_keys' });
/** Shown to the tests of the package alone. */
export const secrets = collection<Secret>({ name: 'vault_secrets', expiresAt: ({ destroyedAt }) => destroyedAt });

/** What a vault keeps in the store of its service. */
export const vaultCollections = [dataKeys, secrets];

export function createVault({ store, keys }: { store: Store; keys: KeyManagement }) {
  const wrappedKeys = store.collection(dataKeys);
  const stored = store.collection(secrets);
  const opened = new LRUCache<string, { key: Buffer; keyId: string }>({ max: dataKeysCached, ttl: dataKeyCachedMs });
  const bindingOf = (tenantId: TenantId, ...parts: string[]) => JSON.stringify([tenantId, ...parts]);
  const nameOf = ({ secretClass, id }: SecretRef) => `${secretClass}/${id}`;
  const targetOf = ({ secretClass, id }: SecretRef) => ({ id, name: secretClass });

  async function dataKeyFor(tenantId: TenantId, secretClass: string, cause: Cause) {
    const binding = bindingOf(tenantId, secretClass);
    const known = opened.get(binding);
    if (known) return known;
    const fresh = await keys.wrap(randomBytes(32), binding);
    // Two instances may race for the first key of a class; both go on with the one that was saved.
    const saved = await wrappedKeys
      .in(tenantId)
      .change(secretClass, state => (state ? null : { state: fresh, events: [] }), { cause });
    const wrapped = saved?.state ?? fresh;
    const dataKey = { key: await keys.unwrap(wrapped, binding), keyId: wrapped.keyId };
    opened.set(binding, dataKey);
    return dataKey;
  }

  return {
    /** Stores or replaces a secret. Emits `secret.stored`. */
    async put(tenantId: TenantId, ref: SecretRef, plaintext: string | Uint8Array, cause: Cause): Promise<void> {
      const { secretClass } = ref;
      const { key, keyId } = await dataKeyFor(tenantId, secretClass, cause);
      const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
      const sealed = seal(key, bytes, bindingOf(tenantId, secretClass, ref.id)).toString('base64');
      const details = { secretClass, keyId };
      const happened = event('secret.stored', { ...targetOf(ref), because: 'stored', details });
      const decide = () => ({ state: { secretClass, sealed, destroyedAt: null }, events: [happened] });
      await stored.in(tenantId).change(nameOf(ref), decide, { cause });
    },

    /** The plaintext. `secret.accessed` is durable before it is returned. Throws SecretMissingError. */
    async read(tenantId: TenantId, ref: SecretRef, { cause, purpose }: Access): Promise<Buffer> {
      const { secretClass } = ref;
      const sealed = (await stored.in(tenantId).get(nameOf(ref)))?.state.sealed;
      if (typeof sealed !== 'string') throw new SecretMissingError(ref);
      const { key } = await dataKeyFor(tenantId, secretClass, cause);
      const plaintext = open(key, Buffer.from(sealed, 'base64'), bindingOf(tenantId, secretClass, ref.id));
      const details = { secretClass, purpose };
      const happened = event('secret.accessed', { ...targetOf(ref), because: purpose, details });
      await store.recordFact(tenantId, happened, cause);
      return plaintext;
    },

    /** Forgets a secret for good. Emits `secret.destroyed`; a second time changes nothing. */
    async destroy(tenantId: TenantId, ref: SecretRef, cause: Cause): Promise<void> {
      const { secretClass } = ref;
      const happened = event('secret.destroyed', { ...targetOf(ref), because: 'destroyed', details: { secretClass } });
      const gone = { secretClass, sealed: null, destroyedAt: store.clock.now() };
      const decide = (state: Secret | null) => state && { state: gone, events: [happened] };
      await stored.in(tenantId).change(nameOf(ref), decide, { cause });
    },
  };
}
