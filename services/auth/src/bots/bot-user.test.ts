import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import {
  agree,
  agreeAsBefore,
  answered,
  type BotUser,
  begin,
  type Code,
  enter,
  fail,
  forget,
  hasAgreed,
  refuse,
  settle,
  signOut,
  timeOut,
  tryCode,
} from './bot-user.ts';

const at = (seconds: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1_000);
const chat = { botId: newId('bot'), connectionName: 'calendar', channelId: 'webchat', channelUserId: 'dl_1' };
const clientId = newId('client');
const of = (seconds: number) => ({ chat, clientId, now: at(seconds) });
const provider = newId('connection');
const bond = { connectionId: provider, userId: newId('user'), subject: 'ada' };
const somebody = { connectionId: provider, userId: newId('user'), subject: 'eve' };
const signed = { bond, sessionId: newId('session') };
const token = { id: 't', at: 0 };
const typesOf = (decision: ReturnType<typeof settle>) => decision?.events.map(one => ('type' in one ? one.type : null));
const reasonOf = (decision: ReturnType<typeof settle>) =>
  decision?.events.map(one => 'reason' in one && one.reason.code);
const stateOf = (decision: ReturnType<typeof settle>): BotUser => {
  if (!decision) throw new Error('nothing was decided');
  return decision.state;
};
type More = { id?: string; signOuts?: number };
const settled = (
  user: BotUser | null,
  seconds: number,
  judged: Parameters<typeof settle>[2],
  { id = 'one', signOuts = 0 }: More = {},
) => settle(user, { ...of(seconds), id, provider, signOuts }, judged);

describe('an exchange', () => {
  const success = { ...signed, token };
  const outcome = { sessionId: signed.sessionId, userId: bond.userId, token };

  test('has one answer, that of whoever writes it first, for a minute', () => {
    expect(answered(null, 'one', at(0))).toBeNull();
    const done = settled(null, 1, success);
    expect(typesOf(done)).toEqual(['bot_sign_in.exchanged']);
    expect(answered(stateOf(done), 'one', at(2))).toEqual(outcome);
    expect(settled(stateOf(done), 3, { ...success, token: { id: 'u', at: 1 } })).toBeNull();
    expect(answered(stateOf(done), 'two', at(2))).toBeNull();
    expect(answered(stateOf(done), 'one', at(62))).toBeNull();
    expect(typesOf(settled(stateOf(done), 62, success))).toEqual(['bot_sign_in.exchanged']);
  });

  test('that failed has one answer as well', () => {
    const failed = settled(null, 1, { failed: 'id_token_time' });
    expect(reasonOf(failed)).toEqual(['id_token_time']);
    expect(answered(stateOf(failed), 'one', at(2))).toEqual({ failed: 'id_token_time' });
    expect(settled(stateOf(failed), 2, success)).toBeNull();
  });

  test('that failed by what passes is told, and has no answer by that', () => {
    const failed = settled(null, 1, { failed: 'provider_timeout' });
    expect(reasonOf(failed)).toEqual(['provider_timeout']);
    expect(answered(stateOf(failed), 'one', at(2))).toBeNull();
    expect(typesOf(settled(stateOf(failed), 2, success))).toEqual(['bot_sign_in.exchanged']);
  });

  test('comes to nothing where the person was signed out since it began', () => {
    for (const before of [null, stateOf(settled(null, 1, success, { id: 'other' }))]) {
      const out = stateOf(signOut(before, of(2)));
      expect(out).toMatchObject({ sessionId: null, exchanges: [] });
      expect(settled(out, 3, success)).toBeNull();
      expect(typesOf(settled(out, 3, success, { signOuts: 1 }))).toEqual(['bot_sign_in.exchanged']);
    }
  });

  test('signs in nobody but who was there first, until another identity provider is named', () => {
    const user = stateOf(settled(null, 1, success, { id: 'other' }));
    expect(reasonOf(settled({ ...user, bond: somebody }, 1, success))).toEqual(['other_person']);
    const elsewhere = { ...user, bond: { ...somebody, connectionId: newId('connection') } };
    expect(stateOf(settled(elsewhere, 1, success))).toMatchObject(signed);
  });

  test('is forgotten in time, and so are the answers to the oldest of very many', () => {
    let many: BotUser | null = null;
    for (let index = 0; index < 60; index += 1) many = stateOf(settled(many, 1, success, { id: `${index}` }));
    expect(many?.exchanges).toHaveLength(20);
    expect([answered(many, '59', at(2)), answered(many, '0', at(2))]).toEqual([outcome, null]);
    expect(stateOf(settled(many, 100, success)).exchanges).toHaveLength(1);
  });
});

