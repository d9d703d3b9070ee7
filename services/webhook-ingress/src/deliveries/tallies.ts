// Counts what would flood the audit log: refused deliveries and repetitions. The first few of an endpoint, kind and minute are an event each, at
// once; the others are counted, durably before their sender is answered, and told as one event when the minute is over.
import { randomUUID } from 'node:crypto';
import { metrics } from '@opentelemetry/api';
import { because, type Cause, type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Collections, Decision, Store } from '@reeve/store';

type TallyType = 'delivery.rejected' | 'delivery.duplicated';

export type Tally = {
  endpointId: string;
  type: TallyType;
  reason: string;
  minute: string;
  count: number;
  bytes: number;
  closed: boolean;
};

export type Counted = {
  tenantId: TenantId;
  endpointId: string;
  type: TallyType;
  reason: string;
  webhookId: string | null;
  bytes: number;
  cause: () => Cause;
};

export type Tallies = ReturnType<typeof createTallies>;

const toldOneByOne = 10;
const minuteMs = 60_000;
/** For requests of the minute that are still being answered. */
const graceMs = 5_000;
const keptMs = 7 * 86_400_000;

const counter = metrics
  .getMeter('@reeve/webhook-ingress')
  .createCounter('reeve.ingress.deliveries', { description: 'Deliveries by outcome' });

export function defineTallies(store: Store): Collections<Tally> {
  return store.collections<Tally>({
    name: 'webhook_tallies',
    queries: { byEndpoint: { equality: ['endpointId'], sort: 'minute', direction: 'descending' } },
    expiresAt: ({ minute }) => new Date(Date.parse(minute) + keptMs),
    dueAt: ({ minute, closed }) => (closed ? null : new Date(Date.parse(minute) + minuteMs + graceMs)),
  });
}

export function createTallies({ store, tallies }: { store: Store; tallies: Collections<Tally> }) {
  // Rows of this process, so that no other one counts on while it closes the minute.
  const instance = randomUUID().slice(0, 8);
  let minute = '';
  let seen = new Map<string, number>();
  let adding = new Map<string, { about: Tally; tenantId: TenantId; waiting: PromiseWithResolvers<void>[] }>();
  let running: Promise<void> | undefined;

  async function flush() {
    while (adding.size > 0) {
      const group = adding;
      adding = new Map();
      await Promise.all(
        [...group].map(async ([id, { about, tenantId, waiting }]) => {
          try {
            const initial = { ...about, count: 0, bytes: 0 };
            await tallies.in(tenantId).add(id, { count: about.count, bytes: about.bytes }, initial);
            for (const { resolve } of waiting) resolve();
          } catch (error) {
            for (const { reject } of waiting) reject(error);
          }
        }),
      );
    }
  }

  return {
    /** Resolves when it is durable. */
    async count({ tenantId, endpointId, type, reason, webhookId, bytes, cause }: Counted): Promise<void> {
      counter.add(1, { outcome: type.slice('delivery.'.length), reason });
      const now = `${store.clock.now().toISOString().slice(0, 16)}:00.000Z`;
      if (now !== minute) {
        minute = now;
        seen = new Map();
      }
      const key = `${endpointId}:${type}:${reason}`;
      const already = seen.get(key) ?? 0;
      seen.set(key, already + 1);
      if (already < toldOneByOne) {
        await store.recordFact(tenantId, refusal(type, reason, { endpointId, webhookId, bytes }), cause());
        return;
      }
      const id = `${endpointId}:${minute}:${type}:${reason}:${instance}`;
      const about = { endpointId, type, reason, minute, count: 1, bytes, closed: false };
      const waiting = Promise.withResolvers<void>();
      const group = adding.get(id);
      if (group) {
        group.about = { ...group.about, count: group.about.count + 1, bytes: group.about.bytes + bytes };
        group.waiting.push(waiting);
      } else adding.set(id, { about, tenantId, waiting: [waiting] });
      running ??= Promise.resolve()
        .then(flush)
        .finally(() => {
          running = undefined;
        });
      await waiting.promise;
    },

    /** Tells of every minute that is over. Returns how many those were. */
    async close(): Promise<number> {
      const due = await tallies.acrossTenants('minutes end for all tenants at once').due(200);
      for (const { tenantId, id } of due) {
        const cause = serviceCause('webhook-ingress', { correlationId: newEventId() });
        await tallies.in(tenantId).change(id, tally => tally && closing(tally), { cause });
      }
      return due.length;
    },
  };
}

/** What a minute brought beyond the first few. */
function closing(tally: Tally): Decision<Tally> {
  if (tally.closed) return null;
  const { endpointId, type, reason, minute: from, count, bytes } = tally;
  const to = new Date(Date.parse(from) + minuteMs).toISOString();
  return {
    state: { ...tally, closed: true },
    events: [refusal(type, reason, { endpointId, webhookId: null, bytes, count, from, to })],
  };
}

function refusal(
  type: TallyType,
  reason: string,
  details: { endpointId: string; webhookId: string | null; bytes: number; count?: number; from?: string; to?: string },
): EventDraft {
  return {
    type,
    target: { type: 'webhook_endpoint', id: details.endpointId, name: null },
    outcome: type === 'delivery.rejected' ? 'denied' : 'success',
    reason: because(reason),
    details,
  };
}
