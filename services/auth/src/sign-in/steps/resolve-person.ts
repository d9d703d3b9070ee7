import type { Clock } from '@reeve/store';
import { type ConnectionParts, connectionOf } from '../connection-of.ts';
import type { ResolveIdentity } from '../identity-resolver.ts';
import { known } from '../known.ts';
import type { Step } from '../step.ts';

type Parts = ConnectionParts & { resolveIdentity: ResolveIdentity; clock: Clock };

/** Which user of the tenant that is. */
export const resolvePerson =
  ({ resolveIdentity, clock, ...parts }: Parts): Step =>
  async ({ signIn, cause }) => {
    const lookedUpAt = clock.now().toISOString();
    const { connection, at } = await connectionOf(parts, signIn, cause);
    const { tenantId, id: connectionId } = at;
    const { issuer, subject, email, emailVerified, displayName } = known(signIn.identity);
    const domainOwned = email !== null && (await parts.connections.speaksFor(tenantId, connectionId, email));
    const { ip, userAgent } = cause.context;
    const { created: _, ...person } = await resolveIdentity({
      tenantId,
      connectionId,
      issuer,
      subject,
      email,
      emailVerified: emailVerified ?? connection.trustEmail,
      domainOwned,
      displayName,
      jit: connection.jit,
      origin: { correlationId: cause.correlationId, ip, userAgent },
    });
    return { next: 'begin-session', learnt: { person: { ...person, lookedUpAt } } };
  };
