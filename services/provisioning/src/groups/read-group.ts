import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Groups, groupView, viewOf } from './group.ts';

export const readGroup = ({ groups }: { groups: Groups }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/groups/{groupId}',
    summary: 'Read a group',
    action: 'groups:read',
    response: groupView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(groups.in(tenantId), params.groupId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
