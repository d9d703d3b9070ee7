// Whoever is in a group that was deleted leaves it, in whatever number, and also where the process that deleted it has
// ended since. Delivered twice it finds nobody and changes nothing.
import { type Id, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import { leave, type Users } from '../users/user.ts';

export const emptyDeletedGroups = ({ users, clock }: { users: Users; clock: Clock }): Handlers => ({
  async 'group.deleted'({ id: causationId, tenantId, correlationId, data: { target: group } }) {
    const cause = serviceCause('provisioning', { correlationId, causationId });
    const own = users.in(tenantId);
    for await (const { id } of own.all('byGroup', { groups: group.id })) {
      const whom = { tenantId, id: id as Id<'user'>, at: clock.now() };
      await own.change(id, user => user && leave(whom, user, group, 'group_deleted'), { cause });
    }
  },
});
