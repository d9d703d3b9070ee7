import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import {
  addPasskey,
  answerPasskey,
  answerRecoveryCode,
  answerTotp,
  begunTotp,
  challengeOf,
  confirmTotp,
  type Factors,
  giveChallenge,
  giveRecoveryCodes,
  isLocked,
  kindsReaching,
  noFactors,
  removeFactors,
  viewsOf,
} from './factor.ts';
import { hashOfRecoveryCode, newRecoveryCodes } from './recovery-codes.ts';
import { newTotpSecret, stepOfCode, totpUri } from './totp.ts';

const now = new Date('2026-11-27T08:00:00.000Z');
const after = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const person = { userId: newId('user'), sessionId: newId('session'), now };
const at = now.toISOString();
const totp = { id: newId('factor'), name: 'Phone', createdAt: at, lastUsedAt: null, lastStep: 100 };
const passkey = {
  id: newId('factor'),
  name: 'Laptop',
  credentialId: 'credential',
  publicKey: 'key',
  counter: 3,
  transports: [],
  createdAt: at,
  lastUsedAt: null,
};
const hashes = ['one', 'two'];
const recovery = { id: newId('factor'), hashes, createdAt: at, lastUsedAt: null };
const all: Factors = {
  ...noFactors('handle'),
  factorIds: [totp.id, passkey.id, recovery.id],
  totp,
  passkeys: [passkey],
  recovery,
};
const types = (decision: { events: readonly { type: string }[] } | null) => decision?.events.map(({ type }) => type);

describe('a code by time', () => {
  test('passes once, and none of that step or of one before passes after it', () => {
    const first = answerTotp(all, 101, person);
    expect(first.passed).toMatchObject({ level: 'mfa', by: 'totp', factorId: totp.id, amr: ['otp', 'mfa'] });
    const state = first.decision?.state ?? all;
    for (const step of [101, 100, 99]) expect(answerTotp(state, step, person).refused).toBe('used');
    // As often as it comes: it is no guess.
    expect(answerTotp(state, 101, person).decision?.state.failures).toBeNull();
    expect(answerTotp(state, 102, person).passed).not.toBeNull();
  });

  test('is not looked at after five that were wrong in a row, for longer each time, and for four hours at most', () => {
    const fail = (state: Factors, when: Date) => answerTotp(state, null, { ...person, now: when });
    let state = all;
    for (let count = 0; count < 5; count += 1) state = fail(state, now).decision?.state ?? state;
    expect(answerTotp(state, 500, person)).toEqual({ decision: null, passed: null, refused: 'locked' });
    expect([isLocked(state, after(899)), isLocked(state, after(900))]).toEqual([true, false]);
    state = fail(state, after(900)).decision?.state ?? state;
    expect([isLocked(state, after(2_699)), isLocked(state, after(2_700))]).toEqual([true, false]);
    const long = { ...state, failures: { count: 500, lastAt: at } };
    expect([isLocked(long, after(14_399)), isLocked(long, after(14_400))]).toEqual([true, false]);
    const passed = answerTotp(long, 500, { ...person, now: after(14_400) });
    expect(passed.decision?.state.failures).toBeNull();
  });

  test('of six digits counts in its half minute and the ones beside it', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    // RFC 6238, appendix B: the last six digits of what SHA-1 gives for its key at 59 seconds.
    const known = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    const ofRfc = new Date(59_000);
    expect(stepOfCode(known, '287082', ofRfc)).toBe(1);
    expect(stepOfCode(known, '287 082', new Date(89_000))).toBe(1);
    expect(stepOfCode(known, '287082', new Date(120_000))).toBeNull();
    for (const none of ['', '28708', '2870822', '28708a', '٢٨٧٠٨٢', '-87082'])
      expect(stepOfCode(known, none, ofRfc)).toBeNull();
    expect(totpUri(known, { product: 'Chatter: A', person: 'ada@acme.example' })).toMatch(/^otpauth:\/\/totp\/Chatter/);
  });
});

describe('a recovery code', () => {
  test('passes once, and counts no failures where it is wrong', () => {
    const used = answerRecoveryCode(all, 'one', person);
    expect([types(used.decision), used.passed?.by]).toEqual([['mfa_factor.recovery_code_used'], 'recovery_codes']);
    const state = used.decision?.state ?? all;
    const again = answerRecoveryCode(state, 'one', person);
    expect([again.refused, types(again.decision), again.decision?.state.failures]).toEqual([
      'wrong',
      ['step_up.failed'],
      null,
    ]);
    expect(answerRecoveryCode(state, 'two', person).passed).not.toBeNull();
  });

  test('is of one person, of eighty bits, and read as people write it', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
    expect(hashOfRecoveryCode('usr', 'AB1O-0000')).toBe(hashOfRecoveryCode('usr', ' abi0 oooo'));
    expect(hashOfRecoveryCode('usr', 'ab10')).not.toBe(hashOfRecoveryCode('other', 'ab10'));
  });

  test('comes with others, in place of those before, and only where there is a factor', () => {
    const fresh = { id: newId('factor'), hashes: ['three'] };
    const given = giveRecoveryCodes(all, fresh, person);
    expect(types(given)).toEqual(['mfa_factor.removed', 'mfa_factor.enrolled']);
    expect(given?.state.factorIds).toEqual([totp.id, passkey.id, fresh.id]);
    expect(() => giveRecoveryCodes(noFactors('handle'), fresh, person)).toThrow('stand in for');
  });
});

