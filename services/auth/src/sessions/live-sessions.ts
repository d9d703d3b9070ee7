// Sessions as the OpenID provider and the sign-in meet them: live ones, of tenants that are not suspended.
import { type Cause, isId, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import type { EnforceDomain } from '../home-realm/enforce-domain.ts';
import { type EndCause, end, noteApplication, type Session, type SessionId, type Sessions } from './session.ts';

/** Names a session, wherever something belongs to it. */
export type SessionRef = { tenantId: TenantId; sessionId: SessionId };

export type LiveSession = Entry<Session> & { id: SessionId; tenantId: TenantId };

export type LiveSessions = ReturnType<typeof createLiveSessions>;

type Parts = { sessions: Sessions; tenants: TenantDirectory; enforceDomain: EnforceDomain };

export function createLiveSessions({ sessions, tenants, enforceDomain }: Parts) {
  return {
    async find({ tenantId, sessionId }: SessionRef): Promise<LiveSession | null> {
      const found = await sessions.in(tenantId).get(sessionId);
      if (found?.state.status !== 'live') return null;
      // A suspended tenant's sessions are there again when it is resumed.
      if ((await tenants.findNow(tenantId))?.status !== 'active') return null;
      // Nor does one count that began another way than the person's organization now demands.
      const { connectionId, email } = found.state;
      if (await enforceDomain.isElsewhere({ tenantId, connectionId, email })) return null;
      return { ...found, id: sessionId, tenantId };
    },

    /** Somebody goes to an application in it. */
    async note({ id, tenantId, state }: LiveSession, clientId: string): Promise<void> {
      if (state.applications.includes(clientId)) return;
      const cause = serviceCause('auth', { correlationId: newEventId(), sessionId: id });
      await sessions.in(tenantId).change(id, session => session && noteApplication(session, clientId), { cause });
    },

    /** A second time changes nothing. */
    async end({ tenantId, sessionId }: SessionRef, why: EndCause, cause: Cause): Promise<void> {
      await sessions.in(tenantId).change(sessionId, session => session && end(sessionId, session, why), { cause });
    },
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
