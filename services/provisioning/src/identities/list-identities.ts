import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import { z } from 'zod';
import type { Users } from '../users/user.ts';
import type { Identities, Identity } from './identity.ts';

export const identityView = z.object({
  id: z.string(),
  connectionId: z.string(),
  issuer: z.string().nullable().describe('Null for the identity that the user was made for'),
  subject: z.string().nullable(),
  linkedAt: z.string().nullable(),
  isFirst: z.boolean().describe('The user was made for it, and it cannot be unlinked'),
});

export function viewOf({ id, state }: Entry<Identity>): z.infer<typeof identityView> {
  const { connectionId, issuer, subject, linkedAt = null } = state;
  return { id, connectionId, issuer, subject, linkedAt, isFirst: false };
}

const most = 200;

export const listUserIdentities = ({ users, identities }: { users: Users; identities: Identities }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/users/{userId}/identities',
    summary: 'List the identities by which a user signs in',
    action: 'users:read',
    response: z.object({ items: z.array(identityView) }),
    async handle({ tenantId, params: { userId } }) {
      const { state: user } = await readExisting(users.in(tenantId), userId);
      const { items } = await identities.in(tenantId).list('byUser', { userId }, { limit: most });
      const { madeFor, createdAt } = user;
      const first = madeFor
        ? [
            {
              id: madeFor.identityId,
              connectionId: madeFor.connectionId,
              issuer: null,
              subject: null,
              linkedAt: createdAt,
              isFirst: true,
            },
          ]
        : [];
      return { body: { items: [...first, ...items.filter(({ state }) => !state.unlinkedAt).map(viewOf)] } };
    },
  });
