import { describe, expect, test } from '@jest/globals';
import { because } from '@reeve/contracts';
import { add, addressKey, deactivate, reactivate, type User, update } from './user.ts';

const ada: User = {
  email: 'ada@example.org',
  displayName: 'Ada',
  status: 'active',
  roles: ['tenant_member'],
  source: 'admin',
  createdAt: '2026-11-21T00:00:00.000Z',
};
const types = (decision: { events: readonly object[] } | null) =>
  decision?.events.map(event => (event as { type: string }).type);

describe('a user', () => {
  test('is created with a role event for each role', () => {
    expect(types(add('usr_1', { ...ada, roles: ['tenant_admin', 'tenant_member'] }, because('requested')))).toEqual([
      'user.created',
      'role.assigned',
      'role.assigned',
    ]);
  });

  test('deactivated twice is deactivated once', () => {
    const once = deactivate('usr_1', ada, 'requested');
    expect(types(once)).toEqual(['user.deactivated']);
    expect(deactivate('usr_1', once?.state as User, 'requested')).toBeNull();
    expect(types(reactivate('usr_1', once?.state as User, 'requested'))).toEqual(['user.reactivated']);
    expect(reactivate('usr_1', ada, 'requested')).toBeNull();
  });

  test('updated to what it is already does not change', () => {
    expect(update('usr_1', ada, { displayName: 'Ada', roles: ['tenant_member'] })).toBeNull();
  });

  test('updated names what changed, and each role that came or went', () => {
    const decision = update('usr_1', ada, { displayName: 'Ada L.', roles: ['tenant_auditor'] });
    expect(types(decision)).toEqual(['user.updated', 'role.assigned', 'role.unassigned']);
    expect(decision?.events[0]).toMatchObject({ details: { changed: ['displayName', 'roles'] } });
  });

  test('is found by an address in another case or composition', () => {
    expect(addressKey('ADA@Example.org')).toBe(addressKey('ada@example.org'));
    expect(addressKey('zoe\u0308@example.org')).toBe(addressKey('zo\u00eb@example.org'));
  });
});
