// Envelope encryption of secrets: a data key per tenant and class of secret, wrapped by the key-management service. The additional
// authenticated data binds tenant, class and id, so that a ciphertext moved elsewhere does not open. There is one way to a
// plaintext, and it records `secret.accessed` with who and why before it returns.
import { randomBytes } from 'node:crypto';
import { because, type Cause, type TenantId } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import { type KeyManagement, open, seal, type WrappedKey } from './key-management.ts';

export type SecretRef = { secretClass: string; id: string };
export type Access = { cause: Cause; purpose: string };

export type Vault = ReturnType<typeof createVault>;

export class SecretMissingError extends Error {
  constructor({ secretClass, id }: SecretRef) {
    super(`there is no secret ${secretClass}/${id}`);
    this.name = 'SecretMissingError';
  }
}

const dataKeyCachedMs = 300_000;
const dataKeysCached = 1_000;

export function createVault({ store, keys }: { store: Store; keys: KeyManagement }) {
  const dataKeys = store.collections<WrappedKey>({ name: 'vault_data_keys' });
  const secrets = store.collections<{ secretClass: string; sealed: string }>({ name: 'vault_secrets' });
  const opened = new Map<string, { key: Buffer; keyId: string; until: number }>();

  const bindingOf = (tenantId: TenantId, ...parts: string[]) => JSON.stringify([tenantId, ...parts]);
  const nameOf = ({ secretClass, id }: SecretRef) => `${secretClass}/${id}`;

  async function dataKeyFor(tenantId: TenantId, secretClass: string, cause: Cause) {
    const binding = bindingOf(tenantId, secretClass);
    const known = opened.get(binding);
    if (known && known.until > Date.now()) return known;
    const fresh = await keys.wrap(randomBytes(32), binding);
    // Two instances may race for the first key of a class; both go on with the one that was saved.
    const saved = await dataKeys
      .in(tenantId)
      .change(secretClass, state => (state ? null : { state: fresh, events: [] }), { cause });
    const wrapped = saved?.state ?? fresh;
    const entry = {
      key: await keys.unwrap(wrapped, binding),
      keyId: wrapped.keyId,
      until: Date.now() + dataKeyCachedMs,
    };
    if (opened.size >= dataKeysCached) opened.clear();
    opened.set(binding, entry);
    return entry;
  }

  return {
    /** Stores or replaces a secret. Emits `secret.stored`. */
    async put(tenantId: TenantId, ref: SecretRef, plaintext: string | Uint8Array, cause: Cause): Promise<void> {
      const { key, keyId } = await dataKeyFor(tenantId, ref.secretClass, cause);
      const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
      const sealed = seal(key, bytes, bindingOf(tenantId, ref.secretClass, ref.id)).toString('base64');
      const target = { type: 'secret', id: ref.id, name: ref.secretClass };
      const event = {
        type: 'secret.stored',
        target,
        outcome: 'success',
        reason: because('stored'),
        details: { secretClass: ref.secretClass, keyId },
      } as const;
      await secrets
        .in(tenantId)
        .change(nameOf(ref), () => ({ state: { secretClass: ref.secretClass, sealed }, events: [event] }), { cause });
    },

    /** The plaintext. `secret.accessed` is durable before it is returned. Throws SecretMissingError. */
    async read(tenantId: TenantId, ref: SecretRef, { cause, purpose }: Access): Promise<Buffer> {
      const entry = await secrets.in(tenantId).get(nameOf(ref));
      if (!entry) throw new SecretMissingError(ref);
      const { key } = await dataKeyFor(tenantId, ref.secretClass, cause);
      const plaintext = open(
        key,
        Buffer.from(entry.state.sealed, 'base64'),
        bindingOf(tenantId, ref.secretClass, ref.id),
      );
      const target = { type: 'secret', id: ref.id, name: ref.secretClass };
      const details = { secretClass: ref.secretClass, purpose };
      await store.recordFact(
        tenantId,
        { type: 'secret.accessed', target, outcome: 'success', reason: because(purpose), details },
        cause,
      );
      return plaintext;
    },

    /** Forgets a secret for good. Emits `secret.destroyed`; a second time changes nothing. */
    async destroy(tenantId: TenantId, ref: SecretRef, cause: Cause): Promise<void> {
      const removed = await secrets.in(tenantId).take(nameOf(ref));
      if (!removed) return;
      const target = { type: 'secret', id: ref.id, name: ref.secretClass };
      await store.recordFact(
        tenantId,
        {
          type: 'secret.destroyed',
          target,
          outcome: 'success',
          reason: because('destroyed'),
          details: { secretClass: ref.secretClass },
        },
        cause,
      );
    },
  };
}
