import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { deactivate, reactivate, type Users, userView, viewOf } from './user.ts';

const switchBy =
  (decide: typeof deactivate, { verb, summary }: { verb: 'deactivate' | 'reactivate'; summary: string }) =>
  ({ users, clock }: { users: Users; clock: Clock }) =>
    tenantRoute({
      method: 'post',
      path: `/v1/tenants/{tenantId}/users/{userId}:${verb}`,
      summary,
      action: 'users:write',
      versioned: true,
      response: userView,
      async handle({ tenantId, params: { userId: id }, cause, expectedVersion }) {
        const whom = { tenantId, id, at: clock.now() };
        const entry = await changeExisting(users.in(tenantId), id, user => decide(whom, user, 'requested'), {
          cause,
          expectedVersion,
        });
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
