import { expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { decodePosition, encodePosition } from './feed-cursor.ts';

test('a cursor leads back to its position, for its tenant alone', () => {
  const tenantId = newId('tenant');
  const position = { 'reeve.auth.v1/0': 12, 'reeve.secret.v1/2': 1 };
  const cursor = encodePosition(tenantId, position);
  expect(decodePosition(tenantId, cursor)).toEqual(position);
  expect(decodePosition(tenantId, encodePosition(tenantId, {}))).toEqual({});
  for (const wrong of [
    '',
    'x',
    cursor.slice(2),
    encodePosition(newId('tenant'), position),
    Buffer.from('[]').toString('base64url'),
  ])
    expect(() => decodePosition(tenantId, wrong)).toThrow(expect.objectContaining({ code: 'cursor_invalid' }));
});
