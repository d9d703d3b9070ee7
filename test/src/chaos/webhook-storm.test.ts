// A resend storm while the ingress is killed: everything that was acknowledged is on the topic once, in order per key, and the audit
// log's counts add up.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@reeve/local/api';
import { sign } from '@reeve/webhook-signatures';
import { readLog } from '../support/audit.ts';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { payloadsOf } from '../support/payloads.ts';
import { freshTenant } from '../support/running-system.ts';

const events = Number(process.env['REEVE_STORM_EVENTS'] ?? 10_000);
const resends = 5;
const connections = 64;
const minutes = 60_000;
/** As many events again with a key and a sequence, in random order. */
const keys = 20;
const perKey = 25;

let own: OwnSystem;
beforeAll(async () => {
  own = await startOwnSystem('storm');
}, 2 * minutes);
afterAll(() => own.stop(), minutes);

type Endpoint = { id: string; url: string; secret: string };
type Event = { endpoint: Endpoint; id: string; body: Buffer };

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map(item => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

describe('a storm of resends while the ingress is killed', () => {
  test(
    'every acknowledged event is on the topic once, in order per key, and the counts add up',
    async () => {
      const { credentials } = own.system;
      const { api, tenant } = await freshTenant(credentials, 'storm');
      const base = `${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`;
      const plain = await api.post<Endpoint>(base, { connectorId: 'storm' });
      const ordered = await api.post<Endpoint>(base, {
        connectorId: 'storm',
        ordered: true,
        sequenceFrom: 'body:/n',
        orderingKeyFrom: 'body:/key',
        holdSeconds: 300,
      });
      const padding = randomBytes(300).toString('hex');
      const eventOf = (endpoint: Endpoint, id: string, content: object): Event => ({
        endpoint,
        id,
        body: Buffer.from(JSON.stringify({ id, ...content, padding })),
      });
      const first = [
        ...Array.from({ length: events }, (_, index) => eventOf(plain, `plain-${index}`, {})),
        ...Array.from({ length: keys * perKey }, (_, index) => {
          const [key, n] = [index % keys, Math.floor(index / keys) + 1];
          return eventOf(ordered, `ordered-${key}-${n}`, { key: `k${key}`, n });
        }),
      ];
      const queue = shuffled(Array.from({ length: resends }, () => first).flat());
      const answers = new Map<string, { accepted: number; repeated: number; ids: Set<string> }>();
      const unexpected: Record<string, number> = {};
      let repeatedSeen = 0;
      let next = 0;

      async function send({ endpoint, id, body }: Event): Promise<void> {
        for (;;) {
          const timestamp = Math.floor(Date.now() / 1_000);
          const headers = sign({ scheme: 'standard', settings: null, secret: endpoint.secret, id, timestamp, body });
          try {
            const response = await fetch(endpoint.url, { method: 'POST', headers, body: new Uint8Array(body) });
            const answer = (await response.json()) as { id: string };
            if (response.ok) {
              const known = answers.get(id) ?? { accepted: 0, repeated: 0, ids: new Set() };
              known.ids.add(answer.id);
              if (response.status === 202) known.accepted += 1;
              else {
                known.repeated += 1;
                repeatedSeen += 1;
              }
              answers.set(id, known);
              return;
            }
            if (response.status !== 503 && response.status !== 429) {
              unexpected[response.status] = (unexpected[response.status] ?? 0) + 1;
              return;
            }
          } catch {
            // Nobody is there: killed, and coming back.
          }
          await sleep(100);
        }
      }

      async function connection(): Promise<void> {
        for (let event = queue[next++]; event; event = queue[next++]) await send(event);
      }

      async function kill(): Promise<void> {
        for (const share of [0.25, 0.6]) {
          while (next < queue.length * share) await sleep(50);
          await own.system.crash('webhook-ingress');
        }
      }

      await Promise.all([kill(), ...Array.from({ length: connections }, connection)]);
      expect(unexpected).toEqual({});
      expect(answers.size).toBe(first.length);
      // Whoever asked, first or again, was given the same delivery.
      expect([...answers.values()].filter(({ ids }) => ids.size !== 1)).toEqual([]);
      expect([...answers.values()].filter(({ accepted }) => accepted > 1)).toEqual([]);

      const published = await payloadsOf(credentials, plain.id, { count: events, withinMs: 2 * minutes });
      expect(published.length).toBe(events);
      expect(new Set(published.map(({ eventId }) => eventId)).size).toBe(events);
      expect(new Set(published.map(({ body }) => (JSON.parse(body) as { id: string }).id)).size).toBe(events);

      const inOrder = await payloadsOf(credentials, ordered.id, { count: keys * perKey, withinMs: minutes });
      const sequences = new Map<string, number[]>();
      for (const { body } of inOrder) {
        const { key, n } = JSON.parse(body) as { key: string; n: number };
        sequences.set(key, [...(sequences.get(key) ?? []), n]);
      }
      const whole = Array.from({ length: perKey }, (_, index) => index + 1);
      expect([...sequences.values()]).toEqual(Array.from({ length: keys }, () => whole));

      // What was answered 200 was counted first; what was counted may have been killed before its answer.
      const log = await eventually(
        async () => {
          const found = await readLog(api, credentials, tenant);
          const count = (type: string) =>
            found
              .filter(event => event.type === type)
              .reduce((sum, { details }) => sum + Number(details['count'] ?? 1), 0);
          const [accepted, duplicated] = [count('delivery.accepted'), count('delivery.duplicated')];
          return accepted >= first.length && duplicated >= repeatedSeen ? { accepted, duplicated, found } : null;
        },
        { withinMs: 3 * minutes, what: 'counts that add up' },
      );
      expect(log.accepted).toBe(first.length);
      expect(log.duplicated).toBeLessThanOrEqual(repeatedSeen + 4 * connections);
      expect(log.found.filter(({ type }) => type === 'delivery.duplicated').length).toBeLessThan(200);
    },
    12 * minutes,
  );
});
