import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import { type Users, userView, viewOf } from '../users/user.ts';
import type { Groups } from './group.ts';

export const listMembers = ({ groups, users }: { groups: Groups; users: Users }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/groups/{groupId}/members',
    summary: 'List who is in a group, in the order in which the users were created',
    action: 'groups:read',
    query: pageQuery,
    response: pageOf(userView),
    async handle({ tenantId, params: { groupId }, query }) {
      await readExisting(groups.in(tenantId), groupId);
      return paged(await users.in(tenantId).list('byGroup', { groups: groupId }, query), viewOf);
    },
  });
