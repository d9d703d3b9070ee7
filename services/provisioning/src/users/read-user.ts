import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Users, userView, viewOf } from './user.ts';

export const readUser = ({ users }: { users: Users }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/users/{userId}',
    summary: 'Read a user',
    action: 'users:read',
    response: userView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(users.in(tenantId), params.userId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
