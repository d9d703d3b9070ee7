// Envelope encryption of secrets: a data key per tenant and class of secret, wrapped by the key-management service. The
// additional authenticated data binds tenant, class and id, so that a ciphertext moved elsewhere does not open. There
// is one way to a plaintext, and it records `secret.accessed` with who and why before it returns.
import { randomBytes } from 'node:crypto';
import { type Cause, event, type SecretPurpose, type TenantId } from '@reeve/contracts';
import { collection, type Store } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import { bindingOf, dataKeys, unwrapDataKey, wrapDataKey } from './data-key.ts';
import type { KeyManagement } from './key-management.ts';
import { keyBytes, open, seal } from './sealing.ts';

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

/** Shown to the tests of the package alone. */
export const secrets = collection<Secret>({ name: 'vault_secrets', expiresAt: ({ destroyedAt }) => destroyedAt });

/** What a vault keeps in the store of its service. */
export const vaultCollections = [dataKeys, secrets];

export function createVault({ store, keys }: { store: Store; keys: KeyManagement }) {
  const wrappedKeys = store.collection(dataKeys);
  const stored = store.collection(secrets);
  type Wanted = { tenantId: TenantId; secretClass: string; cause: Cause };
  /** Many who come at once for one that is not open ask for it once. */
  const opened = new LRUCache<string, { key: Buffer; keyId: string }, Wanted>({
    max: dataKeysCached,
    ttl: dataKeyCachedMs,
    ignoreFetchAbort: true,
    fetchMethod: (_binding, _stale, { context }) => openDataKey(context),
  });
  const nameOf = ({ secretClass, id }: SecretRef) => `${secretClass}/${id}`;
  const targetOf = ({ secretClass, id }: SecretRef) => ({ id, name: secretClass });

  async function openDataKey({ tenantId, secretClass, cause }: Wanted) {
    const binding = bindingOf(tenantId, secretClass);
    const ofTenant = wrappedKeys.in(tenantId);
    const known = await ofTenant.get(secretClass);
    if (known) return { key: await unwrapDataKey(keys, known.state, binding), keyId: known.state.keyId };
    const fresh = randomBytes(keyBytes);
    const wrapped = await wrapDataKey(keys, fresh, binding);
    // Two instances may race for the first key of a class; both go on with the one that was saved.
    const saved = await ofTenant.change(secretClass, state => (state ? null : { state: wrapped, events: [] }), {
      cause,
    });
    const state = saved?.state ?? wrapped;
    return {
      key: state.wrapped === wrapped.wrapped ? fresh : await unwrapDataKey(keys, state, binding),
      keyId: state.keyId,
    };
  }

  async function dataKeyFor(tenantId: TenantId, secretClass: string, cause: Cause) {
    const context = { tenantId, secretClass, cause };
    return opened.forceFetch(bindingOf(tenantId, secretClass), { context });
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
