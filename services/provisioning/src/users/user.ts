// A person of a tenant, as the tenant knows them. Owns address, name, status and roles; not how they sign in
// (identities/) and not their sessions (auth), which learn of a deactivation from its event, whichever way it came
// about (lesson L2). Whoever verifies access tokens learns of it from `reeve.revocations.v1`, in the same write.
import type { Area } from '@reeve/access';
import {
  type EventDraft,
  event,
  type Id,
  mattersUntil,
  type PersonIdentifier,
  ProblemError,
  personIdentifiers,
  type ReasonOf,
  revocationDraft,
  type TenantId,
  textSchema,
} from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Draft, type Entry } from '@reeve/store';
import { z } from 'zod';

export const roles = ['tenant_admin', 'tenant_auditor', 'tenant_member'] as const;
export type Role = (typeof roles)[number];

const reaches: Record<Role, readonly Area[] | null> = {
  tenant_admin: null,
  tenant_auditor: ['audit'],
  tenant_member: [],
};

/** How far these roles reach in the tenant; null is everywhere. */
export const reachOf = (held: readonly Role[]): readonly Area[] | null =>
  held.some(role => reaches[role] === null) ? null : held.flatMap(role => reaches[role] ?? []);

export type User = {
  email: string | null;
  /**
   * Somebody who may say so has said that the address is this person's. Only then is it unique, and leads others to
   * this user.
   */
  emailVerified: boolean;
  displayName: string | null;
  status: 'active' | 'deactivated';
  roles: Role[];
  /** Ids of those that the person is in: of a group that was deleted a moment ago too. */
  groups: string[];
  /** What brought the user here: an administrator, just-in-time provisioning, a directory. */
  source: 'admin' | 'jit' | 'scim';
  /** The directory that pushed the user, and the name it knows them by. */
  directory?: { id: string; userName: string };
  /**
   * What the person is known by at several identity providers: of each kind nobody else in the tenant has the same.
   * Absent for users from before there were any.
   */
  identifiers?: Identifiers;
  /** The external identity that the user was made for, and the connection that it came by. */
  madeFor?: { identityId: string; connectionId: string };
  createdAt: string;
};

export type Identifiers = Partial<Record<PersonIdentifier, string>>;

export type Users = Collections<User>;

/** Whom a change is about, and when it is made. */
export type Whom = { tenantId: TenantId; id: Id<'user'>; at: Date };

type Why = ReasonOf<'user.updated'>;

const identifierText = textSchema(400).refine(text => text.trim() === text, 'must not begin or end with a space');

export const identifiersSchema = z.strictObject({
  employee_id: identifierText.exactOptional(),
  directory_id: identifierText.exactOptional(),
  custom: identifierText.exactOptional(),
}) satisfies z.ZodType<Identifiers>;

export const userView = z.object({
  id: z.string(),
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  displayName: z.string().nullable(),
  status: z.enum(['active', 'deactivated']),
  roles: z.array(z.string()),
  groups: z.array(z.string()).describe('Ids of groups'),
  source: z.string(),
  identifiers: identifiersSchema.describe('By which identity providers name the person, each unique in the tenant'),
  createdAt: z.string(),
});

/** Of a write that is refused because somebody has one of what is everybody's own. */
export const takenByAnother = {
  email: 'user_email_taken',
  employee_id: 'user_identifier_taken',
  directory_id: 'user_identifier_taken',
  custom: 'user_identifier_taken',
} as const;

export const emailSchema = z.email('must be an email address').max(320);
export const displayNameSchema = z.string().trim().min(1).max(200);
export const rolesSchema = z.array(z.enum(roles)).max(roles.length);

export const users = collection<User>({
  name: 'users',
  version: 3,
  // Version 1 did not say whether the address was verified: what just-in-time provisioning had brought may not have
  // been. 1 and 2 knew no groups.
  upgrade: (state, from) => ({
    ...(state as User),
    ...(from < 2 ? { emailVerified: (state as User).source !== 'jit' } : {}),
    groups: (state as Partial<User>).groups ?? [],
  }),
  unique: {
    email: ({ email, emailVerified }) => (email !== null && emailVerified ? addressKey(email) : null),
    directory: ({ directory }) => (directory ? directoryKey(directory.id, directory.userName) : null),
    madeFor: ({ madeFor }) => madeFor?.identityId ?? null,
    ...Object.fromEntries(
      personIdentifiers.map(type => [type, ({ identifiers }: User) => identifiers?.[type] ?? null]),
    ),
  },
  queries: {
    inOrder: { equality: [] },
    byStatus: { equality: ['status'] },
    byGroup: { equality: ['groups'] },
  },
});

/** Addresses differ from one another by more than case and form of composition. */
export function addressKey(email: string): string {
  return email.normalize('NFKC').toLowerCase();
}

