// Mail to the contacts of a connection about what of it ends. Pure. At most one a day for a connection, which says all
// that is true when it is sent, and nothing that a tenant can write at will: whoever may name a contact may not have
// the operator's server send a text of theirs to anybody.
import type { Entry } from '@reeve/store';
import type { Mail } from '../mail/mailer.ts';
import { moment } from '../moment.ts';
import type { Connection } from './connection.ts';
import { type Expiry, endings } from './expiry.ts';
import { retryMs } from './retry.ts';

export type Mailing = {
  /** Null where none is. */
  owed: { id: string; at: string; failures: number } | null;
  sentAt: string | null;
};

export const noMail: Mailing = { owed: null, sentAt: null };

/** A little less than a day, since a warning of the next day is not a day late. */
const betweenMs = 23 * 3_600_000;
const longestRetryMs = 6 * 3_600_000;
/** Three days. */
const mostFailures = 20;

export const isDue = ({ owed }: Mailing, now: Date): boolean => owed !== null && owed.at <= now.toISOString();

/** There is something to say. */
export function owe(mailing: Mailing, { id, now }: { id: string; now: Date }): Mailing {
  if (mailing.owed) return mailing;
  const { sentAt } = mailing;
  const earliest = sentAt === null ? 0 : Date.parse(sentAt) + betweenMs;
  const at = new Date(Math.max(now.getTime(), earliest)).toISOString();
  return { sentAt, owed: { id, at, failures: 0 } };
}

/** The server has it, or there was nothing to say any more. */
export const done = (mailing: Mailing, { sentAt }: { sentAt: Date | null }): Mailing => ({
  owed: null,
  sentAt: sentAt?.toISOString() ?? mailing.sentAt,
});

/** Enough was sent today, or nobody is named who may be tomorrow. */
export function putOff({ owed, sentAt }: Mailing, now: Date): Mailing {
  const tomorrow = new Date(now);
  tomorrow.setUTCHours(24, 0, 0, 0);
  return { sentAt, owed: owed && { ...owed, at: tomorrow.toISOString() } };
}

/** Tried again soon, then ever later, and given up after three days. */
export function failed({ owed, sentAt }: Mailing, now: Date): Mailing {
  if (!owed || owed.failures + 1 >= mostFailures) return { owed: null, sentAt };
  const failures = owed.failures + 1;
  const at = new Date(now.getTime() + retryMs(failures, longestRetryMs)).toISOString();
  return { sentAt, owed: { ...owed, failures, at } };
}

/** To nobody, where nobody is named or nobody signs in by the connection. Null where there is nothing to say. */
export function expiryMail(
  { id, state }: Entry<Connection>,
  expiries: readonly Expiry[],
  now: Date,
): Omit<Mail, 'id'> | null {
  const ends = endings(expiries, now);
  const { contacts = [], status } = state;
  if (ends.length === 0) return null;
  const lines = ends.map(({ what, name: which, at, isOver }) => {
    const { is, doThis } = about[what];
    const shown = fingerprint.test(which) ? ` (${which})` : '';
    return `- ${is}${shown} ${isOver ? 'ended' : 'ends'} on ${moment(at)}.\n  ${doThis}`;
  });
  const over = ends.some(({ isOver }) => isOver);
  const text = `A way in which the people of your organization sign in needs your attention:
the connection ${plain(state.name)}(${id}).

${lines.join('\n\n')}

What has ended may keep everybody from signing in this way.

You get this because your address is a contact of this connection. Whoever
administers it can take the address out.
`;
  return {
    to: status === 'active' ? contacts : [],
    subject: `Single sign-on: something ${over ? 'has ended' : 'ends soon'}`,
    text,
  };
}

const about: Record<Expiry['what'], { is: string; doThis: string }> = {
  certificate: {
    is: "The identity provider's last signing certificate",
    doThis: 'Have the provider make a new one, and give its new metadata to the connection.',
  },
  metadata: {
    is: 'The metadata that the identity provider publishes',
    doThis: 'Have the provider publish it anew, or give the connection the address where it is now.',
  },
  client_secret: {
    is: 'The client secret',
    doThis: 'Make a new secret at the identity provider, and give it to the connection.',
  },
  own_certificate: {
    is: 'Our certificate for this connection',
    doThis: "Rotate the connection's key, and give the provider our new metadata.",
  },
};

const fingerprint = /^sha256:[0-9a-f]{64}$/;

/** Letters alone: what somebody has written becomes no address, no number to call, and no line of its own. */
const plain = (name: string): string => {
  const words = name
    .replaceAll(/[^\p{L}\p{M}&'-]+/gu, ' ')
    .trim()
    .slice(0, 40)
    .toWellFormed()
    .trim();
  return words === '' ? '' : `"${words}" `;
};
