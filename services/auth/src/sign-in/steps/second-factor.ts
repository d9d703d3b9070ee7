// More of who somebody is than their provider says: asked where the application or the tenant's policy demands it, of
// somebody who has just come from the provider, or of a session that goes on. A person without a factor gets one here,
// once, right after the provider has signed them in; whoever has one shows it before they get another.
import { type Cause, type Id, newId, ProblemError, type TenantId } from '@reeve/contracts';
import type { Page } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import {
  type Answered,
  bestOf,
  type Factors,
  hasFactor,
  isBestShown,
  kindsReaching,
  type Refusal,
} from '../../factors/factor.ts';
import {
  type Complaint,
  challengePage,
  choicePage,
  newPasskeyPage,
  newTotpPage,
  recoveryPage,
} from '../../factors/factor-pages.ts';
import { type FactorKind, type Level, provenBy, type StepUp } from '../../factors/level.ts';
import type { Answerer, Enrolled, Labelled, PersonalFactors } from '../../factors/personal-factors.ts';
import type { LiveSession, LiveSessions } from '../../sessions/live-sessions.ts';
import { assertStillThere, type PeopleChanges, since } from '../../sessions/people-changes.ts';
import { type Sessions, stepUp } from '../../sessions/session.ts';
import { type Demand, demandOf, isMet, levelTrusted } from '../../step-up-policies/step-up-policy.ts';
import type { StepUpPolicyDirectory } from '../../step-up-policies/step-up-policy-directory.ts';
import { known } from '../known.ts';
import { enrollable, type SignIn } from '../sign-in.ts';
import { type Asked, type Step, signedInAs } from '../step.ts';

type Parts = {
  personal: PersonalFactors;
  policies: StepUpPolicyDirectory;
  sessions: Sessions;
  live: LiveSessions;
  peopleChanges: PeopleChanges;
  clock: Clock;
};

type Outcome = Awaited<ReturnType<Step>>;

/** Whoever is asked, as they are known by their first factor. */
type Who = Answerer &
  Labelled & {
    /** Null for a sign-in that came from the provider. */
    session: LiveSession | null;
    connectionId: string;
    acr: string | null;
    amr: readonly string[];
    authenticatedAt: string | null;
  };

type At = { parts: Parts; asked: Asked; signIn: SignIn; who: Who; demand: Demand | null };

/** How long ago the provider may have signed somebody in who gets their first factor. */
const longestMs = 900_000;

export const secondFactor =
  (parts: Parts): Step =>
  async asked => {
    const { signIn: came } = asked;
    const who = await whoIsAsked(parts, asked);
    // The session has ended meanwhile.
    if (!who) return { next: 'choose-home-realm', learnt: { stepUpOf: null } };
    const signIn = { ...came, sessionToBe: who.sessionId, stepUp: await stillHeld(parts, who, came.stepUp) };
    const policy = await parts.policies.of(who.tenantId);
    const demand = demandOf(policy, signIn);
    const now = parts.clock.now();
    const at = { parts, asked, signIn, who, demand };
    const given = asked.answer.get('factor');
    // Whoever is neither asked nor given anything is looked at when the session begins.
    if (given !== null || demand || signIn.enrolAsked) await assertStillMay(parts, came, who);
    if (given !== null) return answered(at, given);
    // The provider's word may do, where the tenant trusts it.
    const level = demand && levelTrusted(policy, who);
    const said = level && trustedStepUp(level, who.authenticatedAt ?? now.toISOString());
    if (demand && isMet(demand, said, now)) return goOn({ ...at, signIn: { ...signIn, stepUp: said } }, null);
    return goOn(at, null);
  };

/** Nobody is shown or given a factor who was shut out on the way. A session that goes on has ended then. */
async function assertStillMay(
  { peopleChanges }: Parts,
  { person }: SignIn,
  { tenantId, sessionId }: Who,
): Promise<void> {
  if (!person) return;
  const lately = await peopleChanges.in(tenantId).get(person.userId);
  assertStillThere(since(lately?.state ?? null, { lookedUpAt: new Date(person.lookedUpAt), sessionId }));
}

/** What was shown by a factor that is gone by now counts for nothing. */
async function stillHeld({ personal }: Parts, who: Who, reached: StepUp | null): Promise<StepUp | null> {
  const factorId = reached?.factorId ?? null;
  if (factorId === null) return reached;
  const { factorIds } = await personal.read(who);
  return factorIds.some(one => one === factorId) ? reached : null;
}

const trustedStepUp = (level: Level, at: string): StepUp => ({
  level,
  by: 'identity_provider',
  factorId: null,
  amr: [],
  at,
});

