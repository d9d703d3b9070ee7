// A group of people of a tenant, for the product's own applications and APIs, which are told of it in tokens: in Reeve
// itself it gives nobody a right. Owns its name; who is in it stands with each user (users/user.ts), so that people
// come and go one by one, without a race between two who change the group at once (lesson L9). Pure.
import { event, type Id } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';

export type Group = {
  name: string;
  description: string | null;
  createdAt: string;
  /** Absent while the group is in use. */
  deletedAt?: Date;
};
export type Groups = Collections<Group>;
export type GroupId = Id<'group'>;

export const groupView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  createdAt: z.string(),
});
export const nameSchema = z.string().trim().min(1).max(200);
export const descriptionSchema = z.string().trim().min(1).max(500).nullable();

export const groups = collection<Group>({
  name: 'groups',
  unique: { name: ({ name, deletedAt }) => (deletedAt ? null : name.normalize('NFKC').toLowerCase()) },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export function viewOf({ id, state }: Entry<Group>): z.infer<typeof groupView> {
  const { name, description, createdAt } = state;
  return { id, name, description, createdAt };
}

export function form(id: GroupId, group: Group): NonNullable<Decision<Group>> {
  return { state: group, events: [event('group.created', { id, name: group.name, because: 'requested' })] };
}

export function update(
  id: GroupId,
  group: Group,
  change: Partial<Pick<Group, 'name' | 'description'>>,
): Decision<Group> {
  const changed = changedIn(group, change);
  if (changed.length === 0) return null;
  const state = { ...group, ...change };
  return {
    state,
    events: [event('group.updated', { id, name: state.name, because: 'requested', details: { changed } })],
  };
}

/** Nobody comes into it from this write on. Whoever is in it leaves by what follows from the event. */
export function remove(id: GroupId, group: Group, at: Date): Decision<Group> {
  return {
    state: { ...group, deletedAt: at },
    events: [event('group.deleted', { id, name: group.name, because: 'requested' })],
  };
}
