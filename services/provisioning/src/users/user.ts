// A person of a tenant, as the tenant knows them. Owns address, name, status and roles; not how they sign in (identities/) and not
// their sessions (auth), which learn of a deactivation from its event, whichever way it came about (lesson L2).
import { because, type EventDraft, type Reason } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { z } from 'zod';

export const roles = ['tenant_admin', 'tenant_auditor', 'tenant_member'] as const;
export type Role = (typeof roles)[number];

export type User = {
  email: string | null;
  displayName: string | null;
  status: 'active' | 'deactivated';
  roles: Role[];
  /** What brought the user here: an administrator, just-in-time provisioning, a directory. */
  source: 'admin' | 'jit' | 'scim';
  /** The directory that pushed the user, and the name it knows them by. */
  directory?: { id: string; userName: string };
  createdAt: string;
};

export type Users = Collections<User>;

export const userView = z.object({
  id: z.string(),
  email: z.string().nullable(),
  displayName: z.string().nullable(),
  status: z.enum(['active', 'deactivated']),
  roles: z.array(z.string()),
  source: z.string(),
  createdAt: z.string(),
});

export const emailSchema = z.email('must be an email address').max(320);
export const displayNameSchema = z.string().trim().min(1).max(200);
export const rolesSchema = z.array(z.enum(roles)).max(roles.length);

export function defineUsers(store: Store): Users {
  return store.collections<User>({
    name: 'users',
    unique: {
      email: user => user.email && addressKey(user.email),
      directory: ({ directory }) => (directory ? directoryKey(directory.id, directory.userName) : null),
    },
    queries: { inOrder: { equality: [] }, byStatus: { equality: ['status'] } },
  });
}

/** Addresses differ from one another by more than case and form of composition. */
export function addressKey(email: string): string {
  return email.normalize('NFKC').toLowerCase();
}

export const directoryKey = (directoryId: string, userName: string) => `${directoryId}|${addressKey(userName)}`;

export function viewOf({ id, state }: Entry<User>): z.infer<typeof userView> {
  const { email, displayName, status, roles: held, source, createdAt } = state;
  return { id, email, displayName, status, roles: held, source, createdAt };
}

const target = (id: string, user: User) => ({ type: 'user', id, name: user.displayName ?? user.email });
const described = (user: User) => ({ email: user.email, source: user.source });

function roleEvents(
  id: string,
  user: User,
  type: 'role.assigned' | 'role.unassigned',
  changed: readonly Role[],
): EventDraft[] {
  return changed.map(role => ({
    type,
    target: target(id, user),
    outcome: 'success',
    reason: because('requested'),
    details: { userId: id, role },
  }));
}

export function add(id: string, user: Omit<User, 'status'>, reason: Reason): NonNullable<Decision<User>> {
  const state: User = { ...user, status: 'active' };
  const created: EventDraft = {
    type: 'user.created',
    target: target(id, state),
    outcome: 'success',
    reason,
    details: described(state),
  };
  return { state, events: [created, ...roleEvents(id, state, 'role.assigned', state.roles)] };
}

export function update(
  id: string,
  user: User,
  change: Partial<Pick<User, 'email' | 'displayName' | 'roles'>>,
): Decision<User> {
  const state: User = { ...user, ...change };
  const changed = (Object.keys(change) as (keyof typeof change)[]).filter(
    key => JSON.stringify(user[key]) !== JSON.stringify(state[key]),
  );
  if (changed.length === 0) return null;
  const details = { ...described(state), changed };
  const updated: EventDraft = {
    type: 'user.updated',
    target: target(id, state),
    outcome: 'success',
    reason: because('requested'),
    details,
  };
  const assigned = state.roles.filter(role => !user.roles.includes(role));
  const unassigned = user.roles.filter(role => !state.roles.includes(role));
  return {
    state,
    events: [
      updated,
      ...roleEvents(id, state, 'role.assigned', assigned),
      ...roleEvents(id, state, 'role.unassigned', unassigned),
    ],
  };
}

export function deactivate(id: string, user: User, cause: string): Decision<User> {
  if (user.status === 'deactivated') return null;
  const state: User = { ...user, status: 'deactivated' };
  const details = { ...described(state), cause };
  return {
    state,
    events: [
      { type: 'user.deactivated', target: target(id, state), outcome: 'success', reason: because(cause), details },
    ],
  };
}

export function reactivate(id: string, user: User, cause: string): Decision<User> {
  if (user.status === 'active') return null;
  const state: User = { ...user, status: 'active' };
  const details = { ...described(state), cause };
  return {
    state,
    events: [
      { type: 'user.reactivated', target: target(id, state), outcome: 'success', reason: because(cause), details },
    ],
  };
}
