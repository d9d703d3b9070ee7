import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Groups, remove } from './group.ts';

export const deleteGroup = ({ groups, clock }: { groups: Groups; clock: Clock }) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/groups/{groupId}',
    summary: 'Delete a group: whoever is in it leaves it, which takes a moment where they are many',
    action: 'groups:write',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { groupId: id }, cause, expectedVersion }) {
      await changeExisting(groups.in(tenantId), id, group => remove(id, group, clock.now()), {
        cause,
        expectedVersion,
      });
      return { body: undefined };
    },
  });
