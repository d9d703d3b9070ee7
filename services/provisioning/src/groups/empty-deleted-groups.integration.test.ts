// What is left in a group that was deleted when a process ends between bringing somebody in and looking again.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, serviceCause } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { add, join, users as usersOf } from '../users/user.ts';
import { emptyDeletedGroups } from './empty-deleted-groups.ts';
import { form, groups as groupsOf, remove } from './group.ts';

let store: Store;
beforeAll(async () => {
  const contents = { collections: [usersOf, groupsOf], platformRecords: [] };
  store = openStore({
    uri: engines().mongodb,
    database: `groups_${Date.now().toString(36)}`,
    source: '/test',
    contents,
  });
  await store.prepare();
});
afterAll(() => store.close());

const tenantId = newId('tenant');
const cause = serviceCause('provisioning', { correlationId: 'c' });
const at = new Date();

/** Somebody who was brought into a group, which has been deleted and emptied before that where it says so. */
async function brought({ isDeleted }: { isDeleted: boolean }) {
  const [users, groups] = [store.collection(usersOf), store.collection(groupsOf)];
  const [groupId, id] = [newId('group'), newId('user')];
  const [whom, group] = [
    { tenantId, id, at },
    { id: groupId, name: `Group ${groupId}` },
  ];
  const made = { name: group.name, description: null, createdAt: at.toISOString() };
  await groups.in(tenantId).create(groupId, form(groupId, made), cause);
  const user = { email: null, emailVerified: false, displayName: null, roles: [] };
  await users.in(tenantId).create(id, add(whom, user as never, 'requested'), cause);
  if (isDeleted) await groups.in(tenantId).change(groupId, now => now && remove(groupId, now, at), { cause });
  await users.in(tenantId).change(id, now => now && join(whom, now, group), { cause });
  const { 'membership.added': told } = emptyDeletedGroups({ users, groups, clock: store.clock });
  const data = { target: { type: 'membership', ...group }, details: { userId: id } };
  await told?.({ id: newId('request'), tenantId, correlationId: 'c', data } as never);
  return (await users.in(tenantId).get(id))?.state.groups;
}

test('whoever came into a group that was deleted leaves it by their own event, and nobody else does', async () => {
  expect(await brought({ isDeleted: true })).toEqual([]);
  expect(await brought({ isDeleted: false })).toHaveLength(1);
});
