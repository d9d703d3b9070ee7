import { assertReaches, changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import {
  displayNameSchema,
  emailSchema,
  identifiersSchema,
  reachOf,
  rolesSchema,
  takenByAnother,
  type User,
  type Users,
  update,
  userView,
  viewOf,
} from './user.ts';

export const updateUser = ({ users, clock }: { users: Users; clock: Clock }) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/users/{userId}',
    summary: 'Change address, name, roles or identifiers of a user',
    action: 'users:write',
    versioned: true,
    body: z.strictObject({
      email: emailSchema.exactOptional(),
      displayName: displayNameSchema.nullable().exactOptional(),
      roles: rolesSchema.exactOptional(),
      identifiers: identifiersSchema.exactOptional().describe('All of them: one that is left out is taken away'),
    }),
    response: userView,
    async handle({ tenantId, caller, params: { userId: id }, body, cause, expectedVersion }) {
      const whom = { tenantId, id, at: clock.now() };
      const decide = (user: User) => {
        // Whose address or identifier somebody has may be whose account they come into.
        if (body.roles || body.email || body.identifiers)
          assertReaches(caller, reachOf([...user.roles, ...(body.roles ?? [])]));
        return update(whom, user, body, 'requested');
      };
      const entry = await changeExisting(users.in(tenantId), id, decide, {
        cause,
        expectedVersion,
        taken: takenByAnother,
      });
      return { body: viewOf(entry), version: entry.version };
    },
  });
