import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Decision } from '@reeve/store';
import { add, addressKey, deactivate, join, leave, reactivate, type User, update, users, type Whom } from './user.ts';

const whom: Whom = { tenantId: newId('tenant'), id: newId('user'), at: new Date('2026-11-21T00:00:00.000Z') };
const ada: User = {
  email: 'ada@example.org',
  emailVerified: true,
  displayName: 'Ada',
  status: 'active',
  roles: ['tenant_member'],
  groups: [],
  source: 'admin',
  createdAt: '2026-11-21T00:00:00.000Z',
};
const types = (decision: Decision<User>) => decision?.events.map(({ type }) => type);
/** What verifiers of access tokens are told. */
const standing = (decision: Decision<User>) => {
  const told = decision?.events.find(draft => 'topic' in draft);
  return told && 'topic' in told ? (JSON.parse(Buffer.from(told.data).toString()) as unknown) : null;
};
const keysOf = (user: User) => users.unique?.['email']?.(user, whom.id);

describe('a user', () => {
  test('is created with a role event for each role', () => {
    const added = add(whom, { ...ada, roles: ['tenant_admin', 'tenant_member'] }, 'requested');
    expect(types(added)).toEqual(['user.created', 'role.assigned', 'role.assigned']);
  });

  test('deactivated twice is deactivated once, and whoever holds an access token of theirs learns of it', () => {
    const once = deactivate(whom, ada, 'requested');
    expect(types(once)).toEqual(['user.deactivated', 'user.revoked']);
    expect(standing(once)).toEqual({
      kind: 'user',
      id: whom.id,
      tenantId: whom.tenantId,
      status: 'deactivated',
      roles: ['tenant_member'],
      groups: [],
      changedAt: '2026-11-21T00:00:00.000Z',
      until: '2026-11-21T00:06:00.000Z',
    });
    const off = once?.state ?? ada;
    expect(deactivate(whom, off, 'requested')).toBeNull();
    expect(types(reactivate(whom, off, 'requested'))).toEqual(['user.reactivated', 'user.revoked']);
    expect(reactivate(whom, ada, 'requested')).toBeNull();
  });

  test('updated to what it is already does not change', () => {
    expect(update(whom, ada, { displayName: 'Ada', roles: ['tenant_member'] }, 'requested')).toBeNull();
  });

  test('updated names what changed, and each role that came or went', () => {
    const updated = update(whom, ada, { displayName: 'Ada L.', roles: ['tenant_auditor'] }, 'requested');
    expect(types(updated)).toEqual(['user.updated', 'role.assigned', 'role.unassigned', 'user.revoked']);
    expect(updated?.events[0]).toMatchObject({ details: { changed: ['displayName', 'roles'] } });
    expect(standing(updated)).toMatchObject({ status: 'active', roles: ['tenant_auditor'] });
  });

  test('updated in name alone says nothing to those who verify tokens', () => {
    expect(standing(update(whom, ada, { displayName: 'Ada L.' }, 'requested'))).toBeNull();
  });

  test('comes into a group once and leaves it once, and whoever verifies tokens is told of those that are left', () => {
    const group = { id: newId('group'), name: 'Support' };
    const joined = join(whom, ada, group);
    expect(types(joined)).toEqual(['membership.added', 'user.revoked']);
    expect(standing(joined)).toMatchObject({ groups: [group.id] });
    const inIt = joined?.state ?? ada;
    expect(join(whom, inIt, group)).toBeNull();
    const left = leave(whom, inIt, group, 'group_deleted');
    expect(left?.events[0]).toMatchObject({ reason: { code: 'group_deleted' }, details: { userId: whom.id } });
    expect(standing(left)).toMatchObject({ groups: [] });
    expect(leave(whom, ada, group, 'requested')).toBeNull();
  });

  test('is in a hundred groups at most', () => {
    const full = { ...ada, groups: Array.from({ length: 100 }, () => newId('group')) };
    expect(() => join(whom, full, { id: newId('group'), name: 'One more' })).toThrow('hundred');
    expect(join(whom, full, { id: full.groups[7] ?? newId('group'), name: 'Known' })).toBeNull();
  });

  test('that was stored before there were groups is in none, and keeps those it has when it is read again', () => {
    const { groups: _, ...before } = ada;
    expect(users.upgrade?.(before, 2)).toEqual(ada);
    const inIt = { ...ada, groups: [newId('group')] };
    expect(users.upgrade?.(inIt, 2)).toEqual(inIt);
  });

  test('is found by an address in another case or composition', () => {
    expect(addressKey('ADA@Example.org')).toBe(addressKey('ada@example.org'));
    expect(addressKey('zoe\u0308@example.org')).toBe(addressKey('zo\u00eb@example.org'));
  });
});

describe('an address', () => {
  test('that nobody has verified is nobody’s against others', () => {
    expect(keysOf(ada)).toBe('ada@example.org');
    expect(keysOf({ ...ada, emailVerified: false })).toBeNull();
    expect(keysOf({ ...ada, email: null })).toBeNull();
  });

  test('that an administrator sets is taken as verified', () => {
    const updated = update(whom, { ...ada, emailVerified: false }, { email: 'ada@example.com' }, 'requested');
    expect(updated?.state).toMatchObject({ email: 'ada@example.com', emailVerified: true });
  });

  test('of a user that was stored before this was known is verified only where no identity provider had said it', () => {
    const { emailVerified: _, ...before } = ada;
    expect(users.upgrade?.({ ...before, source: 'jit' }, 1)).toMatchObject({ emailVerified: false });
    expect(users.upgrade?.({ ...before, source: 'scim' }, 1)).toMatchObject({ emailVerified: true });
  });
});
