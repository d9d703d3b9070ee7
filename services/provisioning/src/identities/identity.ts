// An external identity: a subject at an issuer, by way of one connection. Kept apart from the user it leads to, of whom it is one
// of possibly many. Linked by verified attributes only; what does not fit safely is refused and reported, never merged by guess.
import { createHash } from 'node:crypto';
import { because, type EventDraft, type ResolveIdentityRequest } from '@reeve/contracts';
import type { Collections, Decision, Store } from '@reeve/store';

export type Identity = {
  connectionId: string;
  issuer: string;
  subject: string;
  userId: string;
  /** Reserved: a user with this id is being made. A crash in between is finished by the next sign-in. */
  status: 'reserved' | 'linked';
};

export type Identities = Collections<Identity>;

export type How = 'jit' | 'verified_email';

export function defineIdentities(store: Store): Identities {
  return store.collections<Identity>({ name: 'identities', queries: { byUser: { equality: ['userId'] } } });
}

/** The same subject by way of another connection is another identity: an IdP speaks only for its own connection. */
export function identityId({
  connectionId,
  issuer,
  subject,
}: Pick<Identity, 'connectionId' | 'issuer' | 'subject'>): string {
  return createHash('sha256')
    .update(JSON.stringify([connectionId, issuer, subject]))
    .digest('hex');
}

export function reserve(request: ResolveIdentityRequest, userId: string): NonNullable<Decision<Identity>> {
  const { connectionId, issuer, subject } = request;
  return { state: { connectionId, issuer, subject, userId, status: 'reserved' }, events: [] };
}

export function link(id: string, identity: Identity, how: How): Decision<Identity> {
  if (identity.status === 'linked') return null;
  const { userId, connectionId, issuer } = identity;
  const event: EventDraft = {
    type: 'identity.linked',
    target: { type: 'identity', id, name: null },
    outcome: 'success',
    reason: because(how),
    details: { userId, connectionId, issuer, how },
  };
  return { state: { ...identity, status: 'linked' }, events: [event] };
}

export function conflicted(id: string, { connectionId, issuer }: ResolveIdentityRequest, conflict: string): EventDraft {
  return {
    type: 'identity.conflicted',
    target: { type: 'identity', id, name: null },
    outcome: 'denied',
    reason: because(conflict),
    details: { connectionId, issuer, conflict },
  };
}