async function whoIsAsked({ live }: Parts, { signIn, current, cause }: Asked): Promise<Who | null> {
  if (signIn.person) {
    const { userId, email, displayName } = signIn.person;
    const { acr, amr, authenticatedAt } = known(signIn.identity);
    const sessionId = signIn.sessionToBe ?? newId('session');
    const at = { tenantId: known(signIn.tenantId), userId, sessionId, session: null };
    const label = email ?? displayName ?? userId;
    const of = { connectionId: known(signIn.connectionId), acr, amr, authenticatedAt };
    return { ...at, ...of, label, cause: causeOf(cause, at, displayName) };
  }
  const ref = await current();
  const session = ref && (await live.find(ref));
  if (!session || (await live.isOverFor(session, signIn.surface))) return null;
  // In another tab somebody else may have signed in: what was shown of one person counts for nobody else.
  if (session.state.userId !== signIn.stepUpOf) throw new ProblemError('sign_in_expired');
  const { userId, email, displayName, connectionId, acr, amr, authenticatedAt } = session.state;
  const at = { tenantId: session.tenantId, userId, sessionId: session.id, session };
  const label = email ?? displayName ?? userId;
  return { ...at, connectionId, acr, amr, authenticatedAt, label, cause: causeOf(cause, at, displayName) };
}

function causeOf(cause: Cause, at: { userId: Id<'user'>; sessionId: string; tenantId: TenantId }, name: string | null) {
  const actor = { type: 'user', id: at.userId, name, via: 'session' } as const;
  return { ...cause, actor, context: { ...cause.context, sessionId: at.sessionId } };
}

const learntOf = ({ sessionToBe, stepUp: reached, enrolAsked }: SignIn) => ({
  sessionToBe,
  stepUp: reached,
  enrolAsked,
});

const ask = ({ signIn }: At, page: Page): Outcome => ({ ask: page, learnt: learntOf(signIn) });

/** To the page of what is missing, or on. */
async function goOn(at: At, complaint: Complaint | null): Promise<Outcome> {
  const { parts, signIn, who, demand } = at;
  const now = parts.clock.now();
  const { stepUp: reached, enrolAsked } = signIn;
  const isReached = !demand || isMet(demand, reached, now);
  if (isReached && !enrolAsked) return finish(at);
  const state = await parts.personal.read(who);
  // Whoever shows a code on paper has lost what would have reached the level.
  const hasLost = reached?.by === 'recovery_codes';
  const kinds = !isReached && demand && !hasLost ? kindsReaching(state, demand.level) : [];
  if (kinds.length > 0) return ask(at, await challengeFor(at, kinds, complaint));
  // None of theirs reaches it, or they want another one: a new factor, which needs one that is there.
  if (!mayEnrolNow(at)) return signInFirst(at);
  if (!mayFollow(state, reached))
    return ask(at, await challengeFor(at, kindsReaching(state, bestOf(state)), complaint));
  return enrol(at, enrolAsked, complaint);
}

/** Whether another factor may follow what was shown: also a code on paper, for whoever has lost the others. */
const mayFollow = (state: Factors, reached: StepUp | null): boolean =>
  !hasFactor(state) || reached?.by === 'recovery_codes' || isBestShown(state, reached);

async function challengeFor(
  { parts, asked: { uid }, who }: At,
  kinds: readonly FactorKind[],
  complaint: Complaint | null,
): Promise<Page> {
  const options = kinds.includes('passkey') ? await parts.personal.offerPasskeys(who, uid) : null;
  // Who has lost the passkey that a level asks for gets in by a code on paper, and then gets a new one.
  const shown = kinds.includes('recovery_codes') ? kinds : await withRecovery(parts, who, kinds);
  return challengePage({ uid, person: who.label, kinds: shown, options, complaint });
}

async function withRecovery(parts: Parts, who: Who, kinds: readonly FactorKind[]): Promise<FactorKind[]> {
  const { recovery } = await parts.personal.read(who);
  return recovery && recovery.hashes.length > 0 ? [...kinds, 'recovery_codes'] : [...kinds];
}

/** Right after the provider has signed them in. */
function mayEnrolNow({ parts, who: { session, authenticatedAt } }: At): boolean {
  const now = parts.clock.now().getTime();
  return session === null && (authenticatedAt === null || now - Date.parse(authenticatedAt) <= longestMs);
}

async function enrol(at: At, wanted: SignIn['enrolAsked'], complaint: Complaint | null): Promise<Outcome> {
  const { parts, asked, who, demand, signIn } = at;
  const { uid } = asked;
  const possible = kindsToEnrol(at);
  const kind = wanted && possible.includes(wanted) ? wanted : possible.length === 1 ? (possible[0] ?? null) : null;
  if (kind === null) return ask(at, choicePage({ uid, kinds: possible }));
  if (kind === 'passkey') {
    const options = await parts.personal.beginPasskey(who, uid);
    if (options === null) throw new TypeError(`nobody gets ${demand?.level ?? 'a passkey'} at this issuer`);
    return ask(at, newPasskeyPage({ uid, options, complaint }));
  }
  const begun = (complaint && (await parts.personal.begunTotp(who))) ?? (await parts.personal.beginTotp(who, ''));
  return ask({ ...at, signIn }, newTotpPage({ uid, secret: begun.secret, uri: begun.uri, complaint }));
}

