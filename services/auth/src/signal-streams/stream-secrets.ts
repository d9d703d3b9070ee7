// The `authorization_header` by which a push shows the receiver that it comes from us: the receiver's secret.
import type { Cause, TenantId } from '@reeve/contracts';
import type { Vault } from '@reeve/vault';

const secretClass = 'signal-stream-authorization';

type Of = { tenantId: TenantId; streamId: string; cause: Cause };

export type StreamSecrets = ReturnType<typeof createStreamSecrets>;

export const createStreamSecrets = ({ vault }: { vault: Vault }) => ({
  put: ({ tenantId, streamId: id, cause }: Of, header: string): Promise<void> =>
    vault.put(tenantId, { secretClass, id }, header, cause),

  async read({ tenantId, streamId: id, cause }: Of): Promise<string> {
    const secret = await vault.read(tenantId, { secretClass, id }, { cause, purpose: 'deliver_signals' });
    return secret.toString('utf8');
  },

  destroy: ({ tenantId, streamId: id, cause }: Of): Promise<void> =>
    vault.destroy(tenantId, { secretClass, id }, cause),
});
