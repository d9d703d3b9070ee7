// An auth_key names one of a tenant's connections, for a page that embeds the product and knows which of its people it
// shows itself to. It only selects: whoever knows it may choose a sign-in, and gains nothing by that.
import { event, ProblemError } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';

export type AuthKey = {
  connectionId: string;
  /** For people: whom it is for. */
  description: string;
  createdAt: string;
  /** Absent while it is in use. */
  deletedAt?: Date;
};

export type AuthKeys = Collections<AuthKey>;

/** The one that counts where none is named. */
const defaultKey = 'default';

export const keySchema = z.string().regex(/^[a-z0-9]{1,40}$/, 'must be up to 40 lowercase letters and digits');

export const authKeySettings = z.strictObject({
  connectionId: z.string().min(1).max(100),
  description: z.string().trim().max(200),
});
type Settings = z.infer<typeof authKeySettings>;

export const authKeyView = z.object({
  authKey: z.string(),
  connectionId: z.string(),
  description: z.string(),
  createdAt: z.string(),
});

export const authKeys = collection<AuthKey>({
  name: 'auth_keys',
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export function viewOf({ id, state }: Entry<AuthKey>): z.infer<typeof authKeyView> {
  const { connectionId, description, createdAt } = state;
  return { authKey: id, connectionId, description, createdAt };
}

const about = (id: string, { connectionId }: AuthKey) =>
  ({ id, because: 'requested', details: { connectionId } }) as const;

export function create(id: string, state: AuthKey): NonNullable<Decision<AuthKey>> {
  return { state, events: [event('auth_key.created', about(id, state))] };
}

export function update(id: string, authKey: AuthKey, change: Partial<Settings>): Decision<AuthKey> {
  if (changedIn(authKey, change).length === 0) return null;
  const state = { ...authKey, ...change };
  return { state, events: [event('auth_key.updated', about(id, state))] };
}

export function remove(id: string, authKey: AuthKey, at: Date): Decision<AuthKey> {
  return { state: { ...authKey, deletedAt: at }, events: [event('auth_key.deleted', about(id, authKey))] };
}

/** The first of a tenant is the default, and it is the last to go. Throws `auth_key_default`. */
export function assertDefaultFirst(id: string, others: readonly string[], change: 'create' | 'delete'): void {
  const isWrong =
    change === 'create' ? id !== defaultKey && !others.includes(defaultKey) : id === defaultKey && others.length > 0;
  if (isWrong) throw new ProblemError('auth_key_default');
}
