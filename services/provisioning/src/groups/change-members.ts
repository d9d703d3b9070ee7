// One person at a time comes or goes, each in one write of their own.
import { ProblemError } from '@reeve/contracts';
import { changeExisting, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { join, leave, type Users } from '../users/user.ts';
import type { Groups } from './group.ts';

type Parts = { groups: Groups; users: Users; clock: Clock };

export const addMember = ({ groups, users, clock }: Parts) =>
  tenantRoute({
    method: 'put',
    path: '/v1/tenants/{tenantId}/groups/{groupId}/members/{userId}',
    summary: 'Add a user to a group',
    action: 'groups:write',
    status: 204,
    async handle({ tenantId, params: { groupId, userId: id }, cause }) {
      const { state: group } = await readExisting(groups.in(tenantId), groupId);
      const whom = { tenantId, id, at: clock.now() };
      const about = { id: groupId, name: group.name };
      const own = users.in(tenantId);
      await changeExisting(own, id, user => join(whom, user, about), { cause });
      // Where it was deleted since it was read, everybody may have left before this one came.
      if (!(await groups.in(tenantId).get(groupId))) {
        await changeExisting(own, id, user => leave(whom, user, about, 'group_deleted'), { cause });
        throw new ProblemError('not_found');
      }
      return { body: undefined };
    },
  });

export const removeMember = ({ groups, users, clock }: Parts) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/groups/{groupId}/members/{userId}',
    summary: 'Take a user out of a group',
    action: 'groups:write',
    status: 204,
    async handle({ tenantId, params: { groupId, userId: id }, cause }) {
      const { state: group } = await readExisting(groups.in(tenantId), groupId);
      const whom = { tenantId, id, at: clock.now() };
      const about = { id: groupId, name: group.name };
      await changeExisting(users.in(tenantId), id, user => leave(whom, user, about, 'requested'), { cause });
      return { body: undefined };
    },
  });
