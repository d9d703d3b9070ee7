// Counts what would flood the audit log: refused deliveries and repetitions. The first few of an endpoint, kind and
// minute are an event each, at once; the others are counted, durably before their sender is answered, and become one
// event when the minute is over.
import { randomUUID } from 'node:crypto';
import { metrics } from '@opentelemetry/api';
import {
  type Cause,
  type EventDetails,
  type EventDraft,
  event,
  type Id,
  newEventId,
  type ReasonOf,
  serviceCause,
  type TenantId,
} from '@reeve/contracts';
import { worker } from '@reeve/service-kit';
import { type Collections, collection, type Decision, type Store } from '@reeve/store';

/** What is counted together. */
export type Kind =
  | { type: 'delivery.rejected'; reason: ReasonOf<'delivery.rejected'> }
  | { type: 'delivery.duplicated'; reason: ReasonOf<'delivery.duplicated'> };

export type Tally = Kind & {
  endpointId: Id<'endpoint'>;
  minute: string;
  count: number;
  bytes: number;
  closed: boolean;
};

export type Counted = {
  kind: Kind;
  tenantId: TenantId;
  endpointId: Id<'endpoint'>;
  webhookId: string | null;
  bytes: number;
  cause: () => Cause;
};

export type Tallies = ReturnType<typeof createTallies>;

const eventsPerMinute = 10;
const minuteMs = 60_000;
/** For requests of the minute that are still being answered. */
const graceMs = 5_000;
const keptMs = 7 * 86_400_000;
const talliesAtOnce = 50;
const lookEveryMs = 2_000;

const counter = metrics
  .getMeter('@reeve/webhook-ingress')
  .createCounter('reeve.ingress.deliveries', { description: 'Deliveries by outcome' });

export const tallies = collection<Tally>({
  name: 'webhook_tallies',
  queries: { byEndpoint: { equality: ['endpointId'], sort: 'minute', direction: 'descending' } },
  expiresAt: ({ minute }) => new Date(Date.parse(minute) + keptMs),
  dueAt: ({ minute, closed }) => (closed ? null : new Date(Date.parse(minute) + minuteMs + graceMs)),
});

type Adding = { tenantId: TenantId; tally: Tally; waiting: PromiseWithResolvers<void>[] };
type Parts = {
  store: Pick<Store, 'clock' | 'recordFact'>;
  rows: Collections<Tally>;
  onError: (error: unknown) => void;
};

export function createTallies({ store, rows, onError }: Parts) {
  // Rows of this process, so that no other one counts on while it closes the minute.
  const instance = randomUUID().slice(0, 8);
  let minute = '';
  let seen = new Map<string, number>();
  let adding = new Map<string, Adding>();
  let running: Promise<void> | undefined;

  async function write(id: string, { tenantId, tally, waiting }: Adding) {
    const { count, bytes } = tally;
    try {
      const { closed } = await rows.in(tenantId).add(id, { count, bytes }, { ...tally, count: 0, bytes: 0 });
      // This process was held up, and another one has reported the minute: what was counted since is reported by
      // itself.
      if (closed) await store.recordFact(tenantId, eventOf(tally, detailsOf(tally)), ownCause());
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  async function flush() {
    while (adding.size > 0) {
      const group = adding;
      adding = new Map();
      await Promise.all([...group].map(([id, one]) => write(id, one)));
    }
  }

  /** How many of its kind came before it in this minute. */
  function rankOf({ endpointId, kind: { type, reason } }: Counted): number {
    const now = `${store.clock.now().toISOString().slice(0, 16)}:00.000Z`;
    if (now !== minute) {
      minute = now;
      seen = new Map();
    }
    const key = `${endpointId}:${type}:${reason}`;
    const rank = seen.get(key) ?? 0;
    seen.set(key, rank + 1);
    return rank;
  }

  function add({ tenantId, endpointId, kind, bytes }: Counted): Promise<void> {
    const id = `${endpointId}:${minute}:${kind.type}:${kind.reason}:${instance}`;
    const waiting = Promise.withResolvers<void>();
    const tally = { ...kind, endpointId, minute, count: 0, bytes: 0, closed: false };
    const one = adding.get(id) ?? { tenantId, tally, waiting: [] };
    one.tally.count += 1;
    one.tally.bytes += bytes;
    one.waiting.push(waiting);
    adding.set(id, one);
    running ??= Promise.resolve()
      .then(flush)
      .finally(() => {
        running = undefined;
      });
    return waiting.promise;
  }

  return {
    /** Resolves when it is durable. */
    async count(one: Counted): Promise<void> {
      const { tenantId, endpointId, kind, webhookId, bytes, cause } = one;
      counter.add(1, { outcome: kind.type.slice('delivery.'.length), reason: kind.reason });
      if (rankOf(one) >= eventsPerMinute) return add(one);
      await store.recordFact(tenantId, eventOf(kind, { endpointId, webhookId, bytes }), cause());
    },

    /** Reports every minute that is over. Without a lease: whoever closes a tally first has reported it. */
    closing: worker({
      due: limit => rows.acrossTenants('minutes end for all tenants at once').due(limit),
      take: tally => Promise.resolve(tally),
      async work({ tenantId, id }) {
        await rows.in(tenantId).change(id, tally => tally && close(tally), { cause: ownCause() });
      },
      atOnce: talliesAtOnce,
      everyMs: lookEveryMs,
      onError,
    }),
  };
}

const ownCause = () => serviceCause('webhook-ingress', { correlationId: newEventId() });

function close(tally: Tally): Decision<Tally> {
  if (tally.closed) return null;
  return { state: { ...tally, closed: true }, events: [eventOf(tally, detailsOf(tally))] };
}

/** What a minute brought beyond the first few. */
function detailsOf({ endpointId, minute: from, count, bytes }: Tally): EventDetails<'delivery.rejected'> {
  const to = new Date(Date.parse(from) + minuteMs).toISOString();
  return { endpointId, webhookId: null, bytes, count, from, to };
}

function eventOf(kind: Kind, details: EventDetails<'delivery.rejected'>): EventDraft {
  const { endpointId: id } = details;
  return kind.type === 'delivery.rejected'
    ? event(kind.type, { id, because: kind.reason, details })
    : event(kind.type, { id, because: kind.reason, details });
}
