import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCanonicalJson } from './canonical-json.ts';
import { canonicalJson } from './record.ts';

const wellFormed = fc.string({ unit: 'binary', maxLength: 8 }).map(text => text.toWellFormed());
// Without a backslash: once V8 13.6 has parsed {"":0,"\\\\":0}, it takes the name in {"":0,"\\"":0} for a backslash.
const name = fc
  .oneof(wellFormed, fc.constantFrom('10', '9', '__proto__', 'constructor', '"', '{', '":', ''))
  .map(text => text.replaceAll('\\', '/'));
const json = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -0.5, 1e21, 1e-7, 123_456),
    wellFormed,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('canonical JSON', () => {
  test('is what canonicalJson makes of any value', () => {
    fc.assert(fc.property(json, value => expect(parseCanonicalJson(canonicalJson(value))).toEqual(value)));
  });

  test.each([
    ['white space', '{"a": 1}'],
    ['white space at the end', '{"a":1}\n'],
    ['a member twice', '{"a":1,"a":2}'],
    ['a member twice, the same', '{"a":1,"a":1}'],
    ['a member twice further in', '{"a":[{"b":1,"b":2}]}'],
    ['another order', '{"b":1,"a":2}'],
    ['another order further in', '{"a":[{"c":1,"b":2}]}'],
    ['another order of names that are numbers', '{"9":1,"10":2}'],
    ['an escape that it does without', '{"a":"\\u0061"}'],
    ['another number', '{"a":1e3}'],
    ['minus zero', '{"a":-0}'],
    ['half a surrogate pair', '{"a":"\\ud800"}'],
  ])('has not %s', (_, text) => {
    expect(() => void JSON.parse(text)).not.toThrow();
    expect(() => parseCanonicalJson(text)).toThrow();
  });

  test('has names that are numbers in the order of texts', () => {
    expect(parseCanonicalJson('{"10":2,"9":1}')).toEqual({ 9: 1, 10: 2 });
  });
});
