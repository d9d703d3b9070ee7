// Ends the sessions of a person whom an identity provider names. It speaks for those alone who have an identity at its
// connection, in that connection's tenant; of them all sessions end, by whichever connection they began.
import { type Cause, type Id, isId, type TenantId } from '@reeve/contracts';
import type { TenantEntry } from '@reeve/store';
import type { Connection } from '../connections/connection.ts';
import { noted, type PeopleChanges, type PersonChange } from '../sessions/people-changes.ts';
import { addressKeyOf, type EndCause, end, type Session, type SessionId, type Sessions } from '../sessions/session.ts';
import type { IdentityResolver } from '../sign-in/identity-resolver.ts';
import { type Named, namedBy, type Subject } from './subject.ts';

type Parts = { sessions: Sessions; peopleChanges: PeopleChanges; identities: Pick<IdentityResolver, 'find'> };

type Asked = {
  subject: Subject;
  because: EndCause;
  cause: Cause;
  /** When that was so: who has begun to sign in before it begins anew. */
  at: Date;
  /** Not for all of the person's sessions, so that who is on their way to one goes on. */
  isOfAll?: boolean;
  /** Which of those that have begun: all, unless it says otherwise. */
  only?: (session: Session) => boolean;
};

export type EndSessionsOf = ReturnType<typeof createEndSessionsOf>;

export function createEndSessionsOf({ sessions, peopleChanges, identities }: Parts) {
  /** By the sessions that have begun by that connection: provisioning need not be there for the common case. */
  async function withSessions(tenantId: TenantId, connectionId: string, named: Named): Promise<Set<Id<'user'>>> {
    const own = sessions.in(tenantId);
    const found =
      'subject' in named
        ? own.all('byProvider', { connectionId, providerSubject: named.subject })
        : 'email' in named
          ? own.all('byAddress', { connectionId, addressKey: addressKeyOf(named.email) })
          : own.all('byUser', { userId: named.userId as Id<'user'> });
    const people = new Set<Id<'user'>>();
    for await (const { state } of found) if (state.connectionId === connectionId) people.add(state.userId);
    return people;
  }

  async function peopleNamed({ tenantId, id, state: { issuer } }: TenantEntry<Connection>, subject: Subject) {
    const named = namedBy(subject, issuer);
    if (!named || !isId('connection', id)) return new Set<Id<'user'>>();
    const people = await withSessions(tenantId, id, named);
    if (people.size > 0) return people;
    // Somebody who has none by this connection may have some by another.
    const by = 'subject' in named ? { issuer, subject: named.subject } : named;
    const known = await identities.find({ tenantId, connectionId: id, by });
    return new Set(known === null ? [] : [known]);
  }

  async function signOut(
    tenantId: TenantId,
    userId: Id<'user'>,
    { because, cause, at }: Pick<Asked, 'because' | 'cause' | 'at'>,
  ): Promise<void> {
    const decide = (known: PersonChange | null) => {
      const state = noted(known, { at: at.toISOString(), signedOut: because });
      return state && { state, events: [] };
    };
    await peopleChanges.in(tenantId).change(userId, decide, { cause });
  }

  /** Whether there is such a person. A second time changes nothing. */
  return async (
    connection: TenantEntry<Connection>,
    { subject, because, cause, at, isOfAll = true, only }: Asked,
  ): Promise<boolean> => {
    const own = sessions.in(connection.tenantId);
    const people = await peopleNamed(connection, subject);
    for (const userId of people) {
      // First what sessions ask for that begin from now on, then those that have begun.
      if (isOfAll) await signOut(connection.tenantId, userId, { because, cause, at });
      for await (const { id, state } of own.all('byUser', { userId }, { only: { status: 'live' } })) {
        if (only?.(state) === false) continue;
        await own.change(id, session => session && end(id as SessionId, session, because), { cause });
      }
    }
    return people.size > 0;
  };
}
