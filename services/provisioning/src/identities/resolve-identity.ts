// Who is this external identity? Called by auth while somebody waits to be signed in. Idempotent: every step finds what
// an earlier try has done.
import {
  type Cause,
  emptyContext,
  type Id,
  newId,
  ProblemError,
  type ResolveIdentityRequest,
  type ResolveIdentityResponse,
  resolveIdentityRequest,
  resolveIdentityResponse,
} from '@reeve/contracts';
import { platformRoute, readExisting } from '@reeve/service-kit';
import { DuplicateKeyError, type Entry, type Store } from '@reeve/store';
import type { Tenants } from '../tenants/tenant.ts';
import { add, addressKey, type Role, roles, type User, type Users } from '../users/user.ts';
import { type Conflict, conflicted, type Identities, identityId, linked } from './identity.ts';

type Parts = { tenants: Tenants; users: Users; identities: Identities; store: Pick<Store, 'recordFact' | 'clock'> };
type Asked = { request: ResolveIdentityRequest; id: string; cause: Cause };

export const resolveIdentity = (parts: Parts) =>
  platformRoute({
    method: 'post',
    path: '/internal/identities:resolve',
    summary: 'Resolve an external identity to a user, creating one where the connection allows it',
    action: 'identities:resolve',
    body: resolveIdentityRequest,
    response: resolveIdentityResponse,
    handle: async ({ body: request }) => ({
      body: await resolve(parts, { request, id: identityId(request), cause: causeOf(request) }),
    }),
  });

/**
 * The events tell of the identity provider's word, given where the person stands, not of the service that passed it on.
 */
function causeOf({ connectionId, issuer, origin }: ResolveIdentityRequest): Cause {
  return {
    actor: { type: 'identity_provider', id: connectionId, name: issuer, via: 'idp' },
    context: { ...emptyContext, ip: origin.ip, userAgent: origin.userAgent, connectionId },
    correlationId: origin.correlationId,
  };
}

async function resolve(parts: Parts, asked: Asked): Promise<ResolveIdentityResponse> {
  const { request, id } = asked;
  // As it is now: the person may have gone to the identity provider before the tenant was suspended.
  const tenant = await parts.tenants.in(request.tenantId).get(request.tenantId);
  if (tenant?.state.status !== 'active') throw new ProblemError('tenant_suspended');
  const users = parts.users.in(request.tenantId);
  const own = await users.getByUnique('madeFor', id);
  if (own) return answer(own, false);
  const link = (await parts.identities.in(request.tenantId).get(id))?.state;
  if (link && !link.unlinkedAt) return answer(await readExisting(users, link.userId), false);
  const holder = request.email === null ? null : await users.getByUnique('email', addressKey(request.email));
  // Made after `own` was looked for, by the same person at another browser in this moment.
  if (holder?.state.madeFor?.identityId === id) return answer(holder, false);
  if (holder?.state.emailVerified) return linkToHolder(parts, asked, holder);
  if (!request.jit.enabled) throw new ProblemError('identity_unknown');
  return answer(await bringIn(parts, asked), true);
}

/**
 * Somebody has the address already. It is the same person only if the identity provider has verified it and is the one
 * to do so.
 */
async function linkToHolder(parts: Parts, asked: Asked, holder: Entry<User>): Promise<ResolveIdentityResponse> {
  const { request, id, cause } = asked;
  if (!request.emailVerified) throw await refused(parts, asked, 'address_not_verified');
  if (!request.domainOwned) throw await refused(parts, asked, 'domain_not_verified');
  const isOfAnother = holder.state.madeFor?.connectionId === request.connectionId;
  if (isOfAnother) throw await refused(parts, asked, 'address_of_another');
  const answered = answer(holder, false);
  const { connectionId, issuer, subject } = request;
  const state = { connectionId, issuer, subject, userId: answered.userId };
  try {
    // When it is there already, the same person came in at the same moment by another request.
    const created = { state, events: [linked(id, state, 'verified_email')] };
    const kept = await parts.identities.in(request.tenantId).change(id, known => (known ? null : created), { cause });
    // What somebody has unlinked is not linked again by the address that it has.
    if (kept?.state.userId !== answered.userId || kept.state.unlinkedAt)
      throw await refused(parts, asked, 'address_of_another');
  } catch (error) {
    throw error instanceof DuplicateKeyError ? await refused(parts, asked, 'address_of_another') : error;
  }
  return answered;
}

/** Makes the user, once for each identity. Whose word nobody has to take does not hold the address against others. */
async function bringIn(parts: Parts, asked: Asked): Promise<Entry<User>> {
  const { request, id: identityId, cause } = asked;
  const { tenantId, connectionId, issuer, email, displayName, emailVerified, domainOwned, jit } = request;
  const users = parts.users.in(tenantId);
  const id = newId('user');
  const granted = roles.filter((role): role is Role => jit.defaultRoles.includes(role));
  const madeFor = { identityId, connectionId };
  const user = { email, emailVerified: emailVerified && domainOwned, displayName, roles: granted, madeFor };
  const whom = { tenantId, id, at: parts.store.clock.now() };
  const { state, events } = add(whom, { ...user, source: 'jit' }, 'just_in_time');
  const isLinked = linked(identityId, { userId: id, connectionId, issuer }, 'jit');
  try {
    const created = await users.create(id, { state, events: [...events, isLinked] }, cause);
    if (created) return created;
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    const earlier = await users.getByUnique('madeFor', identityId);
    if (!earlier) throw await refused(parts, asked, 'address_taken');
    return earlier;
  }
  throw new ProblemError('conflict');
}

async function refused(parts: Parts, { request, id, cause }: Asked, conflict: Conflict): Promise<ProblemError> {
  await parts.store.recordFact(request.tenantId, conflicted(id, request, conflict), cause);
  return new ProblemError('identity_conflict');
}

function answer({ id, state }: Entry<User>, created: boolean): ResolveIdentityResponse {
  if (state.status === 'deactivated') throw new ProblemError('user_deactivated');
  const { email, emailVerified, displayName, roles: held, groups } = state;
  return { userId: id as Id<'user'>, email, emailVerified, displayName, roles: held, groups, created };
}
