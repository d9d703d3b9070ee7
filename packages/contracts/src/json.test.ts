import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JsonError, parseJson } from './json.ts';

// Without a backslash: once V8 13.6 has parsed {"":0,"\\\\":0}, it takes the name in {"":0,"\\"":0} for a backslash.
const json = fc.jsonValue().filter(value => !JSON.stringify(value).includes('\\\\'));
const name = fc
  .oneof(fc.string(), fc.constantFrom('10', '9', '__proto__', 'constructor', '"', '{', '":', ''))
  .map(text => text.replaceAll('\\', '/'));

/** The same text in JSON's longest way to write it. */
const escapedThroughout = (text: string) =>
  `"${text
    .split('')
    .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')}"`;

describe('JSON', () => {
  test('is read as by JSON.parse, however it is laid out', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('with a member twice is refused, wherever it is and however its name is written', () => {
    fc.assert(
      fc.property(json, name, json, fc.constantFrom('', ' ', '\n'), (value, twice, other, space) => {
        const [one, two] = [JSON.stringify(twice), escapedThroughout(twice)];
        const object = `{${one}${space}:${JSON.stringify(value)},"x1":{},${two}:${space}${JSON.stringify(other)}}`;
        for (const text of [object, `[${object}]`, `{"x2":{"x3":[1,${object}]}}`])
          expect(() => parseJson(text)).toThrow(JsonError);
      }),
    );
  });

  test('may have one name in two objects', () => {
    const text = '{ "a": { "a": [ { "a": 1 }, { "a": "\\"a\\":{" } ] }, "b": { "a": 1 } }';
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test.each(['', '{', '{"a":1,}', 'nul', '{"a":1}}', "{'a':1}"])('is not %j', text => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});
