// A session: the server's record of who is signed in, where and since when. The refresh tokens issued in it belong to it: no token is
// refreshed without finding its session live, so that ending the one ends the other in the same write (lesson L1).
import { because, type EventDraft } from '@reeve/contracts';
import type { Collections, Decision, Entry, RawDraft, Store } from '@reeve/store';
import { z } from 'zod';

export type Session = {
  userId: string;
  email: string | null;
  displayName: string | null;
  roles: string[];
  connectionId: string;
  /** The id under which the OpenID provider knows this session. */
  providerUid: string;
  surface: string;
  amr: string[];
  acr: string | null;
  status: 'live' | 'revoked';
  ip: string | null;
  userAgent: string | null;
  createdAt: string;
  authenticatedAt: string;
  expiresAt: string;
};

export type Sessions = Collections<Session>;

/** Why a session ended: every way there is. Each emits exactly one `session.revoked` (lesson L3). */
export type EndCause = 'terminated' | 'signed_out' | 'user_deactivated';

export const sessionLifetimeMs = 12 * 3_600_000;

export const sessionView = z.object({
  id: z.string(),
  userId: z.string(),
  email: z.string().nullable(),
  connectionId: z.string(),
  surface: z.string(),
  amr: z.array(z.string()),
  status: z.enum(['live', 'revoked']),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
});

export function defineSessions(store: Store): Sessions {
  return store.collections<Session>({
    name: 'sessions',
    globallyUnique: {
      id: (_, id) => id,
      // A session that has ended gives the browser's id free for the next one.
      providerUid: session => (session.status === 'live' ? session.providerUid : null),
    },
    queries: {
      inOrder: { equality: [], direction: 'descending' },
      byUser: { equality: ['userId'], direction: 'descending' },
    },
    expiresAt: session => new Date(session.expiresAt),
  });
}

export function viewOf({ id, state }: Entry<Session>): z.infer<typeof sessionView> {
  const { userId, email, connectionId, surface, amr, status, ip, userAgent, createdAt, expiresAt } = state;
  return { id, userId, email, connectionId, surface, amr, status, ip, userAgent, createdAt, expiresAt };
}

const target = (id: string) => ({ type: 'session', id, name: null });
const described = ({ userId, surface, connectionId }: Session) => ({ userId, surface, provider: connectionId });

function signedIn({ userId, amr, acr, displayName, email }: Session): EventDraft {
  const person = { type: 'user', id: userId, name: displayName ?? email };
  return {
    type: 'sign_in.succeeded',
    target: person,
    outcome: 'success',
    reason: because('identity_provider'),
    details: { userId, method: 'oidc', amr, acr },
  };
}

export function begin(id: string, session: Omit<Session, 'status'>): NonNullable<Decision<Session>> {
  const state: Session = { ...session, status: 'live' };
  const created: EventDraft = {
    type: 'session.created',
    target: target(id),
    outcome: 'success',
    reason: because('signed_in'),
    details: described(state),
  };
  return { state, events: [signedIn(state), created] };
}

/** The same person signed in once more in the same browser session. */
export function reauthenticate(
  session: Session,
  again: Pick<Session, 'authenticatedAt' | 'amr' | 'acr' | 'roles'>,
): Decision<Session> {
  if (session.status !== 'live') return null;
  const state: Session = { ...session, ...again };
  return { state, events: [signedIn(state)] };
}

export function end(id: string, session: Session, cause: EndCause): Decision<Session> {
  if (session.status === 'revoked') return null;
  const state: Session = { ...session, status: 'revoked' };
  const details = { ...described(state), cause };
  const revoked: EventDraft = {
    type: 'session.revoked',
    target: target(id),
    outcome: 'success',
    reason: because(cause),
    details,
  };
  return { state, events: [revoked, revocation(id, state)] };
}

/** What verifiers of our tokens keep in memory: which session is over, and until when a token of it could still be alive. */
function revocation(id: string, { userId, expiresAt }: Session): RawDraft {
  const data = Buffer.from(JSON.stringify({ kind: 'session', id, userId, until: expiresAt }));
  return {
    topic: 'reeve.revocations.v1',
    key: id,
    type: 'session.revoked',
    subject: `session/${id}`,
    contentType: 'application/json',
    data,
  };
}
