// What a browser is given that has posted an answer, to show that it was this one.
import { createHash } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';

export const ticketName = 'ticket';

export const hashOf = (ticket: string): string => createHash('sha256').update(ticket).digest('base64url');

/** A form that a provider had the browser post, until it is looked at; null where it brings a query. */
export type Brought = { brought: string | null; broughtBy: string | null };

/** Whether this browser has posted what is kept, or nothing is. */
export function isBroughtHere({ brought, broughtBy }: Brought, search: string): boolean {
  if (brought === null) return true;
  const ticket = new URLSearchParams(search).get(ticketName);
  return ticket !== null && hashOf(ticket) === broughtBy;
}

/** What this browser brings: a query, or what it has posted before. Throws `sign_in_expired` for another's. */
export function broughtHere(kept: Brought, search: string): string {
  if (!isBroughtHere(kept, search)) throw new ProblemError('sign_in_expired');
  return kept.brought ?? search;
}
