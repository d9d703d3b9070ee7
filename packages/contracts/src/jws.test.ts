import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCanonicalJws } from './jws.ts';

test('a token is canonical if, and only if, each of its parts is what its bytes are written as', () => {
  const part = fc.string({ minLength: 1, maxLength: 9, unit: fc.constantFrom(...'AZaz09-_BQgw+/='.split('')) });
  const wanted = (text: string) =>
    /^[\w-]+$/.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text;
  fc.assert(
    fc.property(fc.tuple(part, part, part), parts => {
      expect(isCanonicalJws(parts.join('.'))).toBe(parts.every(wanted));
    }),
    { numRuns: 2_000 },
  );
});

test('a token of bytes is canonical', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(one => Buffer.from(one).toString('base64url'));
  fc.assert(fc.property(fc.tuple(bytes, bytes, bytes), parts => isCanonicalJws(parts.join('.'))));
  expect(isCanonicalJws('AA.AA')).toBe(false);
  expect(isCanonicalJws('AA.AA.AA\n')).toBe(false);
});
