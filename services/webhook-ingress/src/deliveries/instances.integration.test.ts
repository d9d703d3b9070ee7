// Three instances over one store, and partners that send each event several times to whichever of them: each comes out
// once, and in order.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { type EventReader, eventually, readEvents } from '@reeve/testing';
import {
  deliver,
  type Endpoint,
  type Ingress,
  newEndpoint,
  newTenant,
  type Payloads,
  readPayloads,
  startIngress,
} from '../webhook-ingress.test-support.ts';

const plainEvents = 1_500;
const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const perKey = 80;
const timesSent = 2;
const connections = 48;
/** Longer than the lease of a publisher that was lost, after which another one would publish what it left. */
const quietMs = 7_000;

let instances: Ingress[];
let payloads: Payloads;
let events: EventReader;
let tenantId: TenantId;
let plain: Endpoint;
let ordered: Endpoint;
let keyed: Endpoint;

beforeAll(async () => {
  const first = await startIngress();
  instances = [first, await startIngress({ beside: first }), await startIngress({ beside: first })];
  [payloads, events] = await Promise.all([readPayloads(), readEvents('reeve.webhook.v1')]);
  tenantId = await newTenant(first);
  plain = await newEndpoint(first, tenantId);
  ordered = await newEndpoint(first, tenantId, {
    ordered: true,
    sequenceFrom: 'body:/n',
    orderingKeyFrom: 'body:/key',
    holdSeconds: 300,
  });
  keyed = await newEndpoint(first, tenantId, { orderingKeyFrom: 'body:/key' });
}, 60_000);
afterAll(async () => {
  await Promise.all([payloads.stop(), events.stop()]);
  await Promise.all(instances.map(instance => instance.stop()));
});

type Sent = { endpoint: Endpoint; id: string; body: string };

const numbered = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map(item => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);

/** Sends it until it is taken, each time to the next instance. Returns the id of the delivery. */
async function insist({ endpoint, id, body }: Sent, firstTo: number): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const instance = instances[(firstTo + attempt) % instances.length];
    const url = `${instance?.url}/hooks/${endpoint.id}`;
    const answer = await deliver({ url, secret: endpoint.secret }, { id, body });
    if (answer.body.id !== undefined && answer.status <= 202) return answer.body.id;
    if (answer.status !== 503 || answer.headers.get('retry-after') === null)
      throw new Error(`answered ${answer.status} ${answer.body.code}`);
    await pause(100);
  }
}

test('nothing is lost, doubled or out of order, with a key, with a sequence, and without either', async () => {
  const all: Sent[] = [
    ...numbered(plainEvents).map(n => ({ endpoint: plain, id: `plain-${n}`, body: JSON.stringify({ n }) })),
    ...keys.flatMap(key =>
      numbered(perKey).map(n => ({ endpoint: ordered, id: `${key}-${n}`, body: JSON.stringify({ key, n }) })),
    ),
    ...keys.flatMap(key =>
      numbered(perKey).map(n => ({ endpoint: keyed, id: `${key}-${n}`, body: JSON.stringify({ key, n }) })),
    ),
  ];
  const queue = shuffled(Array.from({ length: timesSent }, () => all).flat());
  const deliveries = new Map<Sent, Set<string>>(all.map(sent => [sent, new Set()]));
  async function connection(index: number): Promise<void> {
    for (let sent = queue.pop(); sent; sent = queue.pop()) deliveries.get(sent)?.add(await insist(sent, index));
  }
  await Promise.all(Array.from({ length: connections }, (_, index) => connection(index)));

  // Whoever asked, first or again, was told of the same delivery.
  expect([...deliveries.values()].filter(ids => ids.size !== 1)).toEqual([]);

  const accepted = () => events.of(tenantId).filter(({ type }) => type === 'delivery.accepted');
  const endpoints = [plain, ordered, keyed];
  const published = () => endpoints.reduce((sum, { id }) => sum + payloads.of(id).length, 0);
  await eventually('all of it', () => accepted().length >= all.length && published() >= all.length, 60_000);
  await pause(quietMs);

  expect(
    accepted()
      .map(({ data }) => String(data.target.id))
      .toSorted(),
  ).toEqual([...deliveries.values()].flatMap(ids => [...ids]).toSorted());
  for (const endpoint of endpoints) {
    const bodies = all.filter(sent => sent.endpoint === endpoint).map(({ body }) => body);
    expect(
      payloads
        .of(endpoint.id)
        .map(({ body }) => body)
        .toSorted(),
    ).toEqual(bodies.toSorted());
  }
  const inOrder = keys.map(() => numbered(perKey));
  expect(
    keys.map(key =>
      sequencesOf(
        payloads.of(ordered.id).map(({ body }) => body),
        key,
      ),
    ),
  ).toEqual(inOrder);
  // The record is in order as well.
  const orderOfRecord = accepted()
    .filter(({ data }) => data.details['endpointId'] === ordered.id)
    .map(({ data }) => String(data.details['webhookId']));
  for (const key of keys)
    expect(orderOfRecord.filter(id => id.startsWith(`${key}-`))).toEqual(numbered(perKey).map(n => `${key}-${n}`));
}, 180_000);

function sequencesOf(bodies: readonly string[], key: string): number[] {
  return bodies
    .map(body => JSON.parse(body) as { key: string; n: number })
    .flatMap(one => (one.key === key ? one.n : []));
}

test('with a key and no sequence, the order is that of the answers, whichever instance gave them', async () => {
  const own = await newEndpoint(instances[0] as Ingress, tenantId, { orderingKeyFrom: 'body:/key' });
  const bodies = numbered(60).map(n => JSON.stringify({ key: 'k', n, salt: randomUUID() }));
  for (const [index, body] of bodies.entries()) await insist({ endpoint: own, id: `id-${index}`, body }, index);
  expect((await payloads.seen(own.id, bodies.length)).map(({ body }) => body)).toEqual(bodies);
});
