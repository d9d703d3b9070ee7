// Envelope encryption of secrets: a data key per tenant and class of secret, wrapped by the key-management service. The
// additional authenticated data binds tenant, class and id, so that a ciphertext moved elsewhere does not open. There
// is one way to a plaintext, and it records `secret.accessed` with who and why before it returns.
import { randomBytes } from 'node:crypto';
import { type Cause, event, ProblemError, platformTenantId, type SecretPurpose, type TenantId } from '@reeve/contracts';
import { collection, type Store } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import {
  allClasses,
  bindingOf,
  dataKeys,
  destroyed,
  isThere,
  type StoredDataKey,
  unwrapDataKey,
  wrapDataKey,
} from './data-key.ts';
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
export const secrets = collection<Secret>({
  name: 'vault_secrets',
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ destroyedAt }) => destroyedAt,
});

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

  const tenantIsGone = () => new ProblemError('not_found', 'the secrets of this tenant were destroyed');

  async function openDataKey({ tenantId, secretClass, cause }: Wanted) {
    const binding = bindingOf(tenantId, secretClass);
    const ofTenant = wrappedKeys.in(tenantId);
    const opening = async (state: StoredDataKey) => {
      if (!isThere(state)) throw tenantIsGone();
      return { key: await unwrapDataKey(keys, state, binding), keyId: state.keyId };
    };
    const known = await ofTenant.get(secretClass);
    if (known) return opening(known.state);
    const fresh = await wrapDataKey(keys, randomBytes(keyBytes), binding);
    // Two instances may race for the first key of a class; both go on with the one that was saved.
    const saved = await ofTenant.change(secretClass, state => (state ? null : { state: fresh, events: [] }), { cause });
    // Whoever destroys the keys of the tenant says so first, and then looks which there are: it finds this one, or we
    // find that.
    if (await ofTenant.get(allClasses)) {
      await ofTenant.change(secretClass, destroyed(secretClass, store.clock.now()), { cause });
      throw tenantIsGone();
    }
    return opening(saved?.state ?? fresh);
  }

  async function dataKeyFor(tenantId: TenantId, secretClass: string, cause: Cause) {
    const context = { tenantId, secretClass, cause };
    return opened.forceFetch(bindingOf(tenantId, secretClass), { context });
  }

  /** Without an event: that of the data key tells of all of them. */
  async function erase(tenantId: TenantId, name: string, cause: Cause): Promise<void> {
    const destroyedAt = store.clock.now();
    const gone = (state: Secret | null) => state && { state: { ...state, sealed: null, destroyedAt }, events: [] };
    await stored.in(tenantId).change(name, gone, { cause });
  }

  return {
    /** Stores or replaces a secret. Emits `secret.stored`. Rejects with `not_found` for a tenant that was deleted. */
    async put(tenantId: TenantId, ref: SecretRef, plaintext: string | Uint8Array, cause: Cause): Promise<void> {
      const { secretClass } = ref;
      const { key, keyId } = await dataKeyFor(tenantId, secretClass, cause);
      const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
      const sealed = seal(key, bytes, bindingOf(tenantId, secretClass, ref.id)).toString('base64');
      const details = { secretClass, keyId };
      const happened = event('secret.stored', { ...targetOf(ref), because: 'stored', details });
      const decide = () => ({ state: { secretClass, sealed, destroyedAt: null }, events: [happened] });
      await stored.in(tenantId).change(nameOf(ref), decide, { cause });
      // The tenant may have been deleted meanwhile, and the data key be open here alone.
      const kept = await wrappedKeys.in(tenantId).get(secretClass);
      if (kept && isThere(kept.state)) return;
      await erase(tenantId, nameOf(ref), cause);
      opened.delete(bindingOf(tenantId, secretClass));
      throw tenantIsGone();
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

    /**
     * Destroys the data keys of a tenant and all that is sealed by them, for good: none is made for it any more. Emits
     * `secret.destroyed` for each data key; a second time finds nothing. What another instance has open it forgets
     * within five minutes, and there is nothing left that it would open.
     */
    async destroyTenant(tenantId: TenantId, cause: Cause): Promise<void> {
      if (tenantId === platformTenantId) throw new TypeError('the platform is not deleted');
      const ofTenant = wrappedKeys.in(tenantId);
      const at = store.clock.now();
      await ofTenant.change(allClasses, destroyed(allClasses, at), { cause });
      for await (const { id } of ofTenant.all('inOrder', {})) {
        await ofTenant.change(id, destroyed(id, at), { cause });
        opened.delete(bindingOf(tenantId, id));
      }
      for await (const { id } of stored.in(tenantId).all('inOrder', {})) await erase(tenantId, id, cause);
    },
  };
}
