import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { descriptionSchema, type Groups, groupView, nameSchema, update, viewOf } from './group.ts';

export const updateGroup = ({ groups }: { groups: Groups }) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/groups/{groupId}',
    summary: 'Change name or description of a group',
    action: 'groups:write',
    versioned: true,
    body: z.strictObject({ name: nameSchema.exactOptional(), description: descriptionSchema.exactOptional() }),
    response: groupView,
    async handle({ tenantId, params: { groupId: id }, body, cause, expectedVersion }) {
      const entry = await changeExisting(groups.in(tenantId), id, group => update(id, group, body), {
        cause,
        expectedVersion,
        taken: { name: 'group_name_taken' },
      });
      return { body: viewOf(entry), version: entry.version };
    },
  });
