// A session: the server's record of who is signed in, where and since when. The refresh tokens issued in it belong to
// it: no token is refreshed without finding its session live, so that ending the one ends the other in the same write
// (lesson L1).
import { event, type Id, mattersUntil, type ReasonOf, revocationDraft } from '@reeve/contracts';
import { type Collections, collection, type Decision } from '@reeve/store';
import { noProfile, type Profile, type ProviderSession } from '../connections/kinds/kind.ts';
import { acrOf, acrOfLevel, amrOf, type StepUp } from '../factors/level.ts';
import type { SurfacePolicy } from '../surface-policies/surface-policy.ts';

export const riskSigns = ['new_device', 'new_network', 'new_country'] as const;
export type RiskSign = (typeof riskSigns)[number];

/** Whoever acts for the person in a session: an assistant that an ID-JAG was given to, or a bot that they signed in at. */
export type Delegate = {
  clientId: string;
  /** What people call it; as it was when the session began. */
  name: string;
  by: 'id_jag' | 'bot';
  /** What tells the session from the others that the same client has: up to its maker. */
  key: string;
};

export type Session = {
  userId: Id<'user'>;
  email: string | null;
  /** It without what makes no other address, to find the person by; absent for sessions from before that was kept. */
  addressKey?: string;
  /** It is the person's own, by the word of who speaks for its domain. */
  emailVerified: boolean;
  displayName: string | null;
  profile: Profile;
  /** Those that the person has now: a change reaches every live session. */
  roles: string[];
  /** As the roles; absent for sessions from before there were groups. */
  groups?: string[];
  connectionId: string;
  /** As whom the directory knows them at that connection; absent for sessions from before that was kept. */
  identity?: { issuer: string; subject: string };
  /** How the person signed in: the kind of the connection. */
  method: string;
  /** Who the person is at the connection's provider, and its session; null where it could not be ended with ours. */
  providerSubject: string | null;
  providerSession: ProviderSession | null;
  /** In what kind of place people use the application that the person signed in for. */
  surface: string;
  /** Those that the person went to in it, who are told of its end. */
  applications: string[];
  /** As the provider has said. What is told of the session is `amrOf` and `acrOf` it. */
  amr: string[];
  acr: string | null;
  /** The level that was reached in it since the person signed in; absent where none was. */
  stepUp?: StepUp;
  status: 'live' | 'revoked' | 'expired';
  /** Absent for a session that the person is in themselves. */
  delegate?: Delegate;
  /** Its place in a token status list; absent for sessions from before there were any. */
  statusList?: { id: string; index: number };
  ip: string | null;
  userAgent: string | null;
  /** What was unusual for the person at their last sign-in; absent for sessions from before that was known. */
  riskSigns?: RiskSign[];
  createdAt: string;
  /** When the person proved who they are: at the identity provider, where it says so. */
  authenticatedAt: string;
  /** When they last signed in here, whenever that was there; absent for sessions from before that was kept. */
  signedInAt?: string;
  /** When an application was last used in it, to some minutes; absent for sessions from before that was kept. */
  lastSeenAt?: string;
  /** It goes on no longer, whatever is done in it. */
  expiresAt: string;
  /** When it is over unless it is used; absent for sessions from before there was such a limit. */
  overAt?: string;
};

export type Sessions = Collections<Session>;
export type SessionId = Id<'session'>;

/** Why a session ended: every way there is. Each emits exactly one `session.revoked` (lesson L3). */
export type EndCause = ReasonOf<'session.revoked'>;

/** How long a browser's cookie is good for: which sessions it leads to is another matter. */
export const browserLoginSeconds = 12 * 3_600;

/** What has ended is shown to administrators for as long. */
const shownAfterwardsMs = 24 * 3_600_000;

export const sessions = collection<Session>({
  name: 'sessions',
  version: 5,
  // Version 1 knew one method, 1 and 2 not the provider's session, up to 3 no more of the person than the name, and up
  // to 4 not the applications.
  upgrade: state =>
    ({
      method: 'oidc',
      providerSubject: null,
      providerSession: null,
      emailVerified: false,
      profile: noProfile,
      applications: [],
      ...(state as object),
    }) as unknown as Session,
  globallyUnique: { statusList: ({ statusList }) => (statusList ? `${statusList.id} ${statusList.index}` : null) },
  // Of the same delegation one session is live at a time.
  unique: { delegate: ({ status, delegate }) => (status === 'live' && delegate ? delegateKey(delegate) : null) },
  queries: {
    byProvider: { equality: ['connectionId', 'providerSubject'] },
    byAddress: { equality: ['connectionId', 'addressKey'] },
    inOrder: { equality: [], direction: 'descending', narrowedBy: ['status'] },
    byUser: { equality: ['userId'], direction: 'descending', narrowedBy: ['status'] },
  },
  dueAt: ({ status, overAt: at, expiresAt }) =>
    status === 'live' ? new Date(at === undefined || expiresAt < at ? expiresAt : at) : null,
  expiresAt: session => new Date(Date.parse(session.expiresAt) + shownAfterwardsMs),
});

