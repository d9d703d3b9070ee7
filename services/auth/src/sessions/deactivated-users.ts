// Who is deactivated, learnt from provisioning: asked when a session begins, since the deactivation may have come while the person was
// on the way through a sign-in and so before there was a session to end.
import type { Collections, Store } from '@reeve/store';

export type DeactivatedUsers = Collections<{ since: string }>;

export function defineDeactivatedUsers(store: Store): DeactivatedUsers {
  return store.collections<{ since: string }>({ name: 'deactivated_users' });
}
