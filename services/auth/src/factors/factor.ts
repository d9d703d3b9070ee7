// The second factors of one person, as one record, so that each code, each challenge and each step of time is good once
// however many use it at the same moment. What is secret of it is in the vault (TOTP), or a hash (recovery codes).
// Pure.
import { event, type Id, ProblemError } from '@reeve/contracts';
import { type Collections, collection, type Decision } from '@reeve/store';
import { z } from 'zod';
import { type FactorKind, factorKinds, type Level, levels, provenBy, reachesLevel, type StepUp } from './level.ts';
import { challengeSeconds, isCopied, type Passkey } from './passkeys.ts';

export type FactorId = Id<'factor'>;
type SessionId = Id<'session'>;

type Totp = {
  id: FactorId;
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
  /** The latest step of time whose code was used: neither it nor an earlier one counts any more (RFC 6238 §5.2). */
  lastStep: number;
};

type RecoveryCodes = { id: FactorId; hashes: string[]; createdAt: string; lastUsedAt: string | null };

/** Of one sign-in: what its browser was given to sign. */
type Challenge = { signInId: string; challenge: string; at: string };

export type Factors = {
  /** The ids of all below, to be found by. */
  factorIds: string[];
  /** By what authenticators know whose passkey it is: nothing that says who that is (WebAuthn §14.6.1). */
  userHandle: string;
  totp: Totp | null;
  passkeys: (Passkey & { id: FactorId })[];
  recovery: RecoveryCodes | null;
  /** A TOTP that was begun and not confirmed. */
  begun: { id: FactorId; name: string; at: string } | null;
  challenges: Challenge[];
  /** Codes in a row that were wrong. */
  failures: { count: number; lastAt: string } | null;
};

export type FactorsOfPeople = Collections<Factors>;

/** By the id of the user. */
export const factors = collection<Factors>({
  name: 'mfa_factors',
  queries: { byFactor: { equality: ['factorIds'] } },
});

export const noFactors = (userHandle: string): Factors => ({
  factorIds: [],
  userHandle,
  totp: null,
  passkeys: [],
  recovery: null,
  begun: null,
  challenges: [],
  failures: null,
});

export const factorView = z.object({
  id: z.string(),
  userId: z.string(),
  kind: z.enum(factorKinds),
  name: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  /** Of recovery codes: how many are left. */
  remaining: z.number().nullable(),
});
export type FactorView = z.infer<typeof factorView>;

export function viewsOf(userId: string, { totp, passkeys, recovery }: Factors): FactorView[] {
  const common = { userId, remaining: null };
  return [
    ...passkeys.map(({ id, name, createdAt, lastUsedAt }) => ({
      ...common,
      id,
      kind: 'passkey' as const,
      name,
      createdAt,
      lastUsedAt,
    })),
    ...(totp ? [{ ...common, ...ofTotp(totp), kind: 'totp' as const }] : []),
    ...(recovery
      ? [
          {
            ...common,
            id: recovery.id,
            kind: 'recovery_codes' as const,
            name: '',
            createdAt: recovery.createdAt,
            lastUsedAt: recovery.lastUsedAt,
            remaining: recovery.hashes.length,
          },
        ]
      : []),
  ];
}

const ofTotp = ({ id, name, createdAt, lastUsedAt }: Totp) => ({ id, name, createdAt, lastUsedAt });

export const hasFactor = ({ totp, passkeys }: Factors): boolean => totp !== null || passkeys.length > 0;

/** What of a person's reaches a level. */
export function kindsReaching({ totp, passkeys, recovery }: Factors, wanted: Level): FactorKind[] {
  const kinds: FactorKind[] = [
    ...(passkeys.length > 0 ? (['passkey'] as const) : []),
    ...(totp ? (['totp'] as const) : []),
    ...(recovery && recovery.hashes.length > 0 ? (['recovery_codes'] as const) : []),
  ];
  return kinds.filter(kind => reachesLevel(provenBy[kind].level, wanted));
}

/** The highest level that one of theirs reaches; of nobody's it is the lowest. */
export const bestOf = (state: Factors): Level =>
  levels.findLast(level => kindsReaching(state, level).length > 0) ?? 'mfa';

/**
 * Whether the best of theirs was shown, as is asked of whoever gets or loses one: else who has got hold of a code of
 * six digits, or of somebody's account at the provider, would make themselves a passkey.
 */
export const isBestShown = (state: Factors, reached: StepUp | null): boolean =>
  reached !== null && reached.by !== 'identity_provider' && reachesLevel(reached.level, bestOf(state));

/** What comes of an answer: what is to be saved, if anything, and whether the person has passed. */
export type Answered = { decision: Decision<Factors>; passed: StepUp | null; refused?: Refusal };
export type Refusal = 'wrong' | 'used' | 'locked' | 'unknown' | 'invalid' | 'copied' | 'expired';

/** `sessionId` is of the session that is stepped up, or that is about to begin. */
type Person = { userId: Id<'user'>; sessionId: SessionId; now: Date };
type Enroller = Pick<Person, 'userId' | 'now'>;

