import { ProblemError } from '@reeve/contracts';
import { tenantRoute, whenTaken } from '@reeve/service-kit';
import { z } from 'zod';
import {
  displayNameSchema,
  emailSchema,
  rolesSchema,
  type User,
  type Users,
  update,
  userView,
  viewOf,
} from './user.ts';

export const updateUser = ({ users }: { users: Users }) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/users/{userId}',
    summary: 'Change address, name or roles of a user',
    action: 'users:write',
    body: z.strictObject({
      email: emailSchema.optional(),
      displayName: displayNameSchema.nullable().optional(),
      roles: rolesSchema.optional(),
    }),
    response: userView,
    async handle({ tenantId, params, body, cause, expectedVersion }) {
      const id = String(params['userId']);
      // Absent and undefined are one thing to JSON, but not to a spread.
      const change = Object.fromEntries(
        Object.entries(body).filter(([, value]) => value !== undefined),
      ) as Partial<User>;
      const entry = await users
        .in(tenantId)
        .change(id, user => user && update(id, user, change), { cause, expectedVersion })
        .catch(whenTaken('user_email_taken'));
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry), version: entry.version };
    },
  });
