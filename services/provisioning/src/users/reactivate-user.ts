import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { reactivate, type Users, userView, viewOf } from './user.ts';

export const reactivateUser = ({ users }: { users: Users }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/users/{userId}:reactivate',
    summary: 'Reactivate a user: they may sign in again; what ended stays ended',
    action: 'users:write',
    response: userView,
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['userId']);
      const entry = await users
        .in(tenantId)
        .change(id, user => user && reactivate(id, user, 'requested'), { cause, expectedVersion });
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry), version: entry.version };
    },
  });
