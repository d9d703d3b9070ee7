// That a session has ended, owed to the server of an application that a person went to in it (OpenID Connect
// Back-Channel Logout 1.0): what became of telling it, and when it is tried again. Pure.
import { type EventDraft, event, type Id } from '@reeve/contracts';
import { type Lease, type LeaseBy, leaseFor } from '@reeve/service-kit';
import { type Collections, collection } from '@reeve/store';
import { z } from 'zod';

/** Why an application has not got it: it answered with an error, it does not answer, or its URL may not be called. */
const failures = ['refused', 'unreachable', 'url_refused'] as const;
export type Failure = (typeof failures)[number];

export type LogoutNotice = {
  sessionId: Id<'session'>;
  userId: Id<'user'>;
  clientId: Id<'client'>;
  endedAt: string;
  status: 'owed' | 'delivered' | 'given_up' | 'not_wanted';
  attempts: number;
  lastFailure: Failure | null;
  deliveredAt: string | null;
  lease: Lease;
  dueAt: string | null;
};
export type LogoutNotices = Collections<LogoutNotice>;

const triedForMs = 24 * 3_600_000;
const firstWaitMs = 1_000;
const longestWaitMs = 900_000;
const keptMs = 7 * 24 * 3_600_000;

export const logoutNotices = collection<LogoutNotice>({
  name: 'logout_notices',
  queries: { ofSession: { equality: ['sessionId'] } },
  dueAt: ({ dueAt }) => (dueAt === null ? null : new Date(dueAt)),
  expiresAt: ({ endedAt }) => new Date(Date.parse(endedAt) + keptMs),
});

/** One for each session and application, however often it is asked for. */
export const idOf = ({ sessionId, clientId }: Pick<LogoutNotice, 'sessionId' | 'clientId'>): string =>
  `${sessionId}~${clientId}`;

export const logoutNoticeView = z.object({
  clientId: z.string(),
  status: z.enum(['owed', 'delivered', 'given_up', 'not_wanted']),
  attempts: z.number(),
  lastFailure: z.enum(failures).nullable(),
  deliveredAt: z.string().nullable(),
  nextAttemptAt: z.string().nullable(),
});

export function viewOf({ state }: { state: LogoutNotice }): z.infer<typeof logoutNoticeView> {
  const { clientId, status, attempts, lastFailure, deliveredAt, dueAt: nextAttemptAt } = state;
  return { clientId, status, attempts, lastFailure, deliveredAt, nextAttemptAt };
}

type About = Pick<LogoutNotice, 'sessionId' | 'userId' | 'clientId'>;

export const owe = (about: About, now: Date): LogoutNotice => ({
  ...about,
  endedAt: now.toISOString(),
  status: 'owed',
  attempts: 0,
  lastFailure: null,
  deliveredAt: null,
  lease: null,
  dueAt: now.toISOString(),
});

/** Null while another process has it. Due when the lease ends, should its holder be lost. */
export function take(notice: LogoutNotice, by: LeaseBy): LogoutNotice | null {
  const lease = notice.status === 'owed' ? leaseFor(notice.lease, by) : null;
  return lease && { ...notice, lease, dueAt: lease.until };
}

const over = (notice: LogoutNotice, status: LogoutNotice['status']): LogoutNotice => ({
  ...notice,
  status,
  lease: null,
  dueAt: null,
});

/** The application is gone, or wants to be told no more. */
export const notWanted = (notice: LogoutNotice): LogoutNotice => over(notice, 'not_wanted');

export const delivered = (notice: LogoutNotice, now: Date): LogoutNotice => ({
  ...over(notice, 'delivered'),
  attempts: notice.attempts + 1,
  deliveredAt: now.toISOString(),
  lastFailure: null,
});

/** Tried again later, each time after a longer wait; after a day no more, and that is on the record. */
export function failed(
  notice: LogoutNotice,
  lastFailure: Failure,
  { now, jitter }: { now: Date; jitter: number },
): { state: LogoutNotice; events: EventDraft[] } {
  const attempts = notice.attempts + 1;
  const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(notice.attempts, 20)) * (0.5 + jitter / 2);
  const next = new Date(now.getTime() + waitMs);
  const tried = { ...notice, attempts, lastFailure };
  if (next.getTime() - Date.parse(notice.endedAt) < triedForMs)
    return { state: { ...tried, lease: null, dueAt: next.toISOString() }, events: [] };
  const { sessionId: id, userId, clientId } = notice;
  const details = { userId, clientId, attempts, failure: lastFailure };
  const event_ = event('session.logout_undelivered', { id, because: 'gave_up', details });
  return { state: over(tried, 'given_up'), events: [event_] };
}
