// Somebody who has consented and was sent to the third party, until they return. Bound to the browser that they left
// from, and used once.
import type { Id, TenantId } from '@reeve/contracts';
import type { Pending } from '@reeve/relying-party';
import { type PlatformRecords, platformRecords } from '@reeve/store';

export type PendingConnection = {
  browserSessionId: string;
  tenantId: TenantId;
  installationId: Id<'installation'>;
  consentId: Id<'consent'>;
  /** The answer that this goes back to: another one since then makes it void. */
  consentVersion: number;
  pending: Pending;
};

export type PendingConnections = PlatformRecords<PendingConnection>;

export const pendingConnections = platformRecords<PendingConnection>({
  name: 'pending_connections',
  reason: 'a third party returns nothing but `state`',
});

export const pendingConnectionMs = 600_000;