function kindsToEnrol({ parts, demand }: At) {
  const offered = enrollable.filter(kind => kind !== 'passkey' || parts.personal.hasPasskeys);
  const wanted = demand?.level ?? 'mfa';
  return offered.filter(kind => wanted === 'mfa' || provenBy[kind].level === wanted);
}

/**
 * As whom they are here, and not by an earlier sign-in there. Somebody else may come back: nothing that was shown
 * before counts for them.
 */
function signInFirst({ signIn, who }: At): Outcome {
  const { tenantId, session } = who;
  const wish = { ...signIn.wish, again: true, isDemanded: true };
  const kind = session ? { method: session.state.method as SignIn['method'] } : {};
  const learnt = { ...learntOf(signIn), ...kind, wish, tenantId, connectionId: who.connectionId as Id<'connection'> };
  return {
    next: 'go-to-provider',
    learnt: { ...learnt, stepUpOf: null, sessionToBe: null, stepUp: null, person: null, identity: null },
  };
}

const complaints: Record<Refusal, Complaint> = {
  wrong: 'factorWrong',
  used: 'factorUsed',
  locked: 'factorLocked',
  unknown: 'factorPasskeyStopped',
  invalid: 'factorPasskeyStopped',
  copied: 'factorPasskeyStopped',
  expired: 'factorPasskeyStopped',
};

const longestName = 60;

async function answered(at: At, given: string): Promise<Outcome> {
  const { parts, asked, who, signIn, demand } = at;
  const { personal } = parts;
  const { answer, uid } = asked;
  const text = (name: string) => answer.get(name)?.trim() ?? '';
  switch (given) {
    case 'totp':
      return passed(at, await personal.checkTotp(who, text('code')));
    case 'recovery':
      // It leads to a new factor, for which the person has to come from their provider: it is not used up before.
      if (demand && provenBy.recovery_codes.level !== demand.level && !mayEnrolNow(at)) return signInFirst(at);
      return passed(at, await personal.checkRecoveryCode(who, text('code')), 'factorRecoveryWrong');
    case 'passkey':
      return passed(at, await personal.checkPasskey(who, uid, text('credential')));
    case 'enrol':
    case 'confirm-totp':
    case 'confirm-passkey': {
      // Nobody gets this far by a form of their own making: what is missing besides is asked first.
      if (!(await mayEnrol(at))) return goOn(at, null);
      if (given === 'enrol') return enrol(at, enrollable.find(kind => kind === text('kind')) ?? null, null);
      if (given === 'confirm-totp') {
        const enrolled = await personal.confirmTotp(who, text('code'));
        return enrolled ? gained(at, enrolled) : enrol(at, 'totp', 'factorWrong');
      }
      const name = text('name').slice(0, longestName);
      const enrolled = await personal.confirmPasskey(who, uid, { credential: text('credential'), name });
      return enrolled ? gained(at, enrolled) : enrol(at, 'passkey', 'factorPasskeyStopped');
    }
    default:
      return goOn({ ...at, signIn }, null);
  }
}

async function mayEnrol(at: At): Promise<boolean> {
  const { parts, who, signIn, demand } = at;
  if (!mayEnrolNow(at)) return false;
  if (!signIn.enrolAsked && (!demand || isMet(demand, signIn.stepUp, parts.clock.now()))) return false;
  const state = await parts.personal.read(who);
  return mayFollow(state, signIn.stepUp);
}

function passed(at: At, { passed: reached, refused = 'wrong' }: Answered, wrong = complaints.wrong) {
  if (!reached) return goOn(at, refused === 'wrong' ? wrong : complaints[refused]);
  return goOn({ ...at, signIn: { ...at.signIn, stepUp: reached } }, null);
}

/** To have got a factor is to have shown it. */
async function gained(at: At, { factor, recoveryCodes }: Enrolled): Promise<Outcome> {
  const { level, amr } = provenBy[factor.kind];
  const reached = { level, by: factor.kind, factorId: factor.id, amr: [...amr], at: factor.createdAt };
  const next = { ...at, signIn: { ...at.signIn, stepUp: reached, enrolAsked: null } };
  if (recoveryCodes) return ask(next, recoveryPage({ uid: at.asked.uid, codes: recoveryCodes }));
  return goOn(next, null);
}

async function finish({ parts, signIn, who }: At): Promise<Outcome> {
  const { stepUp: reached } = signIn;
  const seen = reached ? { level: reached.level, by: reached.by } : {};
  const { session } = who;
  if (!session) return { next: 'begin-session', learnt: learntOf(signIn), seen };
  const own = parts.sessions.in(session.tenantId);
  const { cause } = who;
  const entry = reached
    ? await own.change(session.id, state => state && stepUp(session.id, state, reached), { cause })
    : session;
  // It has ended at that moment.
  if (entry?.state.status !== 'live') throw new ProblemError('sign_in_expired');
  // The application is told of its end as well.
  await parts.live.use(session, signIn.clientId);
  const ref = { tenantId: session.tenantId, sessionId: session.id };
  return { signedIn: signedInAs(ref, { session: entry.state, acrsAsked: signIn.acrsAsked }) };
}