export const delegateKey = ({ clientId, by, key }: Pick<Delegate, 'clientId' | 'by' | 'key'>): string =>
  `${by} ${clientId} ${key}`;

/** When it is over by itself, by what holds for its surface now: an earlier end counts from the moment it is said. */
export function overAt(session: Omit<Session, 'status'>, { idleSeconds, absoluteSeconds }: SurfacePolicy): string {
  const { createdAt, lastSeenAt = createdAt, expiresAt } = session;
  const after = (from: string, seconds: number) => new Date(Date.parse(from) + seconds * 1_000).toISOString();
  const ends = [expiresAt, after(createdAt, absoluteSeconds)];
  if (idleSeconds !== null) ends.push(after(lastSeenAt, idleSeconds));
  return ends.toSorted()[0] ?? expiresAt;
}

/** As above, for an application of another surface: its time counts from when the person last signed in. */
export function overAtElsewhere(session: Session, policy: SurfacePolicy): string {
  return overAt({ ...session, createdAt: session.signedInAt ?? session.createdAt }, policy);
}

const described = ({ userId, surface, connectionId }: Session) => ({ userId, surface, provider: connectionId });

function signedIn(state: Session) {
  const { userId: id, method, displayName, email } = state;
  const details = { userId: id, method, amr: amrOf(state), acr: acrOf(state) };
  return event('sign_in.succeeded', { id, name: displayName ?? email, because: 'identity_provider', details });
}

/** Addresses differ from one another by more than case and form of composition. */
export const addressKeyOf = (email: string): string => email.normalize('NFKC').toLowerCase();

const addressed = (email: string | null) => (email === null ? {} : { addressKey: addressKeyOf(email) });

export function begin(id: SessionId, session: Omit<Session, 'status'>): NonNullable<Decision<Session>> {
  const state: Session = { ...session, ...addressed(session.email), status: 'live' };
  const { riskSigns = [], delegate } = state;
  if (delegate) {
    const { clientId, by } = delegate;
    const details = { ...described(state), clientId, by };
    return { state, events: [event('session.created', { id, because: 'delegated', details })] };
  }
  const details = { ...described(state), ...(riskSigns.length > 0 ? { riskSigns } : {}) };
  const created = event('session.created', { id, because: 'signed_in', details });
  return { state, events: [signedIn(state), created, ...steppedUp(id, state)] };
}

/** The same person signed in once more in the same browser. */
export function reauthenticate(id: SessionId, session: Session, again: Omit<Session, 'status'>): Decision<Session> {
  if (session.status !== 'live') return null;
  const {
    authenticatedAt,
    amr,
    acr,
    roles,
    groups = [],
    connectionId,
    method,
    providerSubject,
    providerSession,
  } = again;
  const { email, emailVerified, displayName, profile, signedInAt, ip, userAgent, riskSigns = [], lastSeenAt } = again;
  const { identity } = again;
  const signIn = {
    email,
    ...addressed(email),
    emailVerified,
    displayName,
    profile,
    ...(signedInAt === undefined ? {} : { signedInAt }),
    ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
    // Where they are now, be it another device.
    ip,
    userAgent,
    riskSigns,
    authenticatedAt,
    amr,
    acr,
    roles,
    groups,
    connectionId,
    ...(identity === undefined ? {} : { identity }),
    method,
    providerSubject,
    providerSession,
  };
  // The provider's end counts from now on, and never later than ours.
  const expiresAt = again.expiresAt < session.expiresAt ? again.expiresAt : session.expiresAt;
  // What was reached before belongs to the sign-in before: else a level of this morning would have the time of now.
  const { stepUp: _, ...before } = session;
  const reached = again.stepUp ? { stepUp: again.stepUp } : {};
  const applications = [...new Set([...session.applications, ...again.applications])];
  const state: Session = { ...before, ...signIn, ...reached, applications, expiresAt };
  return { state, events: [signedIn(state), ...steppedUp(id, state)] };
}

