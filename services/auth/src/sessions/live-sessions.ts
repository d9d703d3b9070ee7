// Sessions as the OpenID provider and the sign-in meet them: live ones, of tenants that are not suspended.
import { type Cause, isId, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import type { EnforceDomain } from '../home-realm/enforce-domain.ts';
import { stillReached } from '../step-up-policies/step-up-policy.ts';
import type { StepUpPolicyDirectory } from '../step-up-policies/step-up-policy-directory.ts';
import { stricter } from '../surface-policies/surface-policy.ts';
import type { SurfacePolicyDirectory } from '../surface-policies/surface-policy-directory.ts';
import { isOtherDevice } from './describe-session.ts';
import {
  type EndCause,
  end,
  overAt,
  overAtElsewhere,
  type Session,
  type SessionId,
  type Sessions,
  use,
} from './session.ts';

/** Names a session, wherever something belongs to it. */
export type SessionRef = { tenantId: TenantId; sessionId: SessionId };

export type LiveSession = Entry<Session> & { id: SessionId; tenantId: TenantId };

export type LiveSessions = ReturnType<typeof createLiveSessions>;

/** What a browser shows its cookie for, and what it says of itself. */
type At = { surface: string; userAgent: string | null };

type Parts = {
  sessions: Sessions;
  tenants: TenantDirectory;
  enforceDomain: EnforceDomain;
  policies: SurfacePolicyDirectory;
  stepUpPolicies: StepUpPolicyDirectory;
  clock: Clock;
  /** What began before it counts no more (ISO 8601); null where everything counts. */
  countsFrom?: () => string | null;
};

export function createLiveSessions(parts: Parts) {
  const { sessions, tenants, enforceDomain, policies, stepUpPolicies, clock, countsFrom = () => null } = parts;
  const own = (session: LiveSession) => policies.find(session.tenantId, session.state.surface);
  const isOver = (at: string) => at <= clock.now().toISOString();
  const changed = (id: SessionId) => serviceCause('auth', { correlationId: newEventId(), sessionId: id });

  async function inTime(tenantId: TenantId, found: Entry<Session> | null): Promise<LiveSession | null> {
    if (found?.state.status !== 'live') return null;
    const { createdAt, signedInAt = createdAt } = found.state;
    // Of before the store was restored: it may have ended since the backup, and its tokens were followed by others.
    if (signedInAt < (countsFrom() ?? '')) return null;
    const session = { ...found, id: found.id as SessionId, tenantId };
    return isOver(overAt(session.state, await own(session))) ? null : session;
  }

  const findStored = async ({ tenantId, sessionId }: SessionRef): Promise<LiveSession | null> =>
    inTime(tenantId, await sessions.in(tenantId).get(sessionId));

  /** Whether it counts, and as it does, for one that is in time. */
  async function asItCounts(session: LiveSession | null): Promise<LiveSession | null> {
    if (!session) return null;
    const { tenantId } = session;
    // A suspended tenant's sessions are there again when it is resumed.
    if ((await tenants.findNow(tenantId))?.status !== 'active') return null;
    // Nor does one count that began another way than the person's organization now demands.
    const { connectionId, email } = session.state;
    return (await enforceDomain.isElsewhere({ tenantId, connectionId, email })) ? null : withLevelOfNow(session);
  }

  /** A level that the provider's word was taken for lasts as long as the tenant takes it. */
  async function withLevelOfNow(session: LiveSession): Promise<LiveSession> {
    const { stepUp, ...state } = session.state;
    if (stepUp?.by !== 'identity_provider') return session;
    const reached = stillReached(await stepUpPolicies.of(session.tenantId), state, stepUp);
    return { ...session, state: reached ? { ...state, stepUp: reached } : state };
  }

  async function endOne({ tenantId, sessionId }: SessionRef, why: EndCause, cause: Cause): Promise<void> {
    await sessions.in(tenantId).change(sessionId, session => session && end(sessionId, session, why), { cause });
  }

  /** When it is over for an application of that surface, unless it is used. */
  async function overFor(session: LiveSession, surface: string): Promise<string> {
    const at = overAt(session.state, await own(session));
    if (surface === session.state.surface) return at;
    const elsewhere = overAtElsewhere(session.state, await policies.find(session.tenantId, surface));
    return elsewhere < at ? elsewhere : at;
  }

  return {
    find: async (ref: SessionRef): Promise<LiveSession | null> => asItCounts(await findStored(ref)),

    /** The same for one that was read just now, by another name than its id. */
    ofRead: async (tenantId: TenantId, read: Entry<Session>): Promise<LiveSession | null> =>
      asItCounts(await inTime(tenantId, read)),

    /** Whether it counts by itself, for whoever has looked at the tenant. */
    isLive: async (ref: SessionRef): Promise<boolean> => (await findStored(ref)) !== null,

    overFor,

    /** What holds where an application of that surface is used says that the person has to sign in once more. */
    isOverFor: async (session: LiveSession, surface: string): Promise<boolean> =>
      isOver(await overFor(session, surface)),

    /** A browser shows its cookie: what is said of another device than it began at comes about. */
    async cameFrom(session: LiveSession, at: At, cause: Cause): Promise<'as_before' | 'sign_in'> {
      if (!isOtherDevice(session.state, at.userAgent)) return 'as_before';
      // Of where it began and of where it is used, the stricter.
      const here = await policies.find(session.tenantId, at.surface);
      const deviceChange = stricter((await own(session)).deviceChange, here.deviceChange);
      const ref = { tenantId: session.tenantId, sessionId: session.id };
      if (deviceChange === 'end') await endOne(ref, 'device_changed', cause);
      return deviceChange === 'ignore' ? 'as_before' : 'sign_in';
    },

    /** Somebody uses an application in it. */
    async use(session: LiveSession, clientId: string): Promise<void> {
      const { id, tenantId, state } = session;
      const [policy, used] = [await own(session), { clientId, now: clock.now() }];
      if (!use(state, used, policy)) return;
      await sessions.in(tenantId).change(id, now => now && use(now, used, policy), { cause: changed(id) });
    },

    /** A second time changes nothing. */
    end: endOne,
  };
}

/** Between the parts of a name; none of them holds it. */
export const separator = '~';

/** As part of a name that is made of URL-safe text. */
export const refText = ({ tenantId, sessionId }: SessionRef): string => `${tenantId}${separator}${sessionId}`;

/** The session in a name that begins with it; null in any other. */
export function refIn(name: string): SessionRef | null {
  const [tenantId, sessionId] = name.split(separator);
  return isId('tenant', tenantId) && isId('session', sessionId) ? { tenantId, sessionId } : null;
}
