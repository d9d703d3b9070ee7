// Which process works on something that several could work on, and until when no other does. A process that is lost
// loses its leases with time.
import { randomUUID } from 'node:crypto';
import { type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { type Clock, type Collections, type TenantEntry, VersionConflictError } from '@reeve/store';
import type { WorkerParts } from './worker.ts';

/** Kept in the state of what is worked on. */
export type Lease = { holder: string; until: string } | null;

export type LeaseBy = { holder: string; now: Date; forMs: number };

export const isLeased = (lease: Lease, now: Date): boolean => lease !== null && lease.until > now.toISOString();

/** Null while somebody else has it. */
export function leaseFor(lease: Lease, { holder, now, forMs }: LeaseBy): NonNullable<Lease> | null {
  if (isLeased(lease, now) && lease?.holder !== holder) return null;
  return { holder, until: new Date(now.getTime() + forMs).toISOString() };
}

/** What was taken, and how it is changed by whoever has it. */
export type Held<S> = {
  tenantId: TenantId;
  id: string;
  /** As it was taken. */
  state: S;
  /** Null when it is somebody else's by now, is not there any more, or `next` gives null: then nothing is changed. */
  change: (next: (state: S) => S | null, events?: readonly EventDraft[]) => Promise<S | null>;
  /** Has it for as long again, and changes it in the same write. Null when it is somebody else's by now. */
  renew: (next?: (state: S) => S, events?: readonly EventDraft[]) => Promise<S | null>;
};

type LeasedParts<S> = {
  collection: Collections<S>;
  /** Why tenants are crossed. */
  reason: string;
  /**
   * Writes the lease into the state (`leaseFor`) and when it is due again, should its holder be lost; null where
   * it may not be had. Also asked to renew it, for the same holder.
   */
  take: (state: S, by: LeaseBy) => S | null;
  forMs: number;
  clock: Clock;
  /** Which service it is that changes things. */
  service: string;
};

/**
 * For a `worker`: its work lies in a collection that says when it is due, and each piece is done by one process at a
 * time.
 */
export function leased<S extends { lease: Lease }>({
  collection,
  reason,
  take,
  forMs,
  clock,
  service,
}: LeasedParts<S>): Pick<WorkerParts<TenantEntry<S>, Held<S>>, 'due' | 'take'> {
  async function change(
    { tenantId, id }: { tenantId: TenantId; id: string },
    decide: (state: S) => S | null,
    { events = [], expectedVersion }: { events?: readonly EventDraft[] | undefined; expectedVersion?: number } = {},
  ): Promise<S | null> {
    let next: S | null = null;
    const cause = serviceCause(service, { correlationId: newEventId() });
    await collection.in(tenantId).change(
      id,
      state => {
        next = state && decide(state);
        return next && { state: next, events };
      },
      { cause, expectedVersion },
    );
    return next;
  }

  return {
    due: (limit, except) => collection.acrossTenants(reason).due(limit, except),

    /** Each time another holder, so that what one turn left behind is not taken for the next one's. */
    async take({ tenantId, id, version }) {
      const holder = randomUUID();
      const by = () => ({ holder, now: clock.now(), forMs });
      // As it was found: what another has changed since may not be due any more.
      const found = { expectedVersion: version };
      const state = await change({ tenantId, id }, was => take(was, by()), found).catch((error: unknown) => {
        if (error instanceof VersionConflictError) return null;
        throw error;
      });
      if (state === null) return null;
      const ifHeld = (next: (state: S) => S | null) => (was: S) => (was.lease?.holder === holder ? next(was) : null);
      return {
        tenantId,
        id,
        state,
        change: (next, events) => change({ tenantId, id }, ifHeld(next), { events }),
        renew: (next = was => was, events) =>
          change(
            { tenantId, id },
            ifHeld(was => take(next(was), by())),
            { events },
          ),
      };
    },
  };
}
