import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import { type ApplicationGrants, type GrantId, withdraw } from './application-grant.ts';

/** Whoever is gone allows nothing any more. A second time finds nothing. */
export const withdrawGrantsOfDeletedPeople = ({
  grants,
  clock,
}: {
  grants: ApplicationGrants;
  clock: Clock;
}): Handlers => ({
  async 'user.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
    const cause = serviceCause('auth', { correlationId, causationId });
    const own = grants.in(tenantId);
    for await (const { id } of own.all('byUser', { userId: target.id }))
      await own.change(
        id,
        grant => grant && withdraw(id as GrantId, grant, { because: 'user_deleted', at: clock.now() }),
        { cause },
      );
  },
});
