// The session begins, or goes on where the same person signs in once more at the same browser. Whoever was signed in
// there before is signed out.
import { type Cause, newId } from '@reeve/contracts';
import type { Places } from '@reeve/service-kit/places';
import type { Clock } from '@reeve/store';
import type { CatchUp } from '../../sessions/catch-up.ts';
import { type Familiars, learnt, signsOf, whereabouts } from '../../sessions/familiar.ts';
import type { LiveSession, LiveSessions } from '../../sessions/live-sessions.ts';
import { begin, overAt, reauthenticate, type Session, type Sessions } from '../../sessions/session.ts';
import type { StatusLists } from '../../status-lists/status-lists.ts';
import type { SurfacePolicy } from '../../surface-policies/surface-policy.ts';
import type { SurfacePolicyDirectory } from '../../surface-policies/surface-policy-directory.ts';
import { known } from '../known.ts';
import { type Asked, type Step, signedInAs } from '../step.ts';

type Parts = {
  sessions: Sessions;
  live: LiveSessions;
  policies: SurfacePolicyDirectory;
  catchUp: CatchUp;
  statusLists: Pick<StatusLists, 'withPlace'>;
  familiars: Familiars;
  /** Null where the operator has no database of places. */
  places: Places | null;
  clock: Clock;
};

export const beginSession =
  (parts: Parts): Step =>
  async asked => {
    const { signIn } = asked;
    const { sessions, live, policies, catchUp, statusLists, familiars, places, clock } = parts;
    const tenantId = known(signIn.tenantId);
    const person = known(signIn.person);
    const policy = await policies.find(tenantId, signIn.surface);
    const here = whereabouts(asked.cause.context, places);
    const usual = familiars.in(tenantId);
    const familiar = person.isNew ? null : ((await usual.get(person.userId))?.state ?? null);
    const session = { ...sessionOf(asked, policy, clock.now()), riskSigns: signsOf(familiar, here) };
    const current = await asked.current();
    const before = current && (await live.find(current));
    const isSamePerson = before?.tenantId === tenantId && before.state.userId === person.userId;
    const sessionId = isSamePerson ? before.id : (signIn.sessionToBe ?? newId('session'));
    const cause = causeOf(asked, sessionId);
    if (before && !isSamePerson) await live.end(refOf(before), 'another_person', cause);
    const own = sessions.in(tenantId);
    if (isSamePerson)
      await own.change(sessionId, state => state && reauthenticate(sessionId, state, session), { cause });
    else
      await statusLists.withPlace(statusList =>
        own.create(sessionId, begin(sessionId, { ...session, statusList }), cause),
      );

    await catchUp({ tenantId, sessionId, userId: person.userId }, { lookedUpAt: person.lookedUpAt, cause });
    const familiarNow = learnt(familiar, here, clock.now());
    if (familiarNow) await usual.put(person.userId, familiarNow);
    return { signedIn: signedInAs({ tenantId, sessionId }, { session, acrsAsked: signIn.acrsAsked }) };
  };

const refOf = ({ tenantId, id: sessionId }: LiveSession) => ({ tenantId, sessionId });

function sessionOf({ signIn, cause }: Asked, policy: SurfacePolicy, now: Date): Omit<Session, 'status'> {
  const { ip, userAgent } = cause.context;
  const { userId, email, emailVerified, displayName, roles, groups = [] } = known(signIn.person);
  const identity = known(signIn.identity);
  const latestEnd = new Date(now.getTime() + policy.absoluteSeconds * 1_000).toISOString();
  const session = {
    userId,
    email,
    emailVerified,
    displayName,
    profile: identity.profile,
    roles,
    groups,
    connectionId: known(signIn.connectionId),
    identity: { issuer: identity.issuer, subject: identity.subject },
    method: known(signIn.method),
    providerSubject: identity.providerSession?.subject ?? null,
    providerSession: identity.providerSession,
    surface: signIn.surface,
    applications: [signIn.clientId],
    amr: ['fed', ...identity.amr],
    acr: identity.acr,
    ...(signIn.stepUp ? { stepUp: signIn.stepUp } : {}),
    ip,
    userAgent,
    createdAt: now.toISOString(),
    signedInAt: now.toISOString(),
    lastSeenAt: now.toISOString(),
    authenticatedAt: earlier(identity.authenticatedAt ?? now.toISOString(), now.toISOString()),
    expiresAt: earlier(identity.sessionEndsAt ?? latestEnd, latestEnd),
  };
  return { ...session, overAt: overAt(session, policy) };
}

/** A provider whose clock is fast does not sign anybody in tomorrow. */
const earlier = (one: string, other: string) => (one < other ? one : other);

function causeOf({ signIn, cause }: Asked, sessionId: string): Cause {
  const { userId, displayName } = known(signIn.person);
  return {
    ...cause,
    actor: { type: 'user', id: userId, name: displayName, via: 'idp' },
    context: { ...cause.context, sessionId },
  };
}
