// When a tenant's records are looked at for removal, and who does. One lease for all of it, so that a legal hold can wait until what was begun
// without it is over.
import type { Collections, Store } from '@reeve/store';
import { isLeased, type Lease, leaseFor } from '../lease.ts';

export type Turn = {
  dueAt: string | null;
  lease: Lease;
  /** Asked for while somebody was at it: there may be more to do than they saw. */
  again: boolean;
};
export type Turns = Collections<Turn>;

export const turnId = 'removal';

export function defineTurns(store: Store): Turns {
  return store.collections<Turn>({
    name: 'audit_removal_turns',
    dueAt: ({ dueAt }) => (dueAt === null ? null : new Date(dueAt)),
  });
}

/** Due at that time, if not earlier. */
export function wake(turn: Turn | null, at: string, now: Date): Turn {
  if (!turn) return { dueAt: at, lease: null, again: false };
  if (isLeased(turn.lease, now)) return { ...turn, again: true };
  return { ...turn, dueAt: turn.dueAt !== null && turn.dueAt < at ? turn.dueAt : at };
}

/** Null while somebody else has it. Due when the lease ends, should its holder not come back. */
export function take(turn: Turn, by: Parameters<typeof leaseFor>[1]): Turn | null {
  const lease = leaseFor(turn.lease, by);
  return lease && { ...turn, lease, dueAt: lease.until };
}

export function end(turn: Turn, nextAt: string | null, now: Date): Turn {
  return { lease: null, dueAt: turn.again ? now.toISOString() : nextAt, again: false };
}
