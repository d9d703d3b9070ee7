// Who works on something that several instances could work on, and until when nobody else does.
export type Lease = { holder: string; until: string } | null;

export const isLeased = (lease: Lease, now: Date): boolean => lease !== null && lease.until > now.toISOString();

/** Null while somebody else has it. */
export function leaseFor(
  lease: Lease,
  { holder, now, forMs }: { holder: string; now: Date; forMs: number },
): NonNullable<Lease> | null {
  if (isLeased(lease, now) && lease?.holder !== holder) return null;
  return { holder, until: new Date(now.getTime() + forMs).toISOString() };
}
