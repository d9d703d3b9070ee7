import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { assertNothing, validate } from './validate.ts';

const schema = z.strictObject({ name: z.string().max(5), list: z.array(z.object({ n: z.number() })).optional() });
const refusal = (value: unknown) => {
  try {
    validate(z.unknown(), value, '');
    return validate(schema, value, '');
  } catch (error) {
    return (error as { errors?: { field: string; message: string }[] }).errors;
  }
};
const nested = (levels: number): unknown => (levels === 0 ? 'x' : { a: nested(levels - 1) });

describe('a body', () => {
  test('that is as it has to be is handed on', () => {
    expect(validate(schema, { name: 'Ada' }, '')).toEqual({ name: 'Ada' });
  });

  test('that is not is refused, each field by its path', () => {
    expect(refusal({ name: 'too long', list: [{ n: 1 }, { n: 'x' }], other: 1 })).toEqual([
      { field: 'name', message: expect.any(String) },
      { field: 'list.1.n', message: expect.any(String) },
      { field: 'other', message: 'is not a known field' },
    ]);
  });

  test.each([
    ['NUL', { name: 'a\0' }, 'name'],
    ['half a character', { name: '\ud800' }, 'name'],
    ['NUL in a name', { 'a\0': 1 }, 'body'],
    ['half a character further in', { list: [{ n: '\udfff' }] }, 'list.0.n'],
  ])('with %s is refused before any schema looks at it', (_, value, field) => {
    expect(refusal(value)).toEqual([{ field, message: 'holds characters that are not text' }]);
  });

  test('that is nested too deep is refused, be it 100,000 levels', () => {
    const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown;
    expect(refusal(deep)).toEqual([{ field: 'body', message: expect.stringContaining('deeper than 32') }]);
    expect(refusal(nested(33))).toEqual([{ field: 'body', message: expect.stringContaining('deeper than 32') }]);
    expect(refusal(nested(10))).toEqual([
      expect.objectContaining({ field: 'name' }),
      expect.objectContaining({ field: 'a' }),
    ]);
  });

  test('that nobody wants is refused by its fields', () => {
    expect(() => assertNothing({ a: 1 }, 'body')).toThrow(
      expect.objectContaining({ errors: [{ field: 'body.a', message: 'is not a known field' }] }),
    );
    expect(() => assertNothing({}, 'body')).not.toThrow();
    expect(() => assertNothing(undefined, 'query')).not.toThrow();
  });
});
