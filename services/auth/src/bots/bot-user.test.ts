import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import {
  agree,
  agreeAsBefore,
  type BotUser,
  begin,
  type Code,
  claim,
  enter,
  fail,
  forget,
  hasAgreed,
  refuse,
  release,
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
const claimed = (user: BotUser | null, by: string, seconds = 0) => claim(user, { ...of(seconds), id: 'one', by });
const stateOf = (decision: ReturnType<typeof settle>): BotUser => {
  if (!decision) throw new Error('nothing was decided');
  return decision.state;
};
const settled = (user: BotUser, by: string, seconds: number, judged: Parameters<typeof settle>[2]) =>
  settle(user, { id: 'one', by, now: at(seconds), provider }, judged);

describe('an exchange', () => {
  const user = stateOf(claimed(null, 'a').decision);

  test('is of whoever comes first, and everybody else gets their answer', () => {
    expect(claimed(user, 'b').claim).toEqual({ is: 'another’s' });
    const done = settled(user, 'a', 1, { ...signed, token });
    expect(typesOf(done)).toEqual(['bot_sign_in.exchanged']);
    const outcome = { sessionId: signed.sessionId, userId: bond.userId, token };
    expect(claimed(stateOf(done), 'b', 2).claim).toEqual({ is: 'done', outcome });
    expect(settled(stateOf(done), 'a', 3, { ...signed, token })).toBeNull();
  });

  test('is the next one’s where the first is lost, whose late answer is none', () => {
    const taken = claimed(user, 'b', 6);
    expect(taken.claim).toEqual({ is: 'ours' });
    expect(settled(stateOf(taken.decision), 'a', 7, { ...signed, token })).toBeNull();
    expect(typesOf(settled(stateOf(taken.decision), 'b', 7, { ...signed, token }))).toEqual(['bot_sign_in.exchanged']);
  });

  test('that failed has one answer as well, for a minute, and one that could not be judged has none', () => {
    const failed = settled(user, 'a', 1, { failed: 'id_token_time' });
    expect(reasonOf(failed)).toEqual(['id_token_time']);
    expect(claimed(stateOf(failed), 'b', 2).claim).toEqual({ is: 'done', outcome: { failed: 'id_token_time' } });
    expect(claimed(stateOf(failed), 'b', 62).claim).toEqual({ is: 'ours' });
    expect(claimed(stateOf(release(user, { id: 'one', by: 'a' })), 'b', 1).claim).toEqual({ is: 'ours' });
    expect(release(user, { id: 'one', by: 'b' })).toBeNull();
  });

  test('comes to nothing where the person was signed out meanwhile', () => {
    expect(settled(stateOf(signOut(user)), 'a', 1, { ...signed, token })).toBeNull();
  });

  test('signs in nobody but who was there first, until another identity provider is named', () => {
    const bound = { ...user, bond: somebody };
    expect(reasonOf(settled(bound, 'a', 1, { ...signed, token }))).toEqual(['other_person']);
    const elsewhere = { ...user, bond: { ...somebody, connectionId: newId('connection') } };
    expect(stateOf(settled(elsewhere, 'a', 1, { ...signed, token }))).toMatchObject(signed);
  });

  test('is forgotten in time, and so are the answers to the oldest of very many', () => {
    let many: BotUser = user;
    for (let index = 0; index < 60; index += 1) {
      const begun = stateOf(claim(many, { ...of(1), id: `${index}`, by: 'a' }).decision);
      many = stateOf(settle(begun, { id: `${index}`, by: 'a', now: at(1), provider }, { ...signed, token }));
    }
    const last = stateOf(claim(many, { ...of(2), id: 'last', by: 'a' }).decision);
    expect(last.exchanges.filter(one => one.outcome)).toHaveLength(50);
    expect(claim(last, { ...of(2), id: '59', by: 'b' }).claim).toMatchObject({ is: 'done' });
    expect(stateOf(claim(many, { ...of(100), id: 'last', by: 'a' }).decision).exchanges).toHaveLength(1);
  });

  test('that is under way stays so, however many come, which wait until there is room', () => {
    let many: BotUser = user;
    for (let index = 1; index < 20; index += 1)
      many = stateOf(claim(many, { ...of(1), id: `${index}`, by: 'a' }).decision);
    const more = (now: BotUser, seconds: number) => claim(now, { ...of(seconds), id: 'more', by: 'b' });
    expect(more(many, 2)).toEqual({ claim: { is: 'full' }, decision: null });
    expect(more(stateOf(settled(many, 'a', 2, { ...signed, token })), 2).claim).toEqual({ is: 'ours' });
    // Whoever is lost takes no room, and may still come back.
    const later = more(many, 7);
    expect(later.claim).toEqual({ is: 'ours' });
    expect(typesOf(settled(stateOf(later.decision), 'a', 8, { ...signed, token }))).toEqual(['bot_sign_in.exchanged']);
    expect(stateOf(more(many, 22).decision).exchanges).toHaveLength(1);
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
    expect(enter(stateOf(signOut(typed)), signed, shownCode)).toBeNull();
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
    const next = stateOf(claimed(entered, 'a', 30).decision);
    const settledAs = (as: typeof bond) => stateOf(settled(next, 'a', 31, { ...signed, bond: as, token }));
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