function steppedUp(id: SessionId, { userId, stepUp }: Session) {
  if (!stepUp) return [];
  const { level, by, factorId } = stepUp;
  const because = by === 'identity_provider' ? by : 'factor';
  const details = { userId, acr: acrOfLevel(level), kind: by, factorId };
  return [event('step_up.succeeded', { id, because, details })];
}

/** The person has shown more of who they are, in a session that goes on. Null where it has ended meanwhile. */
export function stepUp(id: SessionId, session: Session, reached: StepUp): Decision<Session> {
  if (session.status !== 'live') return null;
  const state: Session = { ...session, stepUp: reached };
  return { state, events: steppedUp(id, state) };
}

/** Of factors that are gone a level is none any more. */
export function lapse(session: Session, factorIds: readonly string[]): Decision<Session> {
  const { stepUp: reached, ...state } = session;
  return reached?.factorId && factorIds.includes(reached.factorId) ? { state, events: [] } : null;
}

/** For those who verify tokens by themselves. */
/** Remembered by verifiers for as long as there can be an access token of it, be the session one of months. */
function revocationOf(id: SessionId, { userId, statusList, expiresAt }: Session) {
  const lastToken = mattersUntil(new Date());
  const until = expiresAt < lastToken ? expiresAt : lastToken;
  return revocationDraft({ kind: 'session', id, userId, ...(statusList ? { statusList } : {}), until });
}

export function end(id: SessionId, session: Session, because: EndCause): Decision<Session> {
  if (session.status !== 'live') return null;
  const state: Session = { ...session, status: 'revoked' };
  return {
    state,
    events: [
      event('session.revoked', { id, because, details: { ...described(state), cause: because } }),
      revocationOf(id, state),
    ],
  };
}

const longestUnnoticedMs = 900_000;
const shortestUnnoticedMs = 60_000;

type Used = { clientId: string; now: Date };

/**
 * Somebody uses an application in it. Null where that is known: an application that they were at, and a use that is a
 * little later than the last.
 */
export function use(session: Session, { clientId, now }: Used, policy: SurfacePolicy): Decision<Session> {
  if (session.status !== 'live') return null;
  const { applications, createdAt, lastSeenAt = createdAt } = session;
  const tenthOfIdleMs = (policy.idleSeconds ?? Infinity) * 100;
  const unnoticedMs = Math.max(shortestUnnoticedMs, Math.min(longestUnnoticedMs, tenthOfIdleMs));
  const isKnown = applications.includes(clientId);
  if (isKnown && now.getTime() - Date.parse(lastSeenAt) < unnoticedMs) return null;
  const used: Session = {
    ...session,
    applications: isKnown ? applications : [...applications, clientId],
    lastSeenAt: now.toISOString(),
  };
  return { state: { ...used, overAt: overAt(used, policy) }, events: [] };
}

/**
 * It is over by itself, which is said once; later where it is used in the meantime. Null where nothing is to be said.
 */
export function settle(id: SessionId, session: Session, at: { now: Date; policy: SurfacePolicy }): Decision<Session> {
  if (session.status !== 'live') return null;
  const now = at.now.toISOString();
  const over = overAt(session, at.policy);
  if (over > now) return over === session.overAt ? null : { state: { ...session, overAt: over }, events: [] };
  const because = overAt(session, { ...at.policy, idleSeconds: null }) > now ? 'idle' : 'expired';
  const expired = event('session.expired', { id, because, details: described(session) });
  // Those who verify tokens by themselves know of no end that came earlier than the tokens say.
  const revoked = session.expiresAt > now ? [revocationOf(id, session)] : [];
  return { state: { ...session, status: 'expired', overAt: over }, events: [expired, ...revoked] };
}

/** What a person has that comes and goes by itself. */
export type Holding = 'roles' | 'groups';

export function changeHeld(session: Session, holding: Holding, changes: Record<string, boolean>): Decision<Session> {
  if (session.status !== 'live') return null;
  const before = session[holding] ?? [];
  const kept = before.filter(one => changes[one] !== false);
  const added = Object.keys(changes).filter(one => changes[one] === true && !before.includes(one));
  if (added.length === 0 && kept.length === before.length) return null;
  return { state: { ...session, [holding]: [...kept, ...added] }, events: [] };
}
