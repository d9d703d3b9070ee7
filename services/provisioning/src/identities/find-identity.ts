// Whom does an identity provider mean? Called by auth when one wants a person's sessions to be over. It is told of
// those alone who have an identity at its connection, and nobody is made or changed by asking.
import { type FindIdentityRequest, findIdentityRequest, findIdentityResponse } from '@reeve/contracts';
import { platformRoute } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import { addressKey, type User, type Users } from '../users/user.ts';
import { type Identities, identityId } from './identity.ts';

type Parts = { users: Users; identities: Identities };

const most = 200;

export const findIdentity = (parts: Parts) =>
  platformRoute({
    method: 'post',
    path: '/internal/identities:find',
    summary: 'Find the user whom an identity provider means, of those who have an identity at its connection',
    action: 'identities:resolve',
    body: findIdentityRequest,
    response: findIdentityResponse,
    handle: async ({ body }) => ({ body: findIdentityResponse.parse({ userId: await find(parts, body) }) }),
  });

async function find(parts: Parts, { tenantId, connectionId, by }: FindIdentityRequest): Promise<string | null> {
  const users = parts.users.in(tenantId);
  const identities = parts.identities.in(tenantId);
  if ('subject' in by) {
    const id = identityId({ connectionId, ...by });
    const own = await users.getByUnique('madeFor', id);
    if (own) return own.id;
    const link = (await identities.get(id))?.state;
    return link && !link.unlinkedAt ? link.userId : null;
  }
  const user: Entry<User> | null =
    'email' in by ? await users.getByUnique('email', addressKey(by.email)) : await users.get(by.userId);
  if (!user || user.state.madeFor?.connectionId === connectionId) return user?.id ?? null;
  const { items } = await identities.list('byUser', { userId: user.id as `usr_${string}` }, { limit: most });
  return items.some(({ state }) => !state.unlinkedAt && state.connectionId === connectionId) ? user.id : null;
}
