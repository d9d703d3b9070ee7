// What provisioning is asked about somebody whom a connection's provider has vouched for.
import type { Cause, Id, ResolveIdentityRequest, TenantId } from '@reeve/contracts';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { MappedIdentity } from '../connections/mapping.ts';
import { domainOf } from '../domains/domain-name.ts';

type Said = Pick<MappedIdentity, 'issuer' | 'subject' | 'email' | 'emailVerified' | 'displayName' | 'person'>;
type Come = { tenantId: TenantId; id: Id<'connection'>; connection: Connection; identity: Said };

export async function questionOf(
  connections: Pick<ConnectionDirectory, 'speakerFor'>,
  { tenantId, id: connectionId, connection, identity }: Come,
  { context, correlationId }: Cause,
): Promise<ResolveIdentityRequest> {
  const { issuer, subject, email, emailVerified, displayName, person } = identity;
  const domain = domainOf(email);
  const { ip, userAgent } = context;
  return {
    tenantId,
    connectionId,
    issuer,
    subject,
    email,
    emailVerified: emailVerified ?? connection.trustEmail,
    domainOwned: domain !== null && (await connections.speakerFor(tenantId, domain)) === connectionId,
    displayName,
    ...(person ? { person } : {}),
    jit: connection.jit,
    origin: { correlationId, ip, userAgent },
  };
}
