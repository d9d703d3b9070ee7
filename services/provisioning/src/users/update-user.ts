import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { displayNameSchema, emailSchema, rolesSchema, type Users, update, userView, viewOf } from './user.ts';

export const updateUser = ({ users, clock }: { users: Users; clock: Clock }) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/users/{userId}',
    summary: 'Change address, name or roles of a user',
    action: 'users:write',
    versioned: true,
    body: z.strictObject({
      email: emailSchema.exactOptional(),
      displayName: displayNameSchema.nullable().exactOptional(),
      roles: rolesSchema.exactOptional(),
    }),
    response: userView,
    async handle({ tenantId, params: { userId: id }, body, cause, expectedVersion }) {
      const whom = { tenantId, id, at: clock.now() };
      const entry = await changeExisting(users.in(tenantId), id, user => update(whom, user, body, 'requested'), {
        cause,
        expectedVersion,
        taken: { email: 'user_email_taken' },
      });
      return { body: viewOf(entry), version: entry.version };
    },
  });
