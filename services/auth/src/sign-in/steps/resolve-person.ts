import { event } from '@reeve/contracts';
import type { Clock, Store } from '@reeve/store';
import type { EnforceDomain } from '../../home-realm/enforce-domain.ts';
import { type ConnectionParts, connectionOf } from '../connection-of.ts';
import type { IdentityResolver } from '../identity-resolver.ts';
import { known } from '../known.ts';
import { questionOf } from '../question-of.ts';
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
    const identity = known(signIn.identity);
    await enforceDomain.assertHere({ tenantId, connectionId, email: identity.email });
    const question = await questionOf(parts.connections, { ...at, connection, identity }, cause);
    const { created, ...person } = await identities.resolve(question);
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
    const seen = {
      userId: person.userId,
      created,
      domainOwned: question.domainOwned,
      justInTime: connection.jit.enabled,
    };
    return { next: 'second-factor', learnt: { person: { ...person, lookedUpAt, isNew: created } }, seen };
  };
