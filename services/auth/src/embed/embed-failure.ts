// What pages that embed the assistant meet with where no connection of the tenant is known yet, counted by its code.
// Whoever names the tenant brings it about, so it tells of the first few alone, and of the others how many they were.
// Pure.
import { type EmbeddedFailure, type EventDetails, event } from '@reeve/contracts';
import { type Collections, collection, type Decision } from '@reeve/store';

/** Under its code: a tenant has as many of them as there are codes. Times as ISO 8601. */
export type EmbedFailure = {
  count: number;
  since: string;
  lastAt: string;
  /** As the last page said it; null where it said nothing of that form. */
  origin: string | null;
  authKey: string | null;
  /** When the ten minutes began that are counted, how many events they had, and how many it are that none tells of. */
  from: string;
  events: number;
  untold: number;
};

export type EmbedFailures = Collections<EmbedFailure>;

/** `count` of them, of which `origin` and `authKey` are those of the last one. */
export type Met = Pick<EmbedFailure, 'count' | 'origin' | 'authKey'> & { at: Date };

export const windowMs = 600_000;
const eventsInWindow = 3;
const keptMs = 7 * 86_400_000;

const ofSeveral = { origin: null, authKey: null };

const endOf = ({ from }: Pick<EmbedFailure, 'from'>) => new Date(Date.parse(from) + windowMs);

export const embedFailures = collection<EmbedFailure>({
  name: 'embed_failures',
  expiresAt: ({ lastAt }) => new Date(Date.parse(lastAt) + keptMs),
  dueAt: failure => (failure.untold > 0 ? endOf(failure) : null),
});

export function met(before: EmbedFailure | null, code: EmbeddedFailure, { at, ...page }: Met): Decision<EmbedFailure> {
  const now = at.toISOString();
  const isGoingOn = before !== null && at < endOf(before);
  const rest = before !== null && !isGoingOn ? restOf(before, code) : [];
  const { from, events, untold } = isGoingOn ? before : { from: now, events: 0, untold: 0 };
  const { count, origin, authKey } = page;
  const isTold = events < eventsInWindow;
  const details = count === 1 ? { origin, authKey } : { ...ofSeveral, count, from, to: now };
  const told = isTold ? [eventOf(code, details)] : [];
  return {
    state: {
      count: (before?.count ?? 0) + count,
      since: before?.since ?? now,
      lastAt: now,
      origin,
      authKey,
      from,
      events: isTold ? events + 1 : events,
      untold: isTold ? untold : untold + count,
    },
    events: [...rest, ...told],
  };
}

/** Of ten minutes that are over. Null where all was told. */
export function tellRest(before: EmbedFailure | null, code: EmbeddedFailure, now: Date): Decision<EmbedFailure> {
  if (before === null || before.untold === 0 || now < endOf(before)) return null;
  return { state: { ...before, untold: 0 }, events: restOf(before, code) };
}

function restOf(failure: EmbedFailure, code: EmbeddedFailure) {
  const { untold: count, from } = failure;
  if (count === 0) return [];
  return [eventOf(code, { ...ofSeveral, count, from, to: endOf(failure).toISOString() })];
}

const eventOf = (code: EmbeddedFailure, details: EventDetails<'embedded_sign_in.failed'>) =>
  event('embedded_sign_in.failed', { id: 'embed', because: code, details });
