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
import { add, addressKey, type Role, reachOf, roles, type User, type Users } from '../users/user.ts';
import { cameAgain, type IdentityConflict, type IdentityConflicts } from './conflict.ts';
import { type Conflict, conflicted, type Identities, identityId, linked } from './identity.ts';

type Parts = {
  tenants: Tenants;
  users: Users;
  identities: Identities;
  conflicts: IdentityConflicts;
  store: Pick<Store, 'clock'>;
};
/** What it takes to say what would become of an identity. */
export type PlanParts = Pick<Parts, 'tenants' | 'users' | 'identities'>;
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

/** What would become of the identity, as things are now. */
type Plan =
  | { is: 'known'; user: Entry<User> }
  /** `otherwise`: what is said where somebody was faster, or has been unlinked. */
  | { is: 'to_link'; user: Entry<User>; how: 'verified_email' | 'identifier'; otherwise: Conflict }
  | { is: 'refused'; conflict: Conflict; users: readonly Entry<User>[] }
  | { is: 'to_create' }
  | { is: 'unknown' };

/** Nothing is changed by it. Throws `tenant_suspended`. */
export async function plan(parts: PlanParts, { request, id }: Omit<Asked, 'cause'>): Promise<Plan> {
  // As it is now: the person may have gone to the identity provider before the tenant was suspended.
  const tenant = await parts.tenants.in(request.tenantId).get(request.tenantId);
  if (tenant?.state.status !== 'active') throw new ProblemError('tenant_suspended');
  const users = parts.users.in(request.tenantId);
  const own = await users.getByUnique('madeFor', id);
  if (own) return { is: 'known', user: own };
  const link = (await parts.identities.in(request.tenantId).get(id))?.state;
  if (link && !link.unlinkedAt) return { is: 'known', user: await readExisting(users, link.userId) };
  const { email, person } = request;
  const holder = email === null ? null : await users.getByUnique('email', addressKey(email));
  const named = person ? await users.getByUnique(person.type, person.value) : null;
  // Made after `own` was looked for, by the same person at another browser in this moment.
  const made = [holder, named].find(user => user?.state.madeFor?.identityId === id);
  if (made) return { is: 'known', user: made };
  const byAddress = holder?.state.emailVerified ? holder : null;
  if (named) return byIdentifier(request, named, byAddress);
  if (byAddress) return byVerifiedAddress(request, byAddress);
  return { is: request.jit.enabled ? 'to_create' : 'unknown' };
}

/**
 * Somebody has the identifier, and the connection is believed in that. Whoever may set up a connection does not become
 * an administrator by it: they are linked by hand.
 */
function byIdentifier({ connectionId }: ResolveIdentityRequest, user: Entry<User>, holder: Entry<User> | null): Plan {
  const not = (conflict: Conflict): Plan => ({ is: 'refused', conflict, users: [user, ...(holder ? [holder] : [])] });
  const reach = reachOf(user.state.roles);
  if (reach === null || reach.length > 0) return not('identifier_of_administrator');
  if (holder && holder.id !== user.id) return not('identifier_and_address_differ');
  if (user.state.madeFor?.connectionId === connectionId) return not('identifier_of_another');
  return { is: 'to_link', user, how: 'identifier', otherwise: 'identifier_of_another' };
}

/**
 * Somebody has the address already. It is the same person only if the identity provider has verified it and is the one
 * to do so.
 */
function byVerifiedAddress(
  { emailVerified, domainOwned, connectionId }: ResolveIdentityRequest,
  user: Entry<User>,
): Plan {
  const not = (conflict: Conflict): Plan => ({ is: 'refused', conflict, users: [user] });
  if (!emailVerified) return not('address_not_verified');
  if (!domainOwned) return not('domain_not_verified');
  if (user.state.madeFor?.connectionId === connectionId) return not('address_of_another');
  return { is: 'to_link', user, how: 'verified_email', otherwise: 'address_of_another' };
}

