import type { Users } from '../users/user.ts';
import { directoryRoute, readPushed, scimUser, scimUserOf } from './scim-user.ts';

export const readScimUser = ({ users, selfUrl }: { users: Users; selfUrl: string }) =>
  directoryRoute({
    method: 'get',
    path: '/scim/v2/{directoryId}/Users/{userId}',
    summary: 'Read a user (RFC 7644 §3.4.1)',
    response: scimUser,
    async handle({ tenantId, principal: directory, params: { userId } }) {
      const entry = await readPushed(users.in(tenantId), directory, userId);
      return { body: scimUserOf(entry, { selfUrl, directory }), version: entry.version };
    },
  });
