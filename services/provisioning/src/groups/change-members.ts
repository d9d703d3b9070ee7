// One person at a time comes or goes, each in one write of their own.
import { type Id, ProblemError, type TenantId } from '@reeve/contracts';
import { changeExisting, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { join, leave, type Users } from '../users/user.ts';
import type { Groups } from './group.ts';

type Parts = { groups: Groups; users: Users; clock: Clock };

const common = {
  path: '/v1/tenants/{tenantId}/groups/{groupId}/members/{userId}',
  action: 'groups:write',
  status: 204,
} as const;

/** Who is to come or go, and where. Throws `not_found` for a group that is not there. */
async function about(
  { groups, clock }: Parts,
  tenantId: TenantId,
  { groupId, userId }: { groupId: Id<'group'>; userId: Id<'user'> },
) {
  const { state } = await readExisting(groups.in(tenantId), groupId);
  return { whom: { tenantId, id: userId, at: clock.now() }, group: { id: groupId, name: state.name } };
}

export const addMember = (parts: Parts) =>
  tenantRoute({
    ...common,
    method: 'put',
    summary: 'Add a user to a group',
    async handle({ tenantId, params, cause }) {
      const { whom, group } = await about(parts, tenantId, params);
      const own = parts.users.in(tenantId);
      await changeExisting(own, whom.id, user => join(whom, user, group), { cause });
      // Where it was deleted since it was read, everybody may have left before this one came.
      if (!(await parts.groups.in(tenantId).get(group.id))) {
        await changeExisting(own, whom.id, user => leave(whom, user, group, 'group_deleted'), { cause });
        throw new ProblemError('not_found');
      }
      return { body: undefined };
    },
  });

export const removeMember = (parts: Parts) =>
  tenantRoute({
    ...common,
    method: 'delete',
    summary: 'Take a user out of a group',
    async handle({ tenantId, params, cause }) {
      const { whom, group } = await about(parts, tenantId, params);
      await changeExisting(parts.users.in(tenantId), whom.id, user => leave(whom, user, group, 'requested'), { cause });
      return { body: undefined };
    },
  });