describe('a passkey', () => {
  const challenged = giveChallenge(all, { signInId: 'a', challenge: 'c', at }, now)?.state ?? all;
  const right = { challenge: 'c', said: { passkeyId: passkey.id, counter: 4 } };

  test('passes by a challenge that was given, once', () => {
    expect(answerPasskey(all, right, person).refused).toBe('expired');
    const passed = answerPasskey(challenged, right, person);
    expect(passed.passed).toMatchObject({ level: 'phishing_resistant', amr: ['pop', 'user', 'mfa'] });
    const state = passed.decision?.state ?? all;
    expect([state.challenges, state.passkeys[0]?.counter]).toEqual([[], 4]);
    expect(answerPasskey(state, right, person).refused).toBe('expired');
  });

  test('of a counter that has not grown is a copy, also where another one was counted meanwhile', () => {
    const copied = answerPasskey(challenged, { ...right, said: { passkeyId: passkey.id, counter: 3 } }, person);
    expect([copied.refused, copied.decision?.state.challenges]).toEqual(['copied', []]);
    const uncounted = { ...challenged, passkeys: [{ ...passkey, counter: 0 }] };
    expect(
      answerPasskey(uncounted, { ...right, said: { passkeyId: passkey.id, counter: 0 } }, person).passed,
    ).not.toBeNull();
  });

  test('has one challenge for each sign-in, for five minutes, and five of them', () => {
    expect(challengeOf(challenged, 'a', after(300))).toBe('c');
    expect(challengeOf(challenged, 'a', after(301))).toBeNull();
    expect(challengeOf(challenged, 'b', now)).toBeNull();
    const next = giveChallenge(challenged, { signInId: 'a', challenge: 'd', at }, now)?.state ?? all;
    expect(next.challenges.map(({ challenge }) => challenge)).toEqual(['d']);
    let many = challenged;
    for (let count = 0; count < 9; count += 1)
      many = giveChallenge(many, { signInId: `s${count}`, challenge: `${count}`, at }, now)?.state ?? many;
    expect(many.challenges).toHaveLength(5);
  });

  test('is added by its challenge, not twice, and not beyond ten', () => {
    const other = { ...passkey, id: newId('factor'), credentialId: 'another' };
    expect(addPasskey(all, { challenge: 'c', passkey: other }, person)).toBeNull();
    expect(
      addPasskey(challenged, { challenge: 'c', passkey: { ...other, credentialId: 'credential' } }, person),
    ).toBeNull();
    expect(types(addPasskey(challenged, { challenge: 'c', passkey: other }, person))).toEqual(['mfa_factor.enrolled']);
    const full = { ...challenged, passkeys: Array.from({ length: 10 }, () => passkey) };
    expect(() => addPasskey(full, { challenge: 'c', passkey: other }, person)).toThrow('as many as may be');
  });
});

describe('a TOTP that was begun', () => {
  const begun = { id: newId('factor'), name: 'Phone', at };
  const waiting: Factors = { ...noFactors('handle'), begun };

  test('counts when a code of it has come, which then is used', () => {
    expect(confirmTotp(waiting, { id: begun.id, step: null }, person)).toBeNull();
    expect(confirmTotp(waiting, { id: newId('factor'), step: 7 }, person)).toBeNull();
    const confirmed = confirmTotp(waiting, { id: begun.id, step: 7 }, person)?.state ?? waiting;
    expect([confirmed.totp?.lastStep, confirmed.begun, confirmed.factorIds]).toEqual([7, null, [begun.id]]);
    expect(confirmTotp(confirmed, { id: begun.id, step: 8 }, person)).toBeNull();
  });

  test('is over after a quarter of an hour', () => {
    expect([begunTotp(waiting, after(900)), begunTotp(waiting, after(901))]).toEqual([begun, null]);
  });
});

test('of what somebody has, a passkey alone is resistant to phishing', () => {
  expect(kindsReaching(all, 'mfa')).toEqual(['passkey', 'totp', 'recovery_codes']);
  expect(kindsReaching(all, 'phishing_resistant')).toEqual(['passkey']);
  expect(kindsReaching({ ...all, recovery: { ...recovery, hashes: [] } }, 'mfa')).toEqual(['passkey', 'totp']);
});

test('recovery codes go with the last factor that they stand in for', () => {
  const by = { userId: person.userId, because: 'removed_by_owner' } as const;
  const first = removeFactors(all, [totp.id], by);
  expect(first.gone.map(({ kind }) => kind)).toEqual(['totp']);
  const state = first.decision?.state ?? all;
  expect(viewsOf(person.userId, state).map(({ kind }) => kind)).toEqual(['passkey', 'recovery_codes']);
  const last = removeFactors(state, [passkey.id], by);
  expect(last.gone.map(({ kind }) => kind)).toEqual(['passkey', 'recovery_codes']);
  expect([types(last.decision), last.decision?.state.factorIds]).toEqual([
    ['mfa_factor.removed', 'mfa_factor.removed'],
    [],
  ]);
  expect(removeFactors(all, [newId('factor')], by)).toEqual({ decision: null, gone: [] });
});
