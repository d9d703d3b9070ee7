import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { createSeal } from '../seal.ts';
import { chooseKey } from './choose-key.ts';
import { codeOf, embedCodes } from './codes.ts';
import { scriptOf } from './script.ts';

describe('the sign-in that a page means', () => {
  const keys = new Map([
    ['default', 'con_1'],
    ['subsidiary', 'con_2'],
    ['closed', 'con_3'],
  ]);
  const active = ['con_1', 'con_2'];
  const none = new Map<string, string>();

  test.each([
    ['subsidiary', keys, active, 'subsidiary'],
    [null, keys, active, 'default'],
    [null, none, ['con_1'], null],
  ])('%s is %s', (asked, known, open, key) => {
    expect(chooseKey({ asked, keys: known, active: open })).toBe(key);
  });

  test.each([
    ['nobody', keys, active, 'unknown_auth_key'],
    ['closed', keys, active, 'unknown_auth_key'],
    ['default', none, active, 'unknown_auth_key'],
    [null, keys, [], 'unknown_auth_key'],
    [null, none, active, 'missing_auth_key'],
  ])('%s is none', (asked, known, open, code) => {
    expect(() => chooseKey({ asked, keys: known, active: open })).toThrow(expect.objectContaining({ code }));
  });
});

describe('what is sealed', () => {
  const seal = createSeal<{ a: number }>(['new', 'old'], 'one');

  test('is opened as it was, also by a key of before', () => {
    expect(seal.open(seal.seal({ a: 1 }))).toEqual({ a: 1 });
    expect(seal.open(createSeal(['old'], 'one').seal({ a: 1 }))).toEqual({ a: 1 });
  });

  test('is nothing for another purpose, by another key, changed or cut', () => {
    const [payload = '', mac = ''] = seal.seal({ a: 1 }).split('.');
    for (const text of [
      createSeal(['new'], 'two').seal({ a: 1 }),
      createSeal(['other'], 'one').seal({ a: 1 }),
      `${payload}x.${mac}`,
      `${payload}.${mac.slice(1)}`,
      `${payload}.`,
      '',
      undefined,
    ])
      expect(seal.open(text)).toBeNull();
  });
});

test('each cause that has a name of its own is told by it, and any other as a sign-in that failed', () => {
  expect(codeOf({ error: 'access_denied', cause: 'identity_unknown' })).toBe('not_in_roster');
  expect(codeOf({ error: 'invalid_target', cause: 'resource is neither' })).toBe('no_access');
  expect(codeOf({ error: 'access_denied', cause: 'identity_conflict' })).toBe('no_channel_identity');
  expect(codeOf({ error: 'access_denied', cause: null })).toBe('sign_in_failed');
  expect(codeOf({ error: 'x', cause: 'constructor' })).toBe('sign_in_failed');
});

describe('reeve.js', () => {
  const script = scriptOf('1.0.0');

  test('is 8 kB at most as it is sent', () => {
    expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(8_192);
  });

  test('tells of no code that is not in the table, and the documentation has all of them', () => {
    const told = [...script.toString().matchAll(/ReeveError\(\s*'(\w+)'/g)].map(([, code]) => code ?? '');
    expect(told.length).toBeGreaterThan(5);
    for (const code of told) expect(Object.keys(embedCodes)).toContain(code);
    const documentation = readFileSync(new URL('../../../../docs/embedded.md', import.meta.url), 'utf8');
    for (const code of Object.keys(embedCodes)) expect(documentation).toContain(`| \`${code}\` |`);
  });
});