/** As often as another request may bring in the same person meanwhile. */
const attempts = 3;

async function resolve(parts: Parts, asked: Asked): Promise<ResolveIdentityResponse> {
  for (let attempt = 1; ; attempt += 1) {
    const planned = await plan(parts, asked);
    if (planned.is === 'known') return answer(planned.user, false);
    if (planned.is === 'unknown') throw new ProblemError('identity_unknown');
    if (planned.is === 'refused') throw await refused(parts, asked, planned);
    if (planned.is === 'to_link') return linkTo(parts, asked, planned);
    const made = await bringIn(parts, asked);
    if (made !== 'somebody_came') return answer(made, true);
    if (attempt === attempts) throw new ProblemError('conflict');
  }
}

async function linkTo(
  parts: Parts,
  asked: Asked,
  { user, how, otherwise }: Plan & { is: 'to_link' },
): Promise<ResolveIdentityResponse> {
  const { request, id, cause } = asked;
  const answered = answer(user, false);
  const { connectionId, issuer, subject } = request;
  const state = { connectionId, issuer, subject, userId: answered.userId };
  const not = { conflict: otherwise, users: [user] };
  try {
    // When it is there already, the same person came in at the same moment by another request.
    const created = { state, events: [linked(id, state, how)] };
    const kept = await parts.identities.in(request.tenantId).change(id, known => (known ? null : created), { cause });
    // What somebody has unlinked is not linked again by what it comes with.
    if (kept?.state.userId !== answered.userId || kept.state.unlinkedAt) throw await refused(parts, asked, not);
  } catch (error) {
    throw error instanceof DuplicateKeyError ? await refused(parts, asked, not) : error;
  }
  return answered;
}

/** Makes the user, once for each identity. Whose word nobody has to take does not hold the address against others. */
async function bringIn(parts: Parts, asked: Asked): Promise<Entry<User> | 'somebody_came'> {
  const { request, id: identityId, cause } = asked;
  const { tenantId, connectionId, issuer, email, displayName, emailVerified, domainOwned, jit, person } = request;
  const users = parts.users.in(tenantId);
  const id = newId('user');
  const granted = roles.filter((role): role is Role => jit.defaultRoles.includes(role));
  const madeFor = { identityId, connectionId };
  const identifiers = person ? { identifiers: { [person.type]: person.value } } : {};
  const user = { email, emailVerified: emailVerified && domainOwned, displayName, roles: granted, madeFor };
  const whom = { tenantId, id, at: parts.store.clock.now() };
  const { state, events } = add(whom, { ...user, ...identifiers, source: 'jit' }, 'just_in_time');
  const isLinked = linked(identityId, { userId: id, connectionId, issuer }, 'jit');
  try {
    const created = await users.create(id, { state, events: [...events, isLinked] }, cause);
    if (created) return created;
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    return 'somebody_came';
  }
  throw new ProblemError('conflict');
}

/** On the record, and for an administrator to look at, in one write. */
async function refused(
  { conflicts, store: { clock } }: Parts,
  { request, id, cause }: Asked,
  { conflict, users }: { conflict: Conflict; users: readonly Entry<User>[] },
): Promise<ProblemError> {
  const { tenantId, connectionId, issuer, subject, email } = request;
  const userIds = [...new Set(users.map(user => user.id as Id<'user'>))];
  const came = { connectionId, issuer, subject, email, conflict, userIds };
  const events = [conflicted(id, request, conflict)];
  const decide = (before: IdentityConflict | null) => ({ state: cameAgain(before, came, clock.now()), events });
  await conflicts.in(tenantId).change(id, decide, { cause });
  return new ProblemError('identity_conflict');
}

function answer({ id, state }: Entry<User>, created: boolean): ResolveIdentityResponse {
  if (state.status === 'deactivated') throw new ProblemError('user_deactivated');
  const { email, emailVerified, displayName, roles: held, groups } = state;
  return { userId: id as Id<'user'>, email, emailVerified, displayName, roles: held, groups, created };
}
