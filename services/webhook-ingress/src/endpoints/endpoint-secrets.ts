// An endpoint's secrets, in the vault. Verifying needs them at every delivery: a process reads each once and keeps it for a while, so
// `secret.accessed` tells which process got hold of it, and a storm of deliveries is not a storm of events.
import { type Cause, emptyContext, newEventId, newId, type TenantId } from '@reeve/contracts';
import type { Vault } from '@reeve/vault';
import { newStandardSecret } from '@reeve/webhook-signatures';

const secretClass = 'webhook-secret';
const keptMs = 300_000;
const keptSecrets = 50_000;

export type EndpointSecrets = ReturnType<typeof createEndpointSecrets>;

export function createEndpointSecrets({ vault }: { vault: Vault }) {
  const kept = new Map<string, { secret: string; until: number }>();
  const cause = (): Cause => ({
    actor: { type: 'service', id: 'webhook-ingress', name: null, via: 'system' },
    context: emptyContext,
    correlationId: newEventId(),
  });

  return {
    /** Makes a secret and stores it. The plaintext is for showing once. */
    async create(tenantId: TenantId, why: Cause): Promise<{ id: string; secret: string }> {
      const id = newId('secret');
      const secret = newStandardSecret();
      await vault.put(tenantId, { secretClass, id }, secret, why);
      return { id, secret };
    },

    async read(tenantId: TenantId, id: string): Promise<string> {
      const key = `${tenantId} ${id}`;
      const known = kept.get(key);
      if (known && known.until > Date.now()) return known.secret;
      const secret = (
        await vault.read(tenantId, { secretClass, id }, { cause: cause(), purpose: 'verify_deliveries' })
      ).toString('utf8');
      if (kept.size >= keptSecrets) kept.clear();
      kept.set(key, { secret, until: Date.now() + keptMs });
      return secret;
    },
  };
}
