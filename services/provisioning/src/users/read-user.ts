import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { type Users, userView, viewOf } from './user.ts';

export const readUser = ({ users }: { users: Users }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/users/{userId}',
    summary: 'Read a user',
    action: 'users:read',
    response: userView,
    async handle({ tenantId, params }) {
      const entry = await users.in(tenantId).get(String(params['userId']));
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry), version: entry.version };
    },
  });
