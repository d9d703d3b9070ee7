// A storm of resends over three instances of ingress and of audit. Meanwhile one of each is killed, another one stands
// still for longer than its leases, and then the broker and the store are killed.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formats, verifyLines } from '@reeve/audit-log';
import { eventually } from '@reeve/testing/eventually';
import { type AuditEvent, asLines, auditKeys, exportLines, recordsIn } from '../support/audit.ts';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { messagesOn, type Payload, payloadsOf } from '../support/payloads.ts';
import { freshTenant, type TestTenant } from '../support/running-system.ts';
import { createStorm, type Endpoint, mixed, type Storm, type Webhook } from '../support/storm.ts';

const plainEvents = Number(process.env['REEVE_STORM_EVENTS'] ?? 10_000);
const timesSent = 3;
const connections = 64;
/** With a key and a sequence, besides. */
const keys = 20;
const perKey = 50;
const minutes = 60_000;
/** Leases last eight seconds at most, and the broker gives up a member after ten. */
const standsStillMs = 25_000;
/** A journal looks again at what a lost instance left after a minute. What comes out twice is there by then. */
const secondLookMs = 65_000;

/** Of repetitions of an endpoint each of the three instances records ten a minute, and how many more there were. */
const recordedPerMinute = 2 * 3 * (10 + 1);

const disturbed = ['webhook-ingress', 'audit'] as const;

let own: OwnSystem;
let sender: TestTenant;
let endpoints: { plain: Endpoint; ordered: Endpoint };
let storm: Storm;
let died: unknown = null;
/** How many had no answer by when all instances were there again. */
let unansweredByInstances = 0;
let minutesOfStorm = 0;
/** What the senders were told of, sorted. */
let deliveries: string[];
/** The export of the audit log. */
let lines: string[];
let accepted: Payload[];
let payloads: { plain: Payload[]; ordered: Payload[] };

type Due = Webhook & { due: number };

function webhooks(): Due[] {
  const padding = randomBytes(300).toString('hex');
  const webhook = (endpoint: Endpoint, due: number, content: { id: string; key?: string; n?: number }): Due => {
    const body = Buffer.from(JSON.stringify({ ...content, padding }));
    return { endpoint, id: content.id, body, due };
  };
  return [
    ...Array.from({ length: plainEvents }, (_, n) => webhook(endpoints.plain, n / plainEvents, { id: `plain-${n}` })),
    ...inOrder().flatMap((ids, key) =>
      ids.map((id, n) => webhook(endpoints.ordered, n / perKey, { id, key: `k${key}`, n: n + 1 })),
    ),
  ];
}

const beginningOf = (key: number) => `ordered-${key}-`;
/** By key, the ids of what has an order. */
const inOrder = (): string[][] =>
  Array.from({ length: keys }, (_, key) =>
    Array.from({ length: perKey }, (__, index) => `${beginningOf(key)}${index + 1}`),
  );
const byKey = (ids: readonly string[]): string[][] =>
  Array.from({ length: keys }, (_, key) => ids.filter(id => id.startsWith(beginningOf(key))));

/** One after the other, so that each is met by itself. */
async function disturb(): Promise<void> {
  const { system, restartKafka, restartMongodb } = own;
  await storm.reaches(0.1);
  await Promise.all(disturbed.map(name => system.crash(name, 0)));
  await storm.reaches(0.3);
  for (const name of disturbed) system.pause(name, 1);
  // A fast machine would take all of it while one stands still: nobody would be left to meet what comes after.
  storm.waitsAt(0.5);
  await sleep(standsStillMs);
  for (const name of disturbed) system.resume(name, 1);
  storm.goesOn();
  await storm.reaches(0.55);
  unansweredByInstances = storm.counts.unanswered;
  storm.bePatient();
  // Nor while the broker starts.
  storm.waitsAt(0.75);
  await restartKafka();
  await storm.reaches(0.75);
  await restartMongodb(() => {
    storm.goesOn();
    return storm.refuses();
  });
}

const minuteNow = () => Math.floor(Date.now() / minutes);

const recordsOf = (type: string): AuditEvent[] => recordsIn(lines).filter(record => record.type === type);
const countOf = (type: string): number =>
  recordsOf(type).reduce((sum, { details }) => sum + Number(details['count'] ?? 1), 0);

