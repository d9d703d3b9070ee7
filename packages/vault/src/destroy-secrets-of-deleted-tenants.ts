import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Vault } from './vault.ts';

/** Crypto-shredding: without its data keys, nothing of a deleted tenant opens that was kept elsewhere. */
export function destroySecretsOfDeletedTenants({ vault, service }: { vault: Vault; service: string }): Handlers {
  return {
    async 'tenant.deleted'({ id: causationId, tenantId, correlationId }) {
      await vault.destroyTenant(tenantId, serviceCause(service, { correlationId, causationId }));
    },
  };
}
