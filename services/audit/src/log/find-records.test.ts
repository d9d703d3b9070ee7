import { describe, expect, test } from '@jest/globals';
import type { Entry } from '@reeve/store';
import { type Filters, planSearch } from './find-records.ts';
import { recordQueries, type StoredRecord } from './record.ts';
import { wordsOf } from './search-fields.ts';

const each: Filters = {
  type: 'session.created',
  actor: 'usr_1',
  target: 'ses_1',
  outcome: 'success',
  ip: '192.0.2.1',
  session: 'ses_1',
  correlation: 'c',
  about: 'cnr_1',
  text: 'Alice from Acme',
};
const names = Object.keys(each) as (keyof typeof each)[];
const matching: Partial<StoredRecord> = {
  type: 'session.created',
  actorId: 'usr_1',
  targetId: 'ses_1',
  outcome: 'success',
  ip: '192.0.2.1',
  sessionId: 'ses_1',
  correlationId: 'c',
  about: ['usr_1', 'cnr_1'],
  words: ['acme', 'alice', 'from'],
  canonical: '{"name":"Alice from ACME"}',
};
const entryOf = (state: Partial<StoredRecord>) => ({ state }) as Entry<StoredRecord>;

describe('a search', () => {
  test('starts from the index of one of its filters, in whichever combination, and heeds all others', () => {
    for (let chosen = 0; chosen < 2 ** names.length; chosen += 1) {
      const given = names.filter((_, bit) => chosen & (2 ** bit));
      const { query, equality, options } = planSearch(Object.fromEntries(given.map(name => [name, each[name]])));
      const shape: { equality: readonly string[]; narrowedBy: readonly string[] } = recordQueries[query] as never;
      expect(Object.keys(equality)).toEqual(shape.equality);
      expect(shape.equality).toHaveLength(given.length === 0 ? 0 : 1);
      expect(shape.narrowedBy).toEqual(expect.arrayContaining(Object.keys(options.only)));
      const { keep = () => true } = options;
      expect(keep(entryOf(matching))).toBe(true);
      // What the index does not see to is compared: a record of another actor, address, … is not kept.
      const seenTo = new Set([...Object.keys(equality), ...Object.keys(options.only)]);
      for (const [field, filter] of Object.entries({
        actorId: 'actor',
        ip: 'ip',
        about: 'about',
        type: 'type',
      } as const))
        expect(keep(entryOf({ ...matching, [field]: 'other' }))).toBe(!given.includes(filter) || seenTo.has(field));
    }
  });

  test('compares times in UTC, whatever their offset', () => {
    expect(planSearch({ to: '2026-01-01T00:00:00+02:00' }).options.range).toEqual({ to: '2025-12-31T22:00:00.000Z' });
  });

  test('of a text starts from its longest word, and finds the words one after the other', () => {
    const { equality, options } = planSearch({ text: 'ALICE from Acme-Example' });
    expect(equality).toEqual({ words: 'acme-example' });
    const isFound = (canonical: string) => options.keep?.(entryOf({ canonical }));
    expect(isFound('{"name":"Alice from acme-example"}')).toBe(true);
    expect(isFound('{"name":"alice of acme-example, from"}')).toBe(false);
    expect(isFound('{"name":"Alice","next":"from acme-example"}')).toBe(false);
    expect(planSearch({ text: 'one' }).options.keep).toBe(undefined);
  });
});

test('words are small, whole, and of any script', () => {
  expect(wordsOf('Zoë <ZOË@Beispiel.example>, "ses_01-a"; 東京 ﬁ 192.0.2.1')).toEqual([
    'zoë',
    'zoë',
    'beispiel',
    'example',
    'ses_01-a',
    '東京',
    'fi',
    '192',
    '0',
    '2',
    '1',
  ]);
});
