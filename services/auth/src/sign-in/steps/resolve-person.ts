import { event } from '@reeve/contracts';
import type { Clock, Store } from '@reeve/store';
import { domainOf } from '../../domains/domain-name.ts';
import type { EnforceDomain } from '../../home-realm/enforce-domain.ts';
import { type ConnectionParts, connectionOf } from '../connection-of.ts';
import type { IdentityResolver } from '../identity-resolver.ts';
import { known } from '../known.ts';
import type { Step } from '../step.ts';

type Parts = ConnectionParts & {
  identities: Pick<IdentityResolver, 'resolve'>;
  enforceDomain: EnforceDomain;
  store: Pick<Store, 'recordFact'>;
  clock: Clock;
};

/** Which user of the tenant that is. */
export const resolvePerson =
  ({ identities, enforceDomain, store, clock, ...parts }: Parts): Step =>
  async ({ signIn, cause }) => {
    const lookedUpAt = clock.now().toISOString();
    const { connection, at } = await connectionOf(parts, signIn, cause);
    const { tenantId, id: connectionId } = at;
    const { issuer, subject, email, emailVerified, displayName } = known(signIn.identity);
    await enforceDomain.assertHere({ tenantId, connectionId, email });
    const domain = domainOf(email);
    const domainOwned = domain !== null && (await parts.connections.speakerFor(tenantId, domain)) === connectionId;
    const { ip, userAgent } = cause.context;
    const { created, ...person } = await identities.resolve({
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
    // Whose address it is here counts, whatever the provider says of it.
    const { isBreakGlass } = await enforceDomain.assertHere({ tenantId, connectionId, email: person.email });
    if (isBreakGlass) {
      const { userId, displayName: name } = person;
      const used = event('sign_in.break_glass_used', {
        id: userId,
        name,
        because: 'enforced_elsewhere',
        details: { userId },
      });
      await store.recordFact(tenantId, used, cause);
    }
    const seen = { userId: person.userId, created, domainOwned, justInTime: connection.jit.enabled };
    return { next: 'second-factor', learnt: { person: { ...person, lookedUpAt, isNew: created } }, seen };
  };
