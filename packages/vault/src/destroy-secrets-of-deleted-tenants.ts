import { serviceCause } from '@reeve/contracts';
import { type Handlers, PoisonMessageError } from '@reeve/event-bus';
import type { Vault } from './vault.ts';

/** Who owns tenants. Others may write to the topic, and what this does nobody can undo. */
const owner = '/reeve/provisioning';

/** Crypto-shredding: without its data keys, nothing of a deleted tenant opens that was kept elsewhere. */
export function destroySecretsOfDeletedTenants({ vault, service }: { vault: Vault; service: string }): Handlers {
  return {
    async 'tenant.deleted'({ id: causationId, source, tenantId, correlationId }) {
      if (source !== owner) throw new PoisonMessageError('source_invalid', `only ${owner} deletes tenants`);
      await vault.destroyTenant(tenantId, serviceCause(service, { correlationId, causationId }));
    },
  };
}
