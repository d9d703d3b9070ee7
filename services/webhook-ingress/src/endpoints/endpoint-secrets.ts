// An endpoint's secrets, in the vault, as those who administer it see them. Verifying deliveries reads them in
// receivers.ts.
import { type Cause, invalidField, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { keyOf, newSecret, type SchemeName, SecretFormError, type SignatureSettings } from '@reeve/webhook-signatures';

export type SecretUse = { lastUsedAt: string };

/** Apart from the endpoint, which need not change for it. */
export const secretUses = collection<SecretUse>({ name: 'webhook_secret_uses' });

export const secretClass = 'webhook-secret';

type Wanted = {
  id: string;
  scheme: SchemeName;
  signature: SignatureSettings | null;
  /** Undefined for one that is to be made here. */
  given: string | undefined;
  /** Of the request, for a complaint. */
  field: string;
};

export type EndpointSecrets = ReturnType<typeof createEndpointSecrets>;

export function createEndpointSecrets({ vault, uses }: { vault: Vault; uses: Collections<SecretUse> }) {
  return {
    /**
     * Stores the secret that the partner signs with, or makes one. Returns what the caller sees once: null for a secret
     * that it brought itself. Throws `input_invalid` naming `field` for one that the scheme cannot use.
     */
    async create(
      tenantId: TenantId,
      { id, scheme, signature, given, field }: Wanted,
      cause: Cause,
    ): Promise<string | null> {
      const secret = given ?? newSecret(scheme, signature);
      if (secret === null)
        throw invalidField(field, `is needed: with ${scheme} the partner makes the key and gives you its public part`);
      try {
        keyOf(scheme, secret, { use: 'verify', settings: signature });
      } catch (error) {
        throw error instanceof SecretFormError ? invalidField(field, error.message) : error;
      }
      await vault.put(tenantId, { secretClass, id }, secret, cause);
      return given === undefined ? secret : null;
    },

    /** Forgets secrets that no endpoint has. */
    async discard(tenantId: TenantId, ids: readonly string[], cause: Cause): Promise<void> {
      for (const id of ids) await vault.destroy(tenantId, { secretClass, id }, cause);
    },

    /** The secret itself, to sign a test event with. */
    async read(tenantId: TenantId, id: string): Promise<string> {
      const cause = serviceCause('webhook-ingress', { correlationId: newEventId() });
      return (await vault.read(tenantId, { secretClass, id }, { cause, purpose: 'sign_test_event' })).toString('utf8');
    },

    async lastUsed(tenantId: TenantId, ids: readonly string[]): Promise<Map<string, string>> {
      const found = await uses.in(tenantId).getAll(ids);
      return new Map(found.map(({ id, state }) => [id, state.lastUsedAt]));
    },
  };
}
