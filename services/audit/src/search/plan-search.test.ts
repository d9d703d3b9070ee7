import { describe, expect, test } from '@jest/globals';
import type { Entry } from '@reeve/store';
import { recordQueries, type StoredRecord } from '../chains/chain-store.ts';
import { type Filters, planSearch } from './plan-search.ts';
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
const fields: Record<keyof typeof each, string> = {
  type: 'type',
  actor: 'actorId',
  target: 'targetId',
  outcome: 'outcome',
  ip: 'ip',
  session: 'sessionId',
  correlation: 'correlationId',
  about: 'about',
  text: 'words',
  from: 'time',
  to: 'time',
};
const names = Object.keys(each) as (keyof typeof each)[];
const bounds: Filters[] = [
  {},
  { from: '2026-01-01T00:00:00Z' },
  { to: '2026-01-01T00:00:00+02:00' },
  { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' },
];
const found = (canonical: string) => ({ state: { canonical } }) as Entry<StoredRecord>;

describe('a search', () => {
  test('starts from the index of one of its filters, in whichever combination, and narrows by the others', () => {
    for (let chosen = 0; chosen < 2 ** names.length; chosen += 1) {
      const given = names.filter((_, bit) => chosen & (2 ** bit));
      for (const bound of bounds) {
        const { query, equality, where } = planSearch({
          ...Object.fromEntries(given.map(name => [name, each[name]])),
          ...bound,
        });
        const shape = recordQueries[query];
        expect(shape).toMatchObject({ sort: 'time', direction: 'descending' });
        expect(Object.keys(equality)).toEqual([...shape.equality]);
        expect(shape.equality).toHaveLength(given.length === 0 ? 0 : 1);
        const asked = new Set([...given.map(name => fields[name]), ...(Object.keys(bound).length > 0 ? ['time'] : [])]);
        expect(new Set([...Object.keys(equality), ...Object.keys(where)])).toEqual(asked);
      }
    }
  });

  test('compares times in UTC, whatever their offset', () => {
    expect(planSearch({ to: '2026-01-01T00:00:00+02:00' }).where).toEqual({
      time: { $lte: '2025-12-31T22:00:00.000Z' },
    });
  });

  test('of a text starts from its longest word, and finds the words one after the other', () => {
    const { equality, matches } = planSearch({ text: 'ALICE from Acme-Example' });
    expect(equality).toEqual({ words: 'acme-example' });
    expect(matches(found('{"name":"Alice from acme-example"}'))).toBe(true);
    expect(matches(found('{"name":"alice of acme-example, from"}'))).toBe(false);
    expect(matches(found('{"name":"Alice","next":"from acme-example"}'))).toBe(false);
    expect(planSearch({ text: 'one' }).matches(found('anything'))).toBe(true);
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
