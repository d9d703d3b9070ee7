// What of a connection ends by itself, when that is said, and how often. Pure.
import { z } from 'zod';

export const expiring = ['certificate', 'metadata', 'client_secret', 'own_certificate'] as const;

/** Something that ends by itself, as a kind of connection says. */
export type Expiry = {
  what: (typeof expiring)[number];
  /** Which of several: a certificate by its fingerprint. */
  name: string;
  at: Date;
  /** Somebody else sets a later time again and again. */
  isRenewed: boolean;
};

export const expiryView = z.object({ what: z.enum(expiring), name: z.string(), expiresAt: z.string() });

const dayMs = 86_400_000;
/** So many days before, and when it is over. */
const warnDaysAhead = [0, 1, 7, 14, 30] as const;
/** What has kept its time for so long is not being renewed any more. */
const renewedWithinMs = 3 * dayMs;

/** What is known of something that ends: since when it has this end, and what was said of it. */
export type Seen = { key: string; at: string; since: string; warnedDaysAhead: number | null };

export type Due = { expiry: Expiry; daysLeft: number };

const keyOf = ({ what, name }: Expiry) => `${what} ${name}`;

/** Of the days at which it is said, the last one that has come; null while none has. */
function reached(at: Date, now: Date): number | null {
  const left = at.getTime() - now.getTime();
  return warnDaysAhead.find(days => left <= days * dayMs) ?? null;
}

const daysLeft = (at: Date, now: Date): number => Math.max(0, Math.ceil((at.getTime() - now.getTime()) / dayMs));

/** What is to be said now, each day once, and what is known after that. */
export function look(expiries: readonly Expiry[], before: readonly Seen[], now: Date): { due: Due[]; seen: Seen[] } {
  const due: Due[] = [];
  const seen = expiries.map((expiry): Seen => {
    const at = expiry.at.toISOString();
    const known = before.find(one => one.key === keyOf(expiry));
    const since = known?.at === at ? known.since : now.toISOString();
    const days = reached(expiry.at, now);
    const isKept = expiry.isRenewed && days !== 0 && now.getTime() - Date.parse(since) < renewedWithinMs;
    if (days === null || isKept) return { key: keyOf(expiry), at, since, warnedDaysAhead: null };
    const warned = known?.at === at ? known.warnedDaysAhead : null;
    if (warned === null || days < warned) due.push({ expiry, daysLeft: daysLeft(expiry.at, now) });
    return { key: keyOf(expiry), at, since, warnedDaysAhead: days };
  });
  return { due, seen };
}

/** When there is next something to say, or to see whether there is; null where nothing ends. */
export function nextLook(expiries: readonly Expiry[], seen: readonly Seen[], now: Date): Date | null {
  const times = expiries.flatMap(expiry => [
    ...warnDaysAhead.map(days => expiry.at.getTime() - days * dayMs),
    ...seen
      .filter(({ key }) => expiry.isRenewed && key === keyOf(expiry))
      .map(({ since }) => Date.parse(since) + renewedWithinMs),
  ]);
  const coming = times.filter(time => time > now.getTime());
  return coming.length === 0 ? null : new Date(Math.min(...coming));
}

export type Ending = Expiry & { isOver: boolean };

/** What is over, or is so soon that somebody is to know. */
export const endings = (expiries: readonly Expiry[], now: Date): Ending[] =>
  expiries.flatMap(expiry => {
    const days = reached(expiry.at, now);
    return days === null || (expiry.isRenewed && days > 1) ? [] : [{ ...expiry, isOver: days === 0 }];
  });

/** What somebody who looks at the connection is told. */
export const expiryWarnings = (expiries: readonly Expiry[], now: Date) =>
  endings(expiries, now).map(({ what, name, at, isOver }) => ({
    code: isOver ? (`${what}_expired` as const) : (`${what}_expires_soon` as const),
    detail: `${nameOf[what]} (${name}) ${isOver ? 'ended' : 'ends'} at ${at.toISOString()}`,
    since: null,
  }));

const nameOf: Record<Expiry['what'], string> = {
  certificate: 'the last signing certificate of the identity provider',
  metadata: 'the metadata of the identity provider',
  client_secret: 'the client secret',
  own_certificate: 'the certificate of ours that is in use',
};
