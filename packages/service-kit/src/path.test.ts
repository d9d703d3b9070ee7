import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { areOfTheirForm, expressPath, idKindOf, mostSpecificFirst, parametersIn, readParameters } from './path.ts';

const path = '/v1/tenants/{tenantId}/users/{userId}:deactivate';

describe('a path', () => {
  test('names its parameters, and is written as Express has it', () => {
    expect(parametersIn(path)).toEqual(['tenantId', 'userId']);
    expect(expressPath(path)).toBe('/v1/tenants/:tenantId/users/:userId\\:deactivate');
  });

  test('comes after those that say more of what they are for', () => {
    const inOrder = ['/users/me', '/users/{userId}:deactivate', '/users/{userId}'];
    expect(mostSpecificFirst(inOrder)).toEqual(inOrder);
    expect(mostSpecificFirst(inOrder.toReversed())).toEqual(inOrder);
  });

  test('has ids where ids belong: of another kind or form there is nothing behind them', () => {
    const userId = newId('user');
    expect(areOfTheirForm({ tenantId: 'acme', userId })).toBe(true);
    for (const wrong of [newId('session'), 'usr_x', '', userId.toUpperCase(), `${userId}x`, 'usr_../../x'])
      expect(areOfTheirForm({ tenantId: 'acme', userId: wrong })).toBe(false);
  });

  test('may have parameters that are no ids of ours', () => {
    expect(areOfTheirForm(readParameters('/interaction/{uid}', { uid: 'a-b_c', other: 'x' }))).toBe(true);
    expect([idKindOf('uid'), idKindOf('tenantId'), idKindOf('userId')]).toEqual([null, null, 'user']);
  });
});
