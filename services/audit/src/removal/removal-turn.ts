// When a tenant's records are looked at for removal, and which process does. One lease for all of it, so that a legal
// hold can wait until what was begun without it is over.
import { setTimeout as pause } from 'node:timers/promises';
import { newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { isLeased, type Lease, type LeaseBy, leaseFor } from '@reeve/service-kit';
import { type Clock, type Collections, collection } from '@reeve/store';

export type Turn = {
  dueAt: string | null;
  lease: Lease;
  /** Asked for while it was leased: there may be more to do than its holder saw. */
  again: boolean;
};
export type Turns = Collections<Turn>;

/** Each tenant has one. */
export const turnId = 'removal';

export const turns = collection<Turn>({
  name: 'audit_removal_turns',
  dueAt: ({ dueAt }) => (dueAt === null ? null : new Date(dueAt)),
});

const lookEveryMs = 100;

/** Due at that time, if not earlier. */
function wake(turn: Turn | null, at: string, now: Date): Turn {
  if (!turn) return { dueAt: at, lease: null, again: false };
  if (isLeased(turn.lease, now)) return { ...turn, again: true };
  return { ...turn, dueAt: turn.dueAt !== null && turn.dueAt < at ? turn.dueAt : at };
}

/** Null while somebody else has it. Due when the lease ends, should its holder be lost. */
export function take(turn: Turn, by: LeaseBy): Turn | null {
  const lease = leaseFor(turn.lease, by);
  return lease && { ...turn, lease, dueAt: lease.until };
}

export function end(turn: Turn, nextAt: string | null, now: Date): Turn {
  return { lease: null, dueAt: turn.again ? now.toISOString() : nextAt, again: false };
}

/** Has the tenant looked at, at that time at the latest. */
export async function wakeAt(
  collections: Turns,
  tenantId: TenantId,
  { at, now }: { at: Date; now: Date },
): Promise<void> {
  const cause = serviceCause('audit', { correlationId: newEventId() });
  const decide = (turn: Turn | null) => ({ state: wake(turn, at.toISOString(), now), events: [] });
  await collections.in(tenantId).change(turnId, decide, { cause });
}

/** Waits for the batch that is under way: the one after it reads anew what may be removed. */
export async function batchEnded(collections: Turns, tenantId: TenantId, clock: Clock): Promise<void> {
  const leasedUntil = async () => {
    const turn = (await collections.in(tenantId).get(turnId))?.state;
    return turn && isLeased(turn.lease, clock.now()) ? turn.lease?.until : undefined;
  };
  const until = await leasedUntil();
  while (until !== undefined && (await leasedUntil()) === until) await pause(lookEveryMs);
}