const freeFailures = 5;
const shortestWaitMs = 900_000;
const longestWaitMs = 4 * 3_600_000;

/**
 * Whether codes of six digits are looked at now. Only somebody who has passed the first factor gets as far as failing
 * here, and a passkey or a recovery code, which nobody guesses, lets its owner pass meanwhile.
 */
export function isLocked({ failures }: Pick<Factors, 'failures'>, now: Date): boolean {
  if (!failures || failures.count < freeFailures) return false;
  const wait = Math.min(shortestWaitMs * 2 ** (failures.count - freeFailures), longestWaitMs);
  return now.getTime() - Date.parse(failures.lastAt) < wait;
}

function refusedBecause(
  state: Factors,
  { userId, sessionId, now }: Person,
  { kind, refused, counts }: { kind: FactorKind; refused: Exclude<Refusal, 'locked'>; counts: boolean },
): Answered {
  const failed = event('step_up.failed', { id: sessionId, because: refused, details: { userId, kind } });
  const failures = counts ? { count: (state.failures?.count ?? 0) + 1, lastAt: now.toISOString() } : state.failures;
  return { decision: { state: { ...state, failures }, events: [failed] }, passed: null, refused };
}

function passedBy(kind: FactorKind, { id, now }: { id: string; now: Date }): StepUp {
  const { level, amr } = provenBy[kind];
  return { level, by: kind, factorId: id, amr: [...amr], at: now.toISOString() };
}

/** `step` is the one whose code was given; null for a code of none. */
export function answerTotp(state: Factors, step: number | null, person: Person): Answered {
  const { totp } = state;
  const { now } = person;
  if (isLocked(state, now)) return { decision: null, passed: null, refused: 'locked' };
  const kind = 'totp';
  if (!totp || step === null) return refusedBecause(state, person, { kind, refused: 'wrong', counts: true });
  // Whoever sends it is not guessing.
  if (step <= totp.lastStep) return refusedBecause(state, person, { kind, refused: 'used', counts: false });
  const used: Totp = { ...totp, lastStep: step, lastUsedAt: now.toISOString() };
  return {
    decision: { state: { ...state, totp: used, failures: null }, events: [] },
    passed: passedBy('totp', { id: totp.id, now }),
  };
}

export function answerRecoveryCode(state: Factors, hash: string, person: Person): Answered {
  const { recovery } = state;
  const { userId, now } = person;
  if (!recovery?.hashes.includes(hash))
    return refusedBecause(state, person, { kind: 'recovery_codes', refused: 'wrong', counts: false });
  const hashes = recovery.hashes.filter(one => one !== hash);
  const used = event('mfa_factor.recovery_code_used', {
    id: recovery.id,
    because: 'used',
    details: { userId, remaining: hashes.length },
  });
  const left: RecoveryCodes = { ...recovery, hashes, lastUsedAt: now.toISOString() };
  return {
    decision: { state: { ...state, recovery: left, failures: null }, events: [used] },
    passed: passedBy('recovery_codes', { id: recovery.id, now }),
  };
}

const mostChallenges = 5;

const isFresh = ({ at }: { at: string }, now: Date) => now.getTime() - Date.parse(at) <= challengeSeconds * 1_000;

/** One at a time for each sign-in: the one before counts no more. */
export function giveChallenge(state: Factors, given: Challenge, now: Date): Decision<Factors> {
  const others = state.challenges.filter(one => one.signInId !== given.signInId && isFresh(one, now));
  return { state: { ...state, challenges: [given, ...others].slice(0, mostChallenges) }, events: [] };
}

/** What the browser of that sign-in was given; null where that is too long ago, or was used. */
export const challengeOf = ({ challenges }: Factors, signInId: string, now: Date): string | null =>
  challenges.find(one => one.signInId === signInId && isFresh(one, now))?.challenge ?? null;

const withoutChallenge = (state: Factors, challenge: string | null): Factors => ({
  ...state,
  challenges: state.challenges.filter(one => one.challenge !== challenge),
});

const hasChallenge = ({ challenges }: Factors, challenge: string | null): challenge is string =>
  challenges.some(one => one.challenge === challenge);

type Assertion = { challenge: string | null; said: { passkeyId: string; counter: number } | { refused: Refusal } };

/** Whatever comes of it, the challenge is used up. */
export function answerPasskey(state: Factors, { challenge, said }: Assertion, person: Person): Answered {
  const { now } = person;
  const refuse = (refused: Exclude<Refusal, 'locked'>) =>
    refusedBecause(withoutChallenge(state, challenge), person, { kind: 'passkey', refused, counts: false });
  if (!hasChallenge(state, challenge)) return refuse('expired');
  if ('refused' in said) return refuse(said.refused === 'locked' ? 'invalid' : said.refused);
  const passkey = state.passkeys.find(({ id }) => id === said.passkeyId);
  if (!passkey) return refuse('unknown');
  // Another one that came at the same moment may have been counted by now.
  if (isCopied(passkey, said.counter)) return refuse('copied');
  const used = { ...passkey, counter: said.counter, lastUsedAt: now.toISOString() };
  const passkeys = state.passkeys.map(one => (one.id === passkey.id ? used : one));
  return {
    decision: { state: { ...withoutChallenge(state, challenge), passkeys, failures: null }, events: [] },
    passed: passedBy('passkey', { id: passkey.id, now }),
  };
}

