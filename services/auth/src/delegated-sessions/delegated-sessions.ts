// Sessions in which an assistant, agent or bot acts for a person, because the tenant's identity provider has vouched for
// them. Each is a session like those that people are in themselves, so that whatever ends one ends it, and apart from
// them: the person's own goes on when it ends, and the other way round.
import {
  type Cause,
  type Id,
  newId,
  type ProblemCode,
  ProblemError,
  type ResolveIdentityResponse,
  serviceCause,
  type TenantId,
} from '@reeve/contracts';
import { type Clock, DuplicateKeyError } from '@reeve/store';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import { noProfile } from '../connections/kinds/kind.ts';
import type { EnforceDomain } from '../home-realm/enforce-domain.ts';
import type { CatchUp } from '../sessions/catch-up.ts';
import type { LiveSession, LiveSessions } from '../sessions/live-sessions.ts';
import {
  begin,
  type Delegate,
  delegateKey,
  overAt,
  type Session,
  type SessionId,
  type Sessions,
  settle,
} from '../sessions/session.ts';
import type { IdentityResolver } from '../sign-in/identity-resolver.ts';
import type { StatusLists } from '../status-lists/status-lists.ts';
import type { SurfacePolicy } from '../surface-policies/surface-policy.ts';
import type { SurfacePolicyDirectory } from '../surface-policies/surface-policy-directory.ts';

type Asked = {
  tenantId: TenantId;
  connectionId: Id<'connection'>;
  /** By what the connection knows the person, read from what its identity provider has signed. */
  subject: string;
  /** As the provider itself names them, where that is another name: by it, it ends their sessions. */
  providerSubject?: string | undefined;
  /** As it calls itself for them, where that is not what the connection is known by: of many directories one. */
  issuer?: string;
  delegate: Delegate;
  surface: string;
  /** When the identity provider last made sure of the person; null where it does not say. */
  authenticatedAt: Date | null;
  amr: string[];
  acr: string | null;
  cause: Cause;
};

/**
 * `inactive`: the person is deactivated or may not come in by that connection, or it or the tenant is not in use.
 * `taken`: the delegation is of another person.
 */
type Refusal = 'unknown_subject' | 'inactive' | 'taken';
export type Refused = { refused: Refusal };

type Parts = {
  sessions: Sessions;
  live: LiveSessions;
  connections: ConnectionDirectory;
  identities: Pick<IdentityResolver, 'resolve'>;
  enforceDomain: EnforceDomain;
  policies: SurfacePolicyDirectory;
  catchUp: CatchUp;
  statusLists: Pick<StatusLists, 'withPlace'>;
  clock: Clock;
};

export type DelegatedSessions = ReturnType<typeof createDelegatedSessions>;

const refusals: Partial<Record<ProblemCode, Refusal>> = {
  identity_unknown: 'unknown_subject',
  identity_conflict: 'unknown_subject',
  user_deactivated: 'inactive',
  tenant_suspended: 'inactive',
  domain_enforced: 'inactive',
  connection_not_active: 'inactive',
  sign_in_expired: 'inactive',
};

/** As often as another instance may begin or end the same one meanwhile. */
const attempts = 3;

