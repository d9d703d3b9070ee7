// An external identity: a subject at an issuer, by way of one connection. That is what it is known by; an address leads
// to a user once, and only where the connection speaks for its domain. What does not fit safely is refused and
// reported, never merged by guess. The identity that a user was made for stands in the user; here are those that were
// linked later.
import { createHash } from 'node:crypto';
import { type EventDraft, event, type Id, type ReasonOf, type ResolveIdentityRequest } from '@reeve/contracts';
import { type Collections, collection, type Decision } from '@reeve/store';

export type Identity = {
  connectionId: string;
  issuer: string;
  subject: string;
  userId: Id<'user'>;
  /** Absent for those from before that was kept. */
  linkedAt?: string;
  /** Absent while it is linked. What was unlinked is remembered: no address leads from there to the user again. */
  unlinkedAt?: string;
  /** It was linked anew, or another one in its place. */
  isReplaced?: boolean;
};

export type Identities = Collections<Identity>;

export type Conflict = ReasonOf<'identity.conflicted'>;

export const ofConnection = ({ userId, connectionId }: Pick<Identity, 'userId' | 'connectionId'>): string =>
  `${userId}|${connectionId}`;

export const identities = collection<Identity>({
  name: 'identities',
  unique: {
    // A second subject that comes by the same connection with a user's address has most likely been given a mailbox
    // that was somebody else's.
    onePerConnection: identity => (identity.isReplaced ? null : ofConnection(identity)),
  },
  queries: { byUser: { equality: ['userId'] } },
});

/**
 * The same subject by way of another connection is another identity: an identity provider speaks only for its own
 * connection.
 */
export function identityId({ connectionId, issuer, subject }: Omit<Identity, 'userId'>): string {
  return createHash('sha256')
    .update(JSON.stringify([connectionId, issuer, subject]))
    .digest('hex');
}

export function linked(
  id: string,
  { userId, connectionId, issuer }: Omit<Identity, 'subject'>,
  how: ReasonOf<'identity.linked'>,
): EventDraft {
  return event('identity.linked', { id, because: how, details: { userId, connectionId, issuer, how } });
}

export function unlink(id: string, identity: Identity, at: Date): Decision<Identity> {
  if (identity.unlinkedAt) return null;
  const { userId, connectionId, issuer } = identity;
  const unlinked = event('identity.unlinked', { id, because: 'requested', details: { userId, connectionId, issuer } });
  return { state: { ...identity, unlinkedAt: at.toISOString() }, events: [unlinked] };
}

export function conflicted(
  id: string,
  { connectionId, issuer }: ResolveIdentityRequest,
  conflict: Conflict,
): EventDraft {
  return event('identity.conflicted', { id, because: conflict, details: { connectionId, issuer, conflict } });
}