beforeAll(async () => {
  own = await startOwnSystem('storm', { instances: { 'webhook-ingress': 3, audit: 3 } });
  own.died.catch((error: unknown) => {
    died = error;
  });
  const { credentials, urlsOf } = own.system;
  sender = await freshTenant(credentials, 'storm');
  const { api, tenant } = sender;
  const base = `${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`;
  const order = { ordered: true, sequenceFrom: 'body:/n', orderingKeyFrom: 'body:/key', holdSeconds: 300 };
  endpoints = {
    plain: await api.post<Endpoint>(base, { connectorId: 'storm' }),
    ordered: await api.post<Endpoint>(base, { connectorId: 'storm', ...order }),
  };
  const sent = webhooks();
  storm = createStorm(mixed(sent, { times: timesSent, due: ({ due }) => due }), urlsOf('webhook-ingress'));
  const began = minuteNow();
  await Promise.race([own.died, Promise.all([disturb(), storm.run(connections)])]);
  minutesOfStorm = minuteNow() - began + 1;

  deliveries = [...storm.answers.values()].flatMap(answer => [...answer.deliveries]).toSorted();
  await sleep(secondLookMs);
  await eventually(
    'counts that add up',
    async () => {
      lines = await exportLines(api, credentials, tenant);
      // What was answered 200 was counted before that.
      return countOf('delivery.accepted') >= sent.length && countOf('delivery.duplicated') >= storm.counts.repeated;
    },
    3 * minutes,
  );
  const isAcceptance = ({ type }: Payload) => type === 'delivery.accepted';
  accepted = await messagesOn(credentials, 'reeve.webhook.v1', { isWanted: isAcceptance, count: sent.length });
  payloads = {
    plain: await payloadsOf(credentials, endpoints.plain.id, { count: plainEvents }),
    ordered: await payloadsOf(credentials, endpoints.ordered.id, { count: keys * perKey }),
  };
}, 14 * minutes);
afterAll(() => own.stop(), minutes);

describe('a storm of resends while instances, broker and store are killed', () => {
  test('nothing but what was killed ends, and whoever is refused is told when to come back', () => {
    expect(died).toBeNull();
    expect(storm.unexpected).toEqual({});
    // Some met an instance that was away, and some a store that was; the latter were answered all the same.
    expect(unansweredByInstances).toBeGreaterThan(0);
    expect(storm.counts.refused).toBeGreaterThan(0);
    expect(storm.counts.unanswered).toBe(unansweredByInstances);
  });

  test('whoever sends a webhook, first or again, is told of the same delivery', () => {
    const answers = [...storm.answers.values()];
    expect(answers.length).toBe(plainEvents + keys * perKey);
    expect(answers.filter(one => one.deliveries.size !== 1 || one.accepted > 1)).toEqual([]);
  });

  test('each acknowledged delivery is published once', () => {
    for (const published of [accepted, [...payloads.plain, ...payloads.ordered]]) {
      expect(published.map(({ subject }) => subject.replace('webhook_delivery/', '')).toSorted()).toEqual(deliveries);
      expect(new Set(published.map(({ eventId }) => eventId)).size).toBe(published.length);
    }
  });

  test('each acknowledged delivery is in the audit log once, and the chains verify', async () => {
    const keysOfAudit = await auditKeys(own.system.credentials);
    const result = await verifyLines(asLines(lines), { format: formats.ndjson, keys: keysOfAudit });
    expect(result).toMatchObject({ finding: null });
    const log = recordsIn(lines);
    expect(new Set(log.map(({ eventId }) => eventId)).size).toBe(log.length);
    const recorded = recordsOf('delivery.accepted');
    expect(recorded.map(({ target }) => String(target.id)).toSorted()).toEqual(deliveries);
    const eventIds = (events: readonly { eventId: string }[]) => events.map(({ eventId }) => eventId).toSorted();
    expect(eventIds(recorded)).toEqual(eventIds(accepted));
  });

  test('what has an order is published in it and recorded in it', () => {
    const publishedIds = payloads.ordered.map(({ body }) => (JSON.parse(body) as { id: string }).id);
    expect(byKey(publishedIds)).toEqual(inOrder());
    expect(byKey(recordsOf('delivery.accepted').map(({ details }) => String(details['webhookId'])))).toEqual(inOrder());
  });

  test('repetitions are counted, and do not flood the log', () => {
    // One that was counted may have been killed before its answer.
    const { repeated, refused, unanswered } = storm.counts;
    expect(countOf('delivery.duplicated')).toBeLessThanOrEqual(repeated + refused + unanswered);
    expect(recordsOf('delivery.duplicated').length).toBeLessThan(Math.max(400, recordedPerMinute * minutesOfStorm));
  });
});
