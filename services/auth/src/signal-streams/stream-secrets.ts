// The `authorization_header` by which a push shows the receiver that it comes from us: the receiver's secret. It is
// kept with the address that it came with, and given out for no other: a stream is changed in another write than its
// secret.
import type { Cause, TenantId } from '@reeve/contracts';
import type { Vault } from '@reeve/vault';

const secretClass = 'signal-stream-authorization';

type Of = { tenantId: TenantId; streamId: string; cause: Cause };
type Kept = { header: string; endpointUrl: string };

export type StreamSecrets = ReturnType<typeof createStreamSecrets>;

export const createStreamSecrets = ({ vault }: { vault: Vault }) => ({
  put: ({ tenantId, streamId: id, cause }: Of, kept: Kept): Promise<void> =>
    vault.put(tenantId, { secretClass, id }, JSON.stringify(kept), cause),

  /** Throws where the stream is about to go, or has just gone, to another address. */
  async read({ tenantId, streamId: id, cause }: Of, endpointUrl: string): Promise<string> {
    const secret = await vault.read(tenantId, { secretClass, id }, { cause, purpose: 'deliver_signals' });
    const kept = JSON.parse(secret.toString('utf8')) as Kept;
    if (kept.endpointUrl !== endpointUrl) throw new Error('the header of the stream is for another address');
    return kept.header;
  },

  destroy: ({ tenantId, streamId: id, cause }: Of): Promise<void> =>
    vault.destroy(tenantId, { secretClass, id }, cause),
});
