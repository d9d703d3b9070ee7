// Ends the sessions of a person whom an identity provider names. It speaks for those alone who have an identity at its
// connection, in that connection's tenant; of them all sessions end, by whichever connection they began.
import { type Cause, type Id, isId, type TenantId } from '@reeve/contracts';
import type { TenantEntry } from '@reeve/store';
import type { Connection } from '../connections/connection.ts';
import { type EndAllParts, endAllOf, endEach } from '../sessions/end-all.ts';
import { addressKeyOf, type EndCause, type Session } from '../sessions/session.ts';
import type { IdentityResolver } from '../sign-in/identity-resolver.ts';
import { type Named, namedBy, type Subject } from './subject.ts';

type Parts = EndAllParts & { identities: Pick<IdentityResolver, 'find'> };

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

export function createEndSessionsOf(parts: Parts) {
  const { sessions, identities } = parts;
  /**
   * By the live sessions that have begun by that connection: provisioning need not be there for the common case. Of
   * those that have ended the identity may be another person's by now.
   */
  async function withSessions(tenantId: TenantId, connectionId: string, named: Named): Promise<Set<Id<'user'>>> {
    const own = sessions.in(tenantId);
    const found =
      'subject' in named
        ? own.all('byProvider', { connectionId, providerSubject: named.subject })
        : 'email' in named
          ? own.all('byAddress', { connectionId, addressKey: addressKeyOf(named.email) })
          : own.all('byUser', { userId: named.userId as Id<'user'> });
    const people = new Set<Id<'user'>>();
    for await (const { state } of found)
      if (state.status === 'live' && state.connectionId === connectionId) people.add(state.userId);
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

  /** Whether there is such a person. A second time changes nothing. */
  return async (
    connection: TenantEntry<Connection>,
    { subject, because, cause, at, isOfAll = true, only = () => true }: Asked,
  ): Promise<boolean> => {
    const { tenantId } = connection;
    const people = await peopleNamed(connection, subject);
    for (const userId of people) {
      const all = { tenantId, userId, why: because, cause, only };
      await (isOfAll ? endAllOf(parts, { ...all, at }) : endEach(sessions, all));
    }
    return people.size > 0;
  };
}