const enrolled = ({ userId }: Enroller, { id, name, kind }: { id: FactorId; name: string; kind: FactorKind }) =>
  event('mfa_factor.enrolled', { id, name: name || null, because: 'requested', details: { userId, kind } });

/** A TOTP counts when a code of it has come. Throws `mfa_factor_exists`. */
export function beginTotp(state: Factors, begun: NonNullable<Factors['begun']>): Decision<Factors> {
  if (state.totp) throw new ProblemError('mfa_factor_exists');
  return { state: { ...state, begun }, events: [] };
}

const longestBegunMs = 900_000;

/** The one that was begun, by that id where one is given; null where it is over. */
export const begunTotp = ({ begun }: Factors, now: Date, id = begun?.id): Factors['begun'] =>
  begun && begun.id === id && now.getTime() - Date.parse(begun.at) <= longestBegunMs ? begun : null;

/** `step` is that of the code that came. Null for a wrong one, and for what is over or was confirmed. */
export function confirmTotp(
  state: Factors,
  { id, step }: { id: string; step: number | null },
  person: Enroller,
): Decision<Factors> {
  const begun = begunTotp(state, person.now, id as FactorId);
  if (!begun || state.totp || step === null) return null;
  const createdAt = person.now.toISOString();
  const totp: Totp = { id: begun.id, name: begun.name, createdAt, lastUsedAt: createdAt, lastStep: step };
  return {
    state: { ...state, totp, begun: null, factorIds: [...state.factorIds, totp.id] },
    events: [enrolled(person, { ...totp, kind: 'totp' })],
  };
}

const mostPasskeys = 10;

/** Null where the challenge was used or is another one's. Throws `mfa_factor_exists` where there are ten. */
export function addPasskey(
  state: Factors,
  { challenge, passkey }: { challenge: string | null; passkey: Factors['passkeys'][number] },
  person: Enroller,
): Decision<Factors> {
  if (!hasChallenge(state, challenge)) return null;
  if (state.passkeys.length >= mostPasskeys) throw new ProblemError('mfa_factor_exists');
  if (state.passkeys.some(one => one.credentialId === passkey.credentialId)) return null;
  const next = { ...withoutChallenge(state, challenge), passkeys: [...state.passkeys, passkey] };
  return {
    state: { ...next, factorIds: [...state.factorIds, passkey.id] },
    events: [enrolled(person, { ...passkey, kind: 'passkey' })],
  };
}

type NewCodes = { id: FactorId; hashes: string[] };

/** In place of those before. Throws `mfa_factor_needed` where there is nothing that they could stand in for. */
export function giveRecoveryCodes(state: Factors, { id, hashes }: NewCodes, person: Enroller): Decision<Factors> {
  if (!hasFactor(state)) throw new ProblemError('mfa_factor_needed');
  const before = state.recovery;
  const recovery = { id, hashes, createdAt: person.now.toISOString(), lastUsedAt: null };
  const factorIds = [...state.factorIds.filter(one => one !== before?.id), id];
  const events = [
    ...(before ? [removed(person, { id: before.id, name: '', kind: 'recovery_codes', because: 'replaced' })] : []),
    enrolled(person, { id, name: '', kind: 'recovery_codes' }),
  ];
  return { state: { ...state, recovery, factorIds }, events };
}

type Removed = { id: FactorId; name: string; kind: FactorKind; because: RemovedBecause };
export type RemovedBecause = 'removed_by_owner' | 'removed_by_administrator' | 'replaced' | 'user_deleted';

const removed = ({ userId }: Pick<Enroller, 'userId'>, { id, name, kind, because }: Removed) =>
  event('mfa_factor.removed', { id, name: name || null, because, details: { userId, kind } });

/** Of those with these ids. Recovery codes go with the last factor that they stand in for. */
export function removeFactors(
  state: Factors,
  ids: readonly string[],
  { userId, because }: { userId: Id<'user'>; because: RemovedBecause },
): { decision: Decision<Factors>; gone: FactorView[] } {
  const isLeft = ({ id }: { id: string }) => !ids.includes(id);
  const left: Factors = {
    ...state,
    passkeys: state.passkeys.filter(isLeft),
    totp: state.totp && isLeft(state.totp) ? state.totp : null,
    recovery: state.recovery && isLeft(state.recovery) ? state.recovery : null,
  };
  const after = hasFactor(left) ? left : { ...left, recovery: null };
  const kept = new Set(viewsOf(userId, after).map(({ id }) => id));
  const gone = viewsOf(userId, state).filter(({ id }) => !kept.has(id));
  if (gone.length === 0) return { decision: null, gone };
  const events = gone.map(({ id, name, kind }) => removed({ userId }, { id: id as FactorId, name, kind, because }));
  // Whoever gets a new one begins anew.
  const failures = hasFactor(after) ? after.failures : null;
  return { decision: { state: { ...after, factorIds: [...kept], failures }, events }, gone };
}
