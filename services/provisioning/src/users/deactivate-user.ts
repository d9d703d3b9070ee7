import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { deactivate, type Users, userView, viewOf } from './user.ts';

export const deactivateUser = ({ users }: { users: Users }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/users/{userId}:deactivate',
    summary: 'Deactivate a user: sessions, tokens and consents end everywhere',
    action: 'users:write',
    response: userView,
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['userId']);
      const entry = await users
        .in(tenantId)
        .change(id, user => user && deactivate(id, user, 'requested'), { cause, expectedVersion });
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry), version: entry.version };
    },
  });
