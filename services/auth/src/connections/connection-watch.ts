// When a connection is looked at next, for what of it ends and for what is read again, and by which process. Kept apart
// from the connection, so that looking at it changes nothing that an administrator or a sign-in relies on.
import { newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { isLeased, type Lease, type LeaseBy, leaseFor } from '@reeve/service-kit';
import { type Clock, type Collections, collection } from '@reeve/store';
import type { Seen } from './expiry.ts';
import { type Mailing, noMail } from './expiry-mail.ts';
import { retryMs } from './retry.ts';

export type Watch = {
  lease: Lease;
  dueAt: string | null;
  /** What was asked for while somebody had it. */
  again: Asked | null;
  seen: Seen[];
  /**
   * When what the provider says of itself is read again, and how often that has failed by now; null where it is not.
   */
  refresh: Refresh | null;
  mail: Mailing;
  /** Absent while the connection is there. */
  endedAt?: Date;
};
export type Watches = Collections<Watch>;
export type Refresh = { at: string; failures: number };

/** Refresh: what is read again is to be read now. */
type Asked = 'look' | 'refresh';

/** Has the id of its connection. */
export const watches = collection<Watch>({
  name: 'sso_connection_watches',
  version: 2,
  // Version 1 knew of no mail.
  upgrade: state => ({ ...(state as Omit<Watch, 'mail'>), mail: noMail }),
  dueAt: ({ dueAt, endedAt }) => (dueAt === null || endedAt ? null : new Date(dueAt)),
  expiresAt: ({ endedAt }) => endedAt ?? null,
});

/** Those that were made at the same moment are not read at the same moment for ever. */
const jitter = 0.2;

/** Null while somebody else has it. Due when the lease ends, should its holder be lost. */
export function take(watch: Watch, by: LeaseBy): Watch | null {
  const lease = leaseFor(watch.lease, by);
  return lease && { ...watch, lease, dueAt: lease.until };
}

/** To be looked at now. */
export function wake(watch: Watch | null, asked: Asked, now: Date): Watch {
  const { lease, again, seen, refresh, mail }: Watch = watch ?? {
    lease: null,
    dueAt: null,
    again: null,
    seen: [],
    refresh: null,
    mail: noMail,
  };
  const at = now.toISOString();
  if (isLeased(lease, now))
    return { lease, dueAt: watch?.dueAt ?? at, again: again === 'refresh' ? again : asked, seen, refresh, mail };
  return {
    lease: null,
    dueAt: at,
    again: null,
    seen,
    refresh: asked === 'refresh' ? { at, failures: refresh?.failures ?? 0 } : refresh,
    mail,
  };
}

/** After it was looked at. */
export function rest(
  watch: Watch,
  { seen, refresh, mail, lookAt }: Pick<Watch, 'seen' | 'refresh' | 'mail'> & { lookAt: Date | null },
  now: Date,
): Watch {
  const rested: Watch = {
    lease: null,
    dueAt: earliest(lookAt?.toISOString(), refresh?.at, mail.owed?.at),
    again: null,
    seen,
    refresh,
    mail,
  };
  return watch.again ? wake(rested, watch.again, now) : rested;
}

const earliest = (...times: (string | undefined)[]): string | null =>
  times.filter(time => time !== undefined).toSorted()[0] ?? null;

/** The connection is gone. */
export const end = (watch: Watch, now: Date): Watch => ({ ...watch, lease: null, dueAt: null, endedAt: now });

/** When it is read again. What failed is tried again soon, and then ever later. */
export function nextRefresh(
  failures: number,
  { now, everyMs, random }: { now: Date; everyMs: number; random: () => number },
): Refresh {
  const usual = failures === 0 ? everyMs : retryMs(failures, everyMs);
  const spread = 1 - jitter / 2 + jitter * random();
  return { at: new Date(now.getTime() + usual * spread).toISOString(), failures };
}

/** Has a connection looked at now; `refresh` also reads again what is read again. */
export async function wakeWatch(
  watchesOf: Watches,
  { tenantId, id }: { tenantId: TenantId; id: string },
  { asked, clock }: { asked: Asked; clock: Clock },
): Promise<void> {
  const cause = serviceCause('auth', { correlationId: newEventId() });
  const decide = (was: Watch | null) => ({ state: wake(was, asked, clock.now()), events: [] });
  await watchesOf.in(tenantId).change(id, decide, { cause });
}
