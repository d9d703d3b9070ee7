import { assertReaches, createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import {
  add,
  displayNameSchema,
  emailSchema,
  identifiersSchema,
  reachOf,
  rolesSchema,
  takenByAnother,
  type Users,
  userView,
  viewOf,
} from './user.ts';

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
      identifiers: identifiersSchema.default({}),
    }),
    status: 201,
    response: userView,
    async handle({ tenantId, caller, body, cause, freshId }) {
      assertReaches(caller, reachOf(body.roles));
      const id = freshId('user');
      const whom = { tenantId, id, at: clock.now() };
      const user = add(whom, { ...body, emailVerified: true, source: 'admin' }, 'requested');
      const { entry } = await createOnce(users.in(tenantId), id, user, { cause, taken: takenByAnother });
      return { body: viewOf(entry), version: entry.version };
    },
  });
