// The filter language comes with the SCIM capability; until then the one filter that every directory sends is
// understood, and no other half understood.
import { ProblemError } from '@reeve/contracts';
import { z } from 'zod';
import { directoryKey, type Users } from '../users/user.ts';
import { directoryRoute, schemas, scimUser, scimUserOf } from './scim-user.ts';

const listOfUsers = z.object({
  schemas: z.array(z.string()),
  totalResults: z.number(),
  itemsPerPage: z.number(),
  startIndex: z.number(),
  Resources: z.array(scimUser),
});

/** A SCIM string is a JSON string (RFC 7644 §3.4.2.2). */
function userNameIn(filter: string): string {
  const quoted = /^userName eq ("(?:[^"\\]|\\.)*")$/i.exec(filter)?.[1];
  if (quoted === undefined) throw new ProblemError('scim_filter_invalid');
  try {
    return z.string().parse(JSON.parse(quoted));
  } catch (cause) {
    throw new ProblemError('scim_filter_invalid', 'the filter holds a string that is not valid', { cause });
  }
}

export const findScimUsers = ({ users, selfUrl }: { users: Users; selfUrl: string }) =>
  directoryRoute({
    method: 'get',
    path: '/scim/v2/{directoryId}/Users',
    summary: 'Find the user with a user name (RFC 7644 §3.4.2)',
    query: z.object({ filter: z.string().max(1_000).default('') }),
    response: listOfUsers,
    async handle({ tenantId, principal: directory, query: { filter } }) {
      const key = directoryKey(directory.id, userNameIn(filter));
      const found = await users.in(tenantId).getByUnique('directory', key);
      const Resources = found ? [scimUserOf(found, { selfUrl, directory })] : [];
      const count = Resources.length;
      const body = { schemas: [schemas.list], totalResults: count, itemsPerPage: count, startIndex: 1, Resources };
      return { body };
    },
  });
