// A user as a directory sees it (RFC 7643 §4.1). A directory sees the users that it pushed and no others.
import { type Id, ProblemError } from '@reeve/contracts';
import { scimRouteFor } from '@reeve/service-kit';
import type { Entry, TenantCollection } from '@reeve/store';
import { z } from 'zod';
import type { User } from '../users/user.ts';

export const schemas = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  enterpriseUser: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
} as const;

/** What its handlers know of the directory that calls. */
export type PushingDirectory = { id: string };

export const directoryRoute = scimRouteFor<PushingDirectory>();

export const withSchema = (schema: string) =>
  z.array(z.string()).refine(list => list.includes(schema), `must hold ${schema}`);

export const scimUser = z.object({
  schemas: z.array(z.string()),
  id: z.string(),
  userName: z.string(),
  displayName: z.string().optional(),
  emails: z.array(z.object({ value: z.string(), primary: z.boolean() })).optional(),
  active: z.boolean(),
  [schemas.enterpriseUser]: z.object({ employeeNumber: z.string() }).optional(),
  meta: z.object({
    resourceType: z.literal('User'),
    created: z.string(),
    lastModified: z.string(),
    location: z.string(),
    version: z.string(),
  }),
});

export const locationOf = (selfUrl: string, directoryId: string, userId: string) =>
  `${selfUrl}/scim/v2/${directoryId}/Users/${userId}`;

export function scimUserOf(
  { id, state, version, changedAt }: Entry<User>,
  { selfUrl, directory }: { selfUrl: string; directory: PushingDirectory },
): z.infer<typeof scimUser> {
  if (!state.directory) throw new TypeError('a user whom no directory has pushed has no name in any');
  const employeeNumber = state.identifiers?.employee_id;
  return {
    schemas: [schemas.user, ...(employeeNumber === undefined ? [] : [schemas.enterpriseUser])],
    id,
    userName: state.directory.userName,
    ...(state.displayName === null ? {} : { displayName: state.displayName }),
    ...(state.email === null ? {} : { emails: [{ value: state.email, primary: true }] }),
    active: state.status === 'active',
    ...(employeeNumber === undefined ? {} : { [schemas.enterpriseUser]: { employeeNumber } }),
    meta: {
      resourceType: 'User',
      created: state.createdAt,
      lastModified: changedAt.toISOString(),
      location: locationOf(selfUrl, directory.id, id),
      version: `W/"${version}"`,
    },
  };
}

/** Throws `not_found` for a user whom another directory, or none, has pushed. */
export async function readPushed(
  users: TenantCollection<User>,
  directory: PushingDirectory,
  id: Id<'user'>,
): Promise<Entry<User>> {
  const entry = await users.get(id);
  if (entry?.state.directory?.id !== directory.id)
    throw new ProblemError('not_found', 'there is no such user in this directory');
  return entry;
}
