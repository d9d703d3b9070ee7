import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { deactivate, reactivate, type Users, userView, viewOf } from './user.ts';

const switchBy =
  (decide: typeof deactivate, { verb, summary }: { verb: string; summary: string }) =>
  ({ users }: { users: Users }) =>
    tenantRoute({
      method: 'post',
      path: `/v1/tenants/{tenantId}/users/{userId}:${verb}`,
      summary,
      action: 'users:write',
      response: userView,
      async handle({ tenantId, params, cause, expectedVersion }) {
        const id = String(params['userId']);
        const entry = await users
          .in(tenantId)
          .change(id, user => user && decide(id, user, 'requested'), { cause, expectedVersion });
        if (!entry) throw new ProblemError('not_found');
        return { body: viewOf(entry), version: entry.version };
      },
    });

export const deactivateUser = switchBy(deactivate, {
  verb: 'deactivate',
  summary: 'Deactivate a user: sessions, tokens and consents end everywhere',
});

export const reactivateUser = switchBy(reactivate, {
  verb: 'reactivate',
  summary: 'Reactivate a user: they may sign in again; what ended stays ended',
});
