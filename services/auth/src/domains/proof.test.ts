import { describe, expect, test } from '@jest/globals';
import { type Answer, evaluate, newToken, recordName, recordValue } from './proof.ts';

const now = new Date('2026-11-26T12:00:00.000Z');
const token = newToken();
const said = (...values: string[]): Answer => ({ resolver: '192.0.2.1', values });
const silent = (error: string): Answer => ({ resolver: '192.0.2.2', error });
const outcomeOf = (...answers: Answer[]) => {
  const { outcome, problem } = evaluate(answers, token, now);
  return [outcome, problem];
};

describe('a token', () => {
  test('is of 160 random bits, and of letters and digits alone', () => {
    const made = new Set(Array.from({ length: 100 }, newToken));
    expect(made.size).toBe(100);
    for (const one of made) expect(one).toMatch(/^[0-9a-v]{32}$/);
  });

  test('stands in a record of the domain itself', () => {
    expect(recordName('acme.example')).toBe('_reeve-challenge.acme.example');
    expect(recordValue('abc')).toBe('token=abc');
  });
});

describe('a record', () => {
  test.each([
    ['the token', `token=${token}`],
    ['the bare token', token],
    ['one with spaces around it', `  token=${token} `],
    ['one that never expires', `token=${token} expiry=never`],
    ['one that expires later', `token=${token} expiry=2026-11-26T12:00:01Z`],
    ['one that expires later in another zone', `token=${token} expiry=2026-11-26T13:30:00+01:00`],
    ['one with what nobody knows', `token=${token} owner=it expiry=never`],
  ])('proves by %s', (_, value) => {
    expect(outcomeOf(said(value))).toEqual(['present', null]);
  });

  test.each([
    ['another token', `token=${newToken()}`],
    ['the token in capitals', `token=${token.toUpperCase()}`],
    ['the key in capitals', `TOKEN=${token}`],
    ['a part of it', `token=${token.slice(1)}`],
    ['more than it', `token=${token}0`],
    ['the token behind something', `v=1 token=${token}`],
    ['the token in quotes', `"token=${token}"`],
    ['a token of nothing', 'token='],
    ['nothing', ''],
  ])('does not by %s', (_, value) => {
    expect(outcomeOf(said(value))).toEqual(['absent', 'record_differs']);
  });

  test.each([
    ['in the past', '2026-11-26T11:59:59Z'],
    ['at this moment', '2026-11-26T12:00:00Z'],
    ['in the past of another zone', '2026-11-26T12:30:00+01:00'],
    ['at no date', 'tomorrow'],
    ['at a day', '2027-11-26'],
    ['at nothing', ''],
    ['later and before', '2027-11-26T12:00:00Z expiry=2026-01-01T00:00:00Z'],
  ])('that expires %s proves nothing', (_, expiry) => {
    expect(outcomeOf(said(`token=${token} expiry=${expiry}`))).toEqual(['absent', 'record_expired']);
  });

  test('is found among many others, also beside one that has expired', () => {
    const others = Array.from({ length: 199 }, newToken);
    expect(outcomeOf(said(...others, `token=${token}`))).toEqual(['present', null]);
    expect(outcomeOf(said(`token=${token} expiry=2020-01-01T00:00:00Z`, token))).toEqual(['present', null]);
  });

  test('that is not there is missing', () => {
    expect(outcomeOf(said())).toEqual(['absent', 'record_missing']);
  });
});

describe('of several resolvers', () => {
  const has = said(`token=${token}`);

  test('all that answer have to have it, and then it is there', () => {
    expect(outcomeOf(has, has)).toEqual(['present', null]);
    expect(outcomeOf(has, silent('ETIMEOUT'))).toEqual(['present', null]);
    expect(outcomeOf(has, said())).toEqual(['unclear', 'dns_differs']);
  });

  test('the one that lacks it is named, with what it found', () => {
    const lacks: Answer = { resolver: '192.0.2.3', values: ['token=old'] };
    expect(evaluate([has, lacks], token, now)).toMatchObject({ resolver: '192.0.2.3', found: ['token=old'] });
  });

  test('all that answer have to lack it, and then it is gone', () => {
    expect(outcomeOf(said(), said())).toEqual(['absent', 'record_missing']);
    expect(outcomeOf(silent('ESERVFAIL'), said())).toEqual(['absent', 'record_missing']);
  });

  test('none that answers is no absence', () => {
    expect(outcomeOf(silent('ESERVFAIL'), silent('ETIMEOUT'))).toEqual(['unclear', 'dns_failed']);
    expect(evaluate([silent('ESERVFAIL')], token, now)).toMatchObject({ error: 'ESERVFAIL', resolver: '192.0.2.2' });
  });
});

test('of what was found no more is shown than twenty values of 200 characters', () => {
  const { found } = evaluate([said(...Array.from({ length: 200 }, () => 'x'.repeat(5_000)))], token, now);
  expect(found).toEqual(Array.from({ length: 20 }, () => 'x'.repeat(200)));
});
