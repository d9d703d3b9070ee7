import { because, ProblemError } from '@reeve/contracts';
import { tenantRoute, whenTaken } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { add, displayNameSchema, emailSchema, rolesSchema, type Users, userView, viewOf } from './user.ts';

export const createUser = ({ users, clock }: { users: Users; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/users',
    summary: 'Create a user',
    action: 'users:write',
    body: z.strictObject({
      email: emailSchema,
      displayName: displayNameSchema.nullable().default(null),
      roles: rolesSchema.default(['tenant_member']),
    }),
    status: 201,
    response: userView,
    async handle({ tenantId, body, cause, freshId }) {
      const id = freshId('user');
      const user = add(id, { ...body, source: 'admin', createdAt: clock.now().toISOString() }, because('requested'));
      const created = await users.in(tenantId).create(id, user, cause).catch(whenTaken('user_email_taken'));
      const entry = created ?? (await users.in(tenantId).get(id));
      if (!entry) throw new ProblemError('conflict');
      return { body: viewOf(entry), version: entry.version };
    },
  });