describe('a way to the page', () => {
  const begun = stateOf(begin(null, { ...of(0), nonce: 'n' }));
  const from = newId('session');
  const allowed = { resource: 'https://calendar.example', scopes: ['events.read'] };
  const agreed = { nonce: 'n', now: at(10), userId: bond.userId, connectionId: provider, from, allowed };
  const shown = stateOf(agree(begun, { ...agreed, code: '123456' }));
  const shownCode = shown.pending?.code as Code;

  test('is the one that there is while somebody can go it, and another one later', () => {
    expect(begin(begun, { ...of(60), nonce: 'm' })).toBeNull();
    expect(begin(begun, { ...of(500), nonce: 'm' })?.state.pending?.nonce).toBe('m');
  });

  test('ends by its digits, once and in time; the wrong ones are few', () => {
    const code = (user: BotUser, digits: string, seconds = 20) => tryCode(user, { code: digits, now: at(seconds) });
    expect(code(shown, '123456').tried).toMatchObject({ right: { from, connectionId: provider } });
    const typed = stateOf(code(shown, '123456').decision);
    const entered = stateOf(enter(typed, signed, shownCode));
    expect(entered).toMatchObject({ ...signed, pending: null });
    expect(code(entered, '123456').tried).toEqual({ none: true });
    expect(enter(entered, signed, shownCode)).toBeNull();
    expect(code(shown, '123456', 311).tried).toEqual({ none: true });
    expect(code(begun, '123456').tried).toEqual({ none: true });
    let user = shown;
    for (let wrong = 1; wrong < 5; wrong += 1) user = stateOf(code(user, '654321').decision);
    expect(code(user, '123456').tried).toMatchObject({ right: {} });
    const last = code(user, '654321');
    expect(reasonOf(last.decision)).toEqual(['wrong_code']);
    expect(code(stateOf(last.decision), '123456').tried).toEqual({ none: true });
    // Nor are there more of them for who agrees again.
    const again = stateOf(agree(user, { ...agreed, code: '111111' }));
    expect(stateOf(code(again, '654321').decision).pending).toBeNull();
  });

  test('is gone once more by its digits where whoever had them was lost, and not where they led nowhere', () => {
    const type = (user: BotUser) => tryCode(user, { code: '123456', now: at(20) });
    const typed = stateOf(type(shown).decision);
    expect(type(typed)).toMatchObject({ tried: { right: { from } }, decision: null });
    expect(enter(stateOf(signOut(typed, of(20))), signed, shownCode)).toBeNull();
    const again = stateOf(agree(typed, { ...agreed, code: '654321' }));
    expect(enter(again, signed, shownCode)).toBeNull();
    const failed = fail(typed, { failed: 'sign_in_expired' }, provider);
    expect(reasonOf(failed)).toEqual(['sign_in_expired']);
    expect(type(stateOf(failed)).tried).toEqual({ none: true });
    // What was not typed is not used up by how another way ended.
    expect(stateOf(fail(shown, { failed: 'user_deactivated' }, provider)).pending).toEqual(shown.pending);
  });

  test('is agreed to for what the page has said, and for the person who has agreed', () => {
    const entered = stateOf(enter(shown, { ...signed, bond }, shownCode));
    const now = { connectionId: provider, ...allowed };
    expect(hasAgreed(entered, now)).toBe(true);
    expect(hasAgreed(entered, { ...now, scopes: [] })).toBe(true);
    for (const other of [
      { scopes: ['events.read', 'events.write'] },
      { resource: 'https://pay.example' },
      { connectionId: newId('connection') },
    ])
      expect(hasAgreed(entered, { ...now, ...other })).toBe(false);
    expect(hasAgreed({ ...entered, bond: somebody }, now)).toBe(false);
    expect(hasAgreed(shown, now)).toBe(false);
  });

  test('and nobody else’s word is kept of who was there before', () => {
    const entered = stateOf(enter(shown, signed, shownCode));
    expect(entered).toMatchObject({ userId: bond.userId, agreed: { userId: bond.userId } });
    const elsewhere = { ...somebody, connectionId: newId('connection') };
    const settledAs = (as: typeof bond) => stateOf(settled(entered, 31, { ...signed, bond: as, token }));
    expect(settledAs(bond)).toMatchObject({ agreed: { userId: bond.userId } });
    expect(settledAs(elsewhere)).toMatchObject({ userId: elsewhere.userId, agreed: null });
    expect(JSON.stringify(forget(entered, at(32)).state)).not.toContain(bond.userId);
  });

  test('keeps no digits', () => {
    expect(JSON.stringify(shown)).not.toContain('123456');
  });

  test('is not gone by another’s link, nor by who is somebody else, nor when it is over', () => {
    expect(agree(begun, { ...agreed, nonce: 'm', code: '1' })).toBeNull();
    expect(agree(begun, { ...agreed, now: at(601), code: '1' })).toBeNull();
    expect(agree({ ...begun, bond: somebody }, { ...agreed, code: '1' })).toBeNull();
    expect(enter({ ...shown, bond: somebody }, signed, shownCode)).toBeNull();
    const asBefore = { ...signed, allowed, now: at(1) };
    expect(agreeAsBefore(begun, { ...asBefore, nonce: 'n' })).toBeNull();
    expect(agreeAsBefore({ ...begun, bond }, { ...asBefore, nonce: 'm' })).toBeNull();
    expect(typesOf(agreeAsBefore({ ...begun, bond }, { ...asBefore, nonce: 'n' }))).toEqual(['bot_sign_in.exchanged']);
  });

  test('that nobody has gone to the end is told once, and so is one that was refused', () => {
    expect(timeOut(begun, at(599))).toBeNull();
    const over = timeOut(begun, at(600));
    expect(reasonOf(over)).toEqual(['expired']);
    expect(timeOut(stateOf(over), at(700))).toBeNull();
    const about = { nonce: 'n', now: at(1), provider };
    expect(stateOf(refuse(begun, { ...about, because: 'refused_by_person' })).pending).toBeNull();
    // Somebody else who comes by it does not end it for whom it is for.
    expect(stateOf(refuse(begun, { ...about, because: 'other_person' })).pending).toEqual(begun.pending);
  });
});
