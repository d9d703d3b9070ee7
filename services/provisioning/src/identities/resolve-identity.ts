// Who is this external identity? Called by auth while somebody waits to be signed in. Idempotent: every step finds what an
// earlier try has done.
import {
  because,
  type Cause,
  emptyContext,
  newId,
  ProblemError,
  type ResolveIdentityRequest,
  type ResolveIdentityResponse,
  resolveIdentityRequest,
  resolveIdentityResponse,
} from '@reeve/contracts';
import { platformRoute } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError, type Entry } from '@reeve/store';
import { add, addressKey, type Role, roles, type User, type Users } from '../users/user.ts';
import { conflicted, type Identities, identityId, link, reserve } from './identity.ts';

type Parts = { users: Users; identities: Identities; recordFact: RecordFact; clock: Clock };
type RecordFact = (
  tenantId: ResolveIdentityRequest['tenantId'],
  event: ReturnType<typeof conflicted>,
  cause: Cause,
) => Promise<void>;

export const resolveIdentity = (parts: Parts) =>
  platformRoute({
    method: 'post',
    path: '/internal/identities:resolve',
    summary: 'Resolve an external identity to a user, creating one where the connection allows it',
    action: 'identities:resolve',
    body: resolveIdentityRequest,
    response: resolveIdentityResponse,
    handle: async ({ body }) => ({ body: await resolve(parts, body, causeOf(body)) }),
  });

/** The events tell of the identity provider's word, given where the person stands, not of the service that passed it on. */
function causeOf({ connectionId, issuer, origin }: ResolveIdentityRequest): Cause {
  return {
    actor: { type: 'identity_provider', id: connectionId, name: issuer, via: 'idp' },
    context: { ...emptyContext, ip: origin.ip, userAgent: origin.userAgent, connectionId },
    correlationId: origin.correlationId,
  };
}

async function resolve(parts: Parts, request: ResolveIdentityRequest, cause: Cause): Promise<ResolveIdentityResponse> {
  const { tenantId, email, emailVerified, jit } = request;
  const users = parts.users.in(tenantId);
  const identities = parts.identities.in(tenantId);
  const id = identityId(request);

  const known = await identities.get(id);
  if (known?.state.status === 'linked') {
    const user = await users.get(known.state.userId);
    if (user) return answer(user, false);
  }
  const sameAddress = email === null ? null : await users.getByUnique('email', addressKey(email));
  if (sameAddress && sameAddress.id !== known?.state.userId) {
    if (!emailVerified) throw await refuse(parts, request, 'address_not_verified');
    await identities.change(
      id,
      identity => link(id, identity ?? reserve(request, sameAddress.id).state, 'verified_email'),
      { cause },
    );
    return answer(sameAddress, false);
  }
  if (!jit.enabled && !known) throw new ProblemError('identity_unknown');

  const reserved = await identities.change(id, identity => (identity ? null : reserve(request, newId('user'))), {
    cause,
  });
  if (!reserved) throw new ProblemError('conflict');
  const user = await createdUser(parts, request, reserved.state.userId, cause);
  await identities.change(id, identity => identity && link(id, identity, 'jit'), { cause });
  return answer(user, true);
}

async function createdUser(
  parts: Parts,
  request: ResolveIdentityRequest,
  userId: string,
  cause: Cause,
): Promise<Entry<User>> {
  const users = parts.users.in(request.tenantId);
  const granted = roles.filter((role): role is Role => request.jit.defaultRoles.includes(role));
  const { email, displayName } = request;
  const createdAt = parts.clock.now().toISOString();
  try {
    const user = add(userId, { email, displayName, roles: granted, source: 'jit', createdAt }, because('just_in_time'));
    const created = (await users.create(userId, user, cause)) ?? (await users.get(userId));
    if (!created) throw new ProblemError('conflict');
    return created;
  } catch (error) {
    if (error instanceof DuplicateKeyError) throw await refuse(parts, request, 'address_taken');
    throw error;
  }
}

async function refuse(parts: Parts, request: ResolveIdentityRequest, conflict: string): Promise<ProblemError> {
  await parts.recordFact(request.tenantId, conflicted(identityId(request), request, conflict), causeOf(request));
  return new ProblemError('identity_conflict');
}

function answer({ id, state }: Entry<User>, created: boolean): ResolveIdentityResponse {
  if (state.status === 'deactivated') throw new ProblemError('user_deactivated');
  return {
    userId: id as ResolveIdentityResponse['userId'],
    email: state.email,
    displayName: state.displayName,
    roles: state.roles,
    created,
  };
}
