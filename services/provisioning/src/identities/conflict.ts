// Somebody whom a tenant's identity provider has vouched for, and whom the tenant's users could not be matched with
// safely: for an administrator, who links them or corrects what stands in the way. Of one identity the last one counts.
import type { Id } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import type { Conflict } from './identity.ts';

export type IdentityConflict = {
  connectionId: string;
  issuer: string;
  subject: string;
  email: string | null;
  conflict: Conflict;
  /** Users who have what the identity came with. */
  userIds: Id<'user'>[];
  firstAt: string;
  lastAt: string;
  /** How often the person was refused. */
  count: number;
  /** Absent while it stands. */
  settledAt?: Date;
};

export type IdentityConflicts = Collections<IdentityConflict>;

const shownMs = 90 * 86_400_000;

export const identityConflicts = collection<IdentityConflict>({
  name: 'identity_conflicts',
  queries: { inOrder: { equality: [], sort: 'lastAt', direction: 'descending' } },
  expiresAt: ({ settledAt, lastAt }) => settledAt ?? new Date(Date.parse(lastAt) + shownMs),
});

type Came = Pick<IdentityConflict, 'connectionId' | 'issuer' | 'subject' | 'email' | 'conflict' | 'userIds'>;

/** They came once more, or for the first time. */
export function cameAgain(before: IdentityConflict | null, came: Came, now: Date): IdentityConflict {
  const lastAt = now.toISOString();
  return { ...came, firstAt: before?.firstAt ?? lastAt, lastAt, count: (before?.count ?? 0) + 1 };
}