export function createDelegatedSessions(parts: Parts) {
  const { sessions, live, connections, identities, enforceDomain, policies, catchUp, statusLists, clock } = parts;

  /** Null where there is none, or where its time was over. */
  async function findHeld({ tenantId, connectionId, subject, delegate, cause }: Asked) {
    const own = sessions.in(tenantId);
    const held = await own.getByUnique('delegate', delegateKey(delegate));
    if (!held) return null;
    const { connectionId: heldBy, identity, surface } = held.state;
    if (heldBy !== connectionId || identity?.subject !== subject) return { refused: 'taken' } as const;
    const sessionId = held.id as SessionId;
    const found = await live.ofRead(tenantId, held);
    if (found) return found;
    const at = { now: clock.now(), policy: await policies.find(tenantId, surface) };
    const ofService = serviceCause('auth', { correlationId: cause.correlationId, sessionId });
    const settled = await own.change(sessionId, now => now && settle(sessionId, now, at), { cause: ofService });
    return settled?.state.status === 'live' ? ({ refused: 'inactive' } as const) : null;
  }

  /** Nobody is made by asking, nor found by an address: `email` is not said. */
  async function resolve({ tenantId, connectionId, subject, issuer, cause }: Asked) {
    const connection = await connections.findActive(tenantId, connectionId);
    if (!connection) throw new ProblemError('connection_not_active');
    const { ip, userAgent } = cause.context;
    const lookedUpAt = clock.now().toISOString();
    const person = await identities.resolve({
      tenantId,
      connectionId,
      issuer: issuer ?? connection.state.issuer,
      subject,
      email: null,
      emailVerified: false,
      domainOwned: false,
      displayName: null,
      jit: { enabled: false, defaultRoles: [] },
      origin: { correlationId: cause.correlationId, ip, userAgent },
    });
    await enforceDomain.assertHere({ tenantId, connectionId, email: person.email });
    return { ...person, lookedUpAt, method: connection.state.kind, issuer: issuer ?? connection.state.issuer };
  }

  async function beginOne(asked: Asked): Promise<LiveSession | null> {
    const { tenantId, delegate, surface } = asked;
    const { lookedUpAt, ...person } = await resolve(asked);
    const sessionId = newId('session');
    const cause = { ...asked.cause, context: { ...asked.cause.context, sessionId } };
    const session = sessionOf(asked, person, { policy: await policies.find(tenantId, surface), now: clock.now() });
    await statusLists.withPlace(statusList =>
      sessions.in(tenantId).create(sessionId, begin(sessionId, { ...session, delegate, statusList }), cause),
    );
    await catchUp({ tenantId, sessionId, userId: person.userId }, { lookedUpAt, cause });
    return live.find({ tenantId, sessionId });
  }

  return {
    /**
     * The live session of that delegation, which begins where there is none. Throws `dependency_unavailable` while
     * provisioning cannot be asked.
     */
    async open(asked: Asked): Promise<LiveSession | Refused> {
      for (let attempt = 1; ; attempt += 1) {
        const held = await findHeld(asked);
        if (held) return held;
        try {
          return (await beginOne(asked)) ?? { refused: 'inactive' };
        } catch (error) {
          // Another request was first with it.
          if (error instanceof DuplicateKeyError && error.unique === 'delegate' && attempt < attempts) continue;
          const refused = error instanceof ProblemError ? refusals[error.code] : undefined;
          if (refused === undefined) throw error;
          return { refused };
        }
      }
    },
  };
}

type Person = Omit<ResolveIdentityResponse, 'created'> & { method: string; issuer: string };

function sessionOf(
  { connectionId, subject, providerSubject = subject, surface, authenticatedAt, amr, acr, cause, delegate }: Asked,
  { userId, email, emailVerified, displayName, roles, groups, method, issuer }: Person,
  { policy, now }: { policy: SurfacePolicy; now: Date },
): Omit<Session, 'status'> {
  const { ip, userAgent } = cause.context;
  const at = now.toISOString();
  const session = {
    userId,
    email,
    emailVerified,
    displayName,
    profile: noProfile,
    roles,
    groups,
    connectionId,
    method,
    identity: { issuer, subject },
    providerSubject,
    providerSession: null,
    surface,
    applications: [delegate.clientId],
    amr: ['fed', ...amr],
    acr,
    ip,
    userAgent,
    createdAt: at,
    signedInAt: at,
    lastSeenAt: at,
    // A provider whose clock is fast makes sure of nobody tomorrow.
    authenticatedAt: authenticatedAt && authenticatedAt < now ? authenticatedAt.toISOString() : at,
    expiresAt: new Date(now.getTime() + policy.absoluteSeconds * 1_000).toISOString(),
  };
  return { ...session, overAt: overAt(session, policy) };
}
