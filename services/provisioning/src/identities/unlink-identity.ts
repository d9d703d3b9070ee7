import { ProblemError } from '@reeve/contracts';
import { assertReaches, changeExisting, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { reachOf, type Users } from '../users/user.ts';
import { type Identities, type Identity, unlink } from './identity.ts';

type Parts = { users: Users; identities: Identities; clock: Clock };

export const unlinkUserIdentity = ({ users, identities, clock }: Parts) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/users/{userId}/identities/{identityId}',
    summary: 'Unlink an identity from a user: nobody is this user by it any more, and its sessions end',
    action: 'users:write',
    status: 204,
    async handle({ tenantId, caller, params: { userId, identityId: id }, cause }) {
      const { state: user } = await readExisting(users.in(tenantId), userId);
      assertReaches(caller, reachOf(user.roles));
      const decide = (identity: Identity) => {
        if (identity.userId !== userId || identity.unlinkedAt) throw new ProblemError('not_found');
        return unlink(id, identity, clock.now());
      };
      await changeExisting(identities.in(tenantId), id, decide, { cause });
      return { body: undefined };
    },
  });
