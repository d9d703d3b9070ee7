import { createOnce } from '@reeve/service-kit';
import type { Clock, Decision } from '@reeve/store';
import { z } from 'zod';
import {
  add,
  deactivate,
  displayNameSchema,
  emailSchema,
  identifiersSchema,
  type User,
  type Users,
  type Whom,
} from '../users/user.ts';
import { directoryRoute, locationOf, schemas, scimUser, scimUserOf, withSchema } from './scim-user.ts';

const namePart = z.string().trim().max(200);

const newUser = z.object({
  schemas: withSchema(schemas.user),
  userName: z.string().trim().min(1).max(320),
  displayName: displayNameSchema.optional(),
  name: z.object({ givenName: namePart.optional(), familyName: namePart.optional() }).optional(),
  emails: z
    .array(z.object({ value: emailSchema, primary: z.boolean().optional() }))
    .max(20)
    .optional(),
  active: z.boolean().default(true),
  [schemas.enterpriseUser]: z.object({ employeeNumber: identifiersSchema.shape.employee_id }).optional(),
});

type NewUser = z.infer<typeof newUser>;

/** The primary address, else the first, else the user name where it is one. */
function addressOf({ emails = [], userName }: NewUser): string | null {
  const address = emails.find(({ primary }) => primary) ?? emails[0];
  return address?.value ?? (emailSchema.safeParse(userName).success ? userName : null);
}

/** The parts together may be too long for a name: they are cut, but not in the middle of a character. */
function fullNameOf({ displayName, name }: NewUser): string | null {
  if (displayName !== undefined) return displayName;
  const parts = [name?.givenName, name?.familyName].filter(Boolean).join(' ').slice(0, 200);
  return parts.replace(/[\ud800-\udbff]$/, '').trim() || null;
}

/** A user that a directory creates inactive was never active to anybody. */
function createdBy(directoryId: string, whom: Whom, body: NewUser): NonNullable<Decision<User>> {
  const employee_id = body[schemas.enterpriseUser]?.employeeNumber;
  const user = {
    email: addressOf(body),
    // A directory of the tenant's own answers for what it pushes.
    emailVerified: true,
    displayName: fullNameOf(body),
    roles: ['tenant_member' as const],
    source: 'scim' as const,
    directory: { id: directoryId, userName: body.userName },
    ...(employee_id === undefined ? {} : { identifiers: { employee_id } }),
  };
  const added = add(whom, user, 'pushed_by_directory');
  const inactive = body.active ? null : deactivate(whom, added.state, 'pushed_by_directory');
  return inactive ? { state: inactive.state, events: [...added.events, ...inactive.events] } : added;
}

export const createScimUser = ({ users, clock, selfUrl }: { users: Users; clock: Clock; selfUrl: string }) =>
  directoryRoute({
    method: 'post',
    path: '/scim/v2/{directoryId}/Users',
    summary: 'Create a user (RFC 7644 §3.3)',
    body: newUser,
    status: 201,
    response: scimUser,
    async handle({ tenantId, principal: directory, body, cause, freshId }) {
      const id = freshId('user');
      const created = createdBy(directory.id, { tenantId, id, at: clock.now() }, body);
      const { entry } = await createOnce(users.in(tenantId), id, created, {
        cause,
        taken: { directory: 'scim_uniqueness', email: 'scim_uniqueness', employee_id: 'scim_uniqueness' },
      });
      const location = locationOf(selfUrl, directory.id, id);
      return { body: scimUserOf(entry, { selfUrl, directory }), version: entry.version, location };
    },
  });
