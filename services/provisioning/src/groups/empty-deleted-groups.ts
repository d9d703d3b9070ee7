// Whoever is in a group that was deleted leaves it, in whatever number, and also where the process that deleted it has
// ended since, or one that brought somebody in at that moment. Delivered twice it finds nobody and changes nothing.
import { type Id, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import { leave, type Users } from '../users/user.ts';
import type { Groups } from './group.ts';

type Parts = { users: Users; groups: Groups; clock: Clock };
type Told = { id: string; tenantId: TenantId; correlationId: string };
type InGroup = { id: string; name: string | null };

export function emptyDeletedGroups({ users, groups, clock }: Parts): Handlers {
  async function takeOut({ id: causationId, tenantId, correlationId }: Told, id: Id<'user'>, group: InGroup) {
    const cause = serviceCause('provisioning', { correlationId, causationId });
    const whom = { tenantId, id, at: clock.now() };
    await users.in(tenantId).change(id, user => user && leave(whom, user, group, 'group_deleted'), { cause });
  }

  return {
    async 'group.deleted'({ data: { target: group }, ...told }) {
      for await (const { id } of users.in(told.tenantId).all('byGroup', { groups: group.id }))
        await takeOut(told, id as Id<'user'>, group);
    },

    // Whoever came last may have come after the group was emptied.
    async 'membership.added'({ data: { target: group, details }, ...told }) {
      if (details.userId === undefined || (await groups.in(told.tenantId).get(group.id))) return;
      await takeOut(told, details.userId, group);
    },
  };
}
