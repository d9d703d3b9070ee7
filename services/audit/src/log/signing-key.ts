// The key that signs what is said of logs: made once, kept in the vault under the platform's tenant, the same for
// every instance. Public keys are kept for good, since what an old one signed has to verify for as long as somebody
// holds it.
import type { KeySet } from '@reeve/audit-log';
import { event, newEventId, platformTenantId, serviceCause } from '@reeve/contracts';
import { type Contents, collection, type Store } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

export type SigningKey = JWK & { kid: string };
export type SigningKeys = ReturnType<typeof createSigningKeys>;

const currentKeys = collection<{ keyId: string }>({ name: 'audit_signing_keys' });
const publishedKeys = collection<{ jwk: SigningKey; since: string }>({
  name: 'audit_public_keys',
  queries: { inOrder: { equality: [] } },
});

export const signingKeyCollections = [currentKeys, publishedKeys] satisfies Contents['collections'];

const secretClass = 'audit-signing-key';
const use = 'checkpoints';

async function newKey(): Promise<{ whole: SigningKey; publicPart: SigningKey }> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const { d: _, ...publicPart } = jwk;
  return { whole: { ...jwk, kid }, publicPart: { ...publicPart, kid, alg: 'EdDSA', use: 'sig' } };
}

export function createSigningKeys({ store, vault }: { store: Store; vault: Vault }) {
  const current = store.collection(currentKeys).in(platformTenantId);
  const published = store.collection(publishedKeys).in(platformTenantId);
  let loaded: SigningKey | undefined;

  /**
   * Two instances may start at once: each stores a key, one is chosen, the other is removed before it signed anything.
   */
  async function create(): Promise<string> {
    const cause = serviceCause('audit', { correlationId: newEventId() });
    const { whole, publicPart } = await newKey();
    const { kid: keyId } = whole;
    await vault.put(platformTenantId, { secretClass, id: keyId }, JSON.stringify(whole), cause);
    await published.put(keyId, { jwk: publicPart, since: store.clock.now().toISOString() });
    const details = { keyId, algorithm: 'EdDSA' };
    const rotated = event('signing_key.rotated', { id: keyId, name: use, because: 'first_start', details });
    const decide = (chosen: { keyId: string } | null) => (chosen ? null : { state: { keyId }, events: [rotated] });
    const chosen = await current.change(use, decide, { cause });
    if (!chosen) throw new Error('a signing key could not be stored');
    if (chosen.state.keyId === keyId) return keyId;
    await vault.destroy(platformTenantId, { secretClass, id: keyId }, cause);
    await published.remove(keyId);
    return chosen.state.keyId;
  }

  return {
    async load(): Promise<void> {
      const id = (await current.get(use))?.state.keyId ?? (await create());
      const access = { cause: serviceCause('audit', { correlationId: newEventId() }), purpose: 'start' } as const;
      const secret = await vault.read(platformTenantId, { secretClass, id }, access);
      loaded = JSON.parse(secret.toString('utf8')) as SigningKey;
    },

    /** Throws before `load` has ended. */
    current(): SigningKey {
      if (!loaded) throw new Error('the signing key is not loaded yet');
      return loaded;
    },

    async published(): Promise<KeySet> {
      const keys: JWK[] = [];
      for await (const { state } of published.all('inOrder', {})) keys.push(state.jwk);
      return { keys };
    },
  };
}
