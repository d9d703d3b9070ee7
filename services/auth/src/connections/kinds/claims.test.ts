import { describe, expect, test } from '@jest/globals';
import { boundedClaims } from './claims.ts';

const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1)]);

describe('claims', () => {
  test('are handed on as they were said, without those of the protocol', () => {
    const said = { sub: 'ada', tid: 't', groups: ['a', 'b'], 'https://acme.example/roles': [], address: { a: null } };
    const ofProtocol = { iss: 'x', aud: 'x', exp: 1, iat: 1, nbf: 1, nonce: 'x', at_hash: 'x', c_hash: 'x', azp: 'x' };
    expect(boundedClaims({ ...ofProtocol, ...said })).toEqual({ claims: said, dropped: [] });
  });

  test('that are more than a hundred are dropped and named', () => {
    const said = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`claim${index}`, index]));
    const { claims, dropped } = boundedClaims(said);
    expect([Object.keys(claims).length, dropped.length]).toEqual([100, 100]);
    expect([claims['claim99'], dropped[0]]).toEqual([99, 'claim100']);
  });

  test('that are large are dropped, each and all together, and what is small is kept', () => {
    expect(boundedClaims({ photo: 'x'.repeat(12_001), name: 'Ada' })).toEqual({
      claims: { name: 'Ada' },
      dropped: ['photo'],
    });
    const large = 'ä'.repeat(4_000);
    const { claims, dropped } = boundedClaims({ a: large, b: large, c: large, d: 'small' });
    expect([Object.keys(claims), dropped]).toEqual([['a', 'b', 'd'], ['c']]);
    expect(Buffer.byteLength(JSON.stringify(claims))).toBeLessThanOrEqual(16_384);
  });

  test.each([
    ['a name that is a prototype', JSON.parse('{"__proto__": {"admin": true}}')],
    ['such a name within', { a: JSON.parse('{"__proto__": 1}') }],
    ['a name that the store takes for an operator', { $where: 'x' }],
    ['a name with a zero byte', { a: { 'b\0c': 1 } }],
    ['no name', { '': 1 }],
    ['half a character', { a: '\ud800' }],
    ['a number that JavaScript rounds', { a: [JSON.parse('9007199254740993')] }],
    ['a number whose fraction is rounded away', { a: JSON.parse('9007199254740991.4') }],
    ['a number beyond all', { a: JSON.parse('1e400') }],
    ['a long name', { ['n'.repeat(201)]: 1 }],
    ['great depth', { a: nested(1_000) }],
  ] as [string, object][])('with %s are dropped, and the others kept', (_, said) => {
    const { claims, dropped } = boundedClaims({ ...said, name: 'Ada' });
    expect(claims).toEqual({ name: 'Ada' });
    expect(dropped.length).toBe(1);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('of some depth are kept', () => {
    expect(boundedClaims({ a: nested(6) }).claims).toEqual({ a: nested(6) });
    expect(boundedClaims({ a: nested(7) })).toEqual({ claims: {}, dropped: ['a'] });
  });
});
