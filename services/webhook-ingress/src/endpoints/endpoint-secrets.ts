// An endpoint's secrets, in the vault. Verifying needs them at every delivery: a process reads each once and keeps its key for a while, so
// `secret.accessed` tells which process got hold of it, and a storm of deliveries is not a storm of events.
import { type Cause, invalidField, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import {
  keyOf,
  newSecret,
  type SchemeName,
  SecretFormError,
  type SignatureSettings,
  type SigningKey,
} from '@reeve/webhook-signatures';
import { LRUCache } from 'lru-cache';

type Scheme = { scheme: SchemeName; signature: SignatureSettings | null };

const secretClass = 'webhook-secret';
const keptMs = 300_000;
const useNotedEveryMs = 60_000;

export type EndpointSecrets = ReturnType<typeof createEndpointSecrets>;

export function createEndpointSecrets({ vault, store }: { vault: Vault; store: Store }) {
  const uses = store.collections<{ lastUsedAt: string }>({ name: 'webhook_secret_uses' });
  const keys = new LRUCache<string, SigningKey>({ max: 20_000, ttl: keptMs });
  const noted = new LRUCache<string, true>({ max: 20_000, ttl: useNotedEveryMs });

  async function read(tenantId: TenantId, id: string, purpose: string): Promise<string> {
    const cause = serviceCause('webhook-ingress', { correlationId: newEventId() });
    return (await vault.read(tenantId, { secretClass, id }, { cause, purpose })).toString('utf8');
  }

  return {
    /**
     * Stores the secret that the partner signs with, or makes one. `shown` is what the caller sees once: null for a secret that it
     * brought itself. Throws `input_invalid` naming `field` for one that the scheme cannot use.
     */
    async create(
      tenantId: TenantId,
      { scheme, signature, given, field }: Scheme & { given: string | undefined; field: string },
      why: Cause,
    ): Promise<{ id: string; shown: string | null }> {
      const secret = given ?? newSecret(scheme, signature);
      const refuse = (message: string) => invalidField(field, message);
      if (secret === null)
        throw refuse(`is needed: with ${scheme} the partner makes the key and gives you its public part`);
      try {
        keyOf(scheme, secret, { use: 'verify', settings: signature });
      } catch (error) {
        if (error instanceof SecretFormError) throw refuse(error.message);
        throw error;
      }
      const id = newId('secret');
      await vault.put(tenantId, { secretClass, id }, secret, why);
      return { id, shown: given === undefined ? secret : null };
    },

    /** The key that verifies. */
    async key(tenantId: TenantId, id: string, { scheme, signature }: Scheme): Promise<SigningKey> {
      const known = keys.get(id);
      if (known) return known;
      const secret = await read(tenantId, id, 'verify_deliveries');
      const key = keyOf(scheme, secret, { use: 'verify', settings: signature });
      keys.set(id, key);
      return key;
    },

    /** The secret itself, to sign a test event with. */
    secret: (tenantId: TenantId, id: string) => read(tenantId, id, 'sign_test_event'),

    /** Notes that a delivery was signed with it: at most once a minute, and nobody waits for it. */
    used(tenantId: TenantId, id: string, at: Date) {
      if (noted.has(id)) return;
      noted.set(id, true);
      uses
        .in(tenantId)
        .put(id, { lastUsedAt: at.toISOString() })
        .catch(() => noted.delete(id));
    },

    async lastUsed(tenantId: TenantId, ids: readonly string[]): Promise<Map<string, string>> {
      const found = await Promise.all(
        ids.map(async id => [id, (await uses.in(tenantId).get(id))?.state.lastUsedAt] as const),
      );
      return new Map(found.flatMap(([id, at]) => (at === undefined ? [] : [[id, at] as const])));
    },
  };
}