export const directoryKey = (directoryId: string, userName: string) => `${directoryId}|${addressKey(userName)}`;

export function viewOf({ id, state }: Entry<User>): z.infer<typeof userView> {
  const { email, emailVerified, displayName, status, roles: held, groups, source, identifiers = {}, createdAt } = state;
  return { id, email, emailVerified, displayName, status, roles: held, groups, source, identifiers, createdAt };
}

const nameOf = (user: User) => user.displayName ?? user.email;
const described = ({ email, source }: User) => ({ email, source });

function roleEvents(
  { id }: Whom,
  user: User,
  { assigned = [], unassigned = [] }: { assigned?: readonly Role[]; unassigned?: readonly Role[] },
  because: Why | ReasonOf<'role.assigned'>,
): EventDraft[] {
  const about = (role: Role) => ({ id, name: nameOf(user), details: { userId: id, role } });
  const removal = because === 'just_in_time' ? 'requested' : because;
  return [
    ...assigned.map(role => event('role.assigned', { ...about(role), because })),
    ...unassigned.map(role => event('role.unassigned', { ...about(role), because: removal })),
  ];
}

/** What those who hold this person's access tokens have to know. */
function standing({ tenantId, id, at }: Whom, { status, roles: held, groups }: User): Draft {
  const changedAt = at.toISOString();
  const until = mattersUntil(at);
  return revocationDraft({ kind: 'user', id, tenantId, status, roles: held, groups, changedAt, until });
}

export function add(
  whom: Whom,
  user: Omit<User, 'status' | 'groups' | 'createdAt'>,
  because: ReasonOf<'user.created'>,
): NonNullable<Decision<User>> {
  const state: User = { ...user, status: 'active', groups: [], createdAt: whom.at.toISOString() };
  const { id } = whom;
  const created = event('user.created', { id, name: nameOf(state), because, details: described(state) });
  return { state, events: [created, ...roleEvents(whom, state, { assigned: state.roles }, because)] };
}

export type Change = Partial<Pick<User, 'email' | 'displayName' | 'roles' | 'identifiers'>>;

/** An address that is set this way is taken as verified: whoever may set it answers for it. */
export function update(whom: Whom, user: User, change: Change, because: Why): Decision<User> {
  const state: User = { ...user, ...change, ...(change.email === undefined ? {} : { emailVerified: true }) };
  const { email, emailVerified, displayName, roles: held, identifiers = {} } = state;
  const before = { identifiers: {}, ...user };
  const changed = changedIn(before, { email, emailVerified, displayName, roles: held, identifiers });
  if (changed.length === 0) return null;
  const { id } = whom;
  const details = { ...described(state), changed };
  const assigned = state.roles.filter(role => !user.roles.includes(role));
  const unassigned = user.roles.filter(role => !state.roles.includes(role));
  return {
    state,
    events: [
      event('user.updated', { id, name: nameOf(state), because, details }),
      ...roleEvents(whom, state, { assigned, unassigned }, because),
      ...(changed.includes('roles') ? [standing(whom, state)] : []),
    ],
  };
}

export function deactivate(whom: Whom, user: User, because: Why): Decision<User> {
  if (user.status === 'deactivated') return null;
  const state: User = { ...user, status: 'deactivated' };
  const about = { id: whom.id, name: nameOf(state), because, details: { ...described(state), cause: because } };
  return { state, events: [event('user.deactivated', about), standing(whom, state)] };
}

export function reactivate(whom: Whom, user: User, because: Why): Decision<User> {
  if (user.status === 'active') return null;
  const state: User = { ...user, status: 'active' };
  const about = { id: whom.id, name: nameOf(state), because, details: { ...described(state), cause: because } };
  return { state, events: [event('user.reactivated', about), standing(whom, state)] };
}

/** All of them are in each token that says groups. */
const mostGroups = 100;

type InGroup = { id: string; name: string | null };

export function join(whom: Whom, user: User, { id, name }: InGroup): Decision<User> {
  if (user.groups.includes(id)) return null;
  if (user.groups.length >= mostGroups) throw new ProblemError('group_limit_reached');
  const state: User = { ...user, groups: [...user.groups, id] };
  const added = event('membership.added', { id, name, because: 'requested', details: { userId: whom.id } });
  return { state, events: [added, standing(whom, state)] };
}

export function leave(
  whom: Whom,
  user: User,
  { id, name }: InGroup,
  because: ReasonOf<'membership.removed'>,
): Decision<User> {
  if (!user.groups.includes(id)) return null;
  const state: User = { ...user, groups: user.groups.filter(one => one !== id) };
  const removed = event('membership.removed', { id, name, because, details: { userId: whom.id } });
  return { state, events: [removed, standing(whom, state)] };
}
