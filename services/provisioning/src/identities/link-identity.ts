// Another identity for a user whom nobody has to guess: the person, signed in, says that both are them, or an
// administrator does.
import {
  type Cause,
  emptyContext,
  type Id,
  linkIdentityRequest,
  ProblemError,
  type ReasonOf,
  type TenantId,
  textSchema,
} from '@reeve/contracts';
import { assertReaches, platformRoute, readExisting, tenantRoute } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError, type Entry } from '@reeve/store';
import { z } from 'zod';
import type { Tenants } from '../tenants/tenant.ts';
import { reachOf, type Users } from '../users/user.ts';
import type { IdentityConflict, IdentityConflicts } from './conflict.ts';
import { type Identities, type Identity, identityId, linked, ofConnection } from './identity.ts';
import { identityView, viewOf } from './list-identities.ts';

type Parts = {
  tenants: Tenants;
  users: Users;
  identities: Identities;
  conflicts: IdentityConflicts;
  clock: Clock;
};
type Asked = Pick<Identity, 'connectionId' | 'issuer' | 'subject'> & { tenantId: TenantId; userId: Id<'user'> };

/** Linked already is the same once more. Throws `identity_taken`, and `user_deactivated`. */
async function link(
  { users, identities, conflicts, clock }: Omit<Parts, 'tenants'>,
  { tenantId, ...asked }: Asked,
  { how, cause }: { how: ReasonOf<'identity.linked'>; cause: Cause },
): Promise<Entry<Identity> | null> {
  const { userId } = asked;
  const { state: user } = await readExisting(users.in(tenantId), userId);
  if (user.status !== 'active') throw new ProblemError('user_deactivated');
  const id = identityId(asked);
  const madeFor = await users.in(tenantId).getByUnique('madeFor', id);
  if (madeFor) {
    if (madeFor.id !== userId) throw new ProblemError('identity_taken');
    return null;
  }
  const state: Identity = { ...asked, linkedAt: clock.now().toISOString() };
  const own = identities.in(tenantId);
  const former = await own.getByUnique('onePerConnection', ofConnection(asked));
  if (former && former.id !== id && former.state.unlinkedAt)
    await own.change(former.id, was => was && { state: { ...was, isReplaced: true }, events: [] }, { cause });
  try {
    const decide = (known: Identity | null) =>
      known && !known.unlinkedAt ? null : { state, events: [linked(id, state, how)] };
    const entry = await own.change(id, decide, { cause });
    if (entry?.state.userId !== userId) throw new ProblemError('identity_taken');
    const settle = (now: IdentityConflict | null) => now && { state: { ...now, settledAt: clock.now() }, events: [] };
    await conflicts.in(tenantId).change(id, settle, { cause });
    return entry;
  } catch (error) {
    throw error instanceof DuplicateKeyError ? new ProblemError('identity_taken', undefined, { cause: error }) : error;
  }
}

export const linkUserIdentity = ({ users, ...parts }: Omit<Parts, 'tenants'>) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/users/{userId}/identities',
    summary: 'Link an identity at a connection to a user: whoever signs in by it is this user from then on',
    action: 'users:write',
    body: z.strictObject({
      connectionId: z.string().min(1).max(100),
      issuer: z.string().min(1).max(500).describe('As the sign-in attempt says it'),
      subject: textSchema(500).describe('As the sign-in attempt says it'),
    }),
    status: 201,
    response: identityView,
    async handle({ tenantId, caller, params: { userId }, body, cause }) {
      const { state: user } = await readExisting(users.in(tenantId), userId);
      // Whoever links it decides who comes into that account.
      assertReaches(caller, reachOf(user.roles));
      const asked = { tenantId, userId, ...body };
      const entry = await link({ users, ...parts }, asked, { how: 'by_administrator', cause });
      if (!entry) throw new ProblemError('identity_taken');
      return { body: viewOf(entry) };
    },
  });

/** For auth, which has seen the person sign in both ways. */
export const linkSignedIn = ({ tenants, ...parts }: Parts) =>
  platformRoute({
    method: 'post',
    path: '/internal/identities:link',
    summary: 'Link another identity to a user who is signed in and has agreed',
    action: 'identities:resolve',
    body: linkIdentityRequest,
    status: 204,
    async handle({ body: { origin, ...asked } }) {
      const { tenantId, userId, connectionId } = asked;
      const tenant = await tenants.in(tenantId).get(tenantId);
      if (tenant?.state.status !== 'active') throw new ProblemError('tenant_suspended');
      const cause: Cause = {
        actor: { type: 'user', id: userId, name: null, via: 'session' },
        context: { ...emptyContext, ip: origin.ip, userAgent: origin.userAgent, connectionId },
        correlationId: origin.correlationId,
      };
      await link(parts, asked, { how: 'by_person', cause });
      return { body: undefined };
    },
  });
