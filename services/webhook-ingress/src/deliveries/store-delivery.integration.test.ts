// Lanes that several processes change, on a real store: each process has its own view, which may be old.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { emptyContext, type Message, newEventId, newId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines, eventually } from '@reeve/testing';
import { contents } from '../contents.ts';
import { defaultSettings, type Endpoint } from '../endpoints/endpoint.ts';
import type { Receiver } from '../endpoints/receivers.ts';
import { type Delivery, deliveries as deliveriesOf, expiryOf, type Origin, sha256 } from './delivery.ts';
import { laneId, lanes as lanesOf } from './lane.ts';
import { createDeliveryStore } from './store-delivery.ts';

type Process = ReturnType<typeof startProcess>;

const tenantId = newId('tenant');
const endpointId = newId('endpoint');
const unordered = receiver({ orderingKeyFrom: 'body:/k' });
const ordered = receiver({ orderingKeyFrom: 'body:/k', sequenceFrom: 'body:/n', ordered: true });

let database: string;
let opened: Store[];
let topic: Message[];

beforeEach(() => {
  database = `lanes_${randomUUID().slice(0, 8)}`;
  opened = [];
  topic = [];
});
afterEach(() => Promise.all(opened.map(store => store.close())));

function receiver(settings: Partial<Endpoint>): Receiver {
  const endpoint: Endpoint = {
    ...defaultSettings,
    connectorId: 'partner',
    installationId: null,
    scheme: 'standard',
    signature: null,
    status: 'active',
    secrets: [],
    createdAt: new Date().toISOString(),
    ...settings,
  };
  const idSource = { from: null, signed: true };
  return {
    id: endpointId,
    tenantId,
    endpoint,
    status: 'active',
    keys: [],
    secretIds: [],
    idSource,
    takesFrom: () => true,
  };
}

function row(sequence: number | null = null): Delivery {
  const now = new Date();
  const body = Buffer.from(JSON.stringify({ sequence, salt: randomUUID() }));
  const actor = { type: 'client', id: 'partner', name: null, via: 'client' } as const;
  const cause = { actor, context: emptyContext, correlationId: 'test' };
  return {
    deliveryId: newId('delivery'),
    endpointId,
    webhookId: randomUUID(),
    bodySha256: sha256(body),
    signedSha256: null,
    contentType: 'application/json',
    bytes: body.length,
    receivedAt: now.toISOString(),
    expiresAt: expiryOf(now),
    status: 'held',
    orderingKey: 'k',
    sequence,
    inLane: true,
    origin: JSON.stringify({ cause, headers: {} } satisfies Origin),
    body,
  };
}

function startProcess() {
  const clock = { now: () => new Date(), newEventId };
  const store = openStore({ uri: engines().mongodb, database, source: '/test', contents, clock });
  opened.push(store);
  const deliveries = store.journal(deliveriesOf);
  const lanes = store.collection(lanesOf);
  const { keep, throughLane } = createDeliveryStore({ deliveries, lanes, clock });
  return {
    store,
    keep,
    throughLane,
    publish: () =>
      store.startPublishing({
        publish: messages => Promise.resolve(void topic.push(...messages)),
        findPublished: ({ ids }) =>
          Promise.resolve(new Set(topic.flatMap(({ event: { id } }) => (ids.has(id) ? id : [])))),
        once: true,
      }),
    lane: async () => (await lanes.in(tenantId).get(laneId({ endpointId, orderingKey: 'k' })))?.state,
    statusOf: async ({ deliveryId }: Delivery) => (await deliveries.in(tenantId).get(deliveryId))?.state.status,
  };
}

async function start(count: number): Promise<Process[]> {
  const processes = Array.from({ length: count }, () => startProcess());
  await processes[0]?.store.prepare();
  return processes;
}

const published = () =>
  topic.filter(message => message.topic === 'reeve.webhook.payloads.v1').map(({ event }) => String(event.data));
const times = (one: Delivery) => published().filter(body => body === String(one.body)).length;

describe('a view that is old', () => {
  test.each([
    ['demands no order', unordered, () => null],
    ['demands order', ordered, (index: number) => index + 1],
  ])(
    'does not let a delivery out again where the lane %s',
    async (_, to, sequenceAt) => {
      const [one, other] = await start(2);
      if (!one || !other) throw new Error('there are two');
      one.publish();
      const first = row(sequenceAt(0));
      expect(await one.keep(to, first)).toMatchObject({ outcome: 'new' });
      // So many that the lane remembers the first no more.
      for (let index = 1; index <= 150; index += 1) await one.keep(to, row(sequenceAt(index)));
      expect((await one.lane())?.recent).not.toContain(first.deliveryId);
      expect(await other.throughLane(to, first)).toBe('known');
      expect(await one.throughLane(to, first)).toBe('known');
      await eventually('all', () => published().length >= 151);
      expect(times(first)).toBe(1);
      expect(await one.statusOf(first)).toBe('accepted');
    },
    60_000,
  );
});

describe('a lane', () => {
  test('forgets what it let out, also where the process that let it out is gone', async () => {
    const [gone, next] = await start(2);
    if (!gone || !next) throw new Error('there are two');
    for (const one of [gone, next]) one.publish();
    const keepMany = (process: Process, count: number) =>
      Promise.all(Array.from({ length: count }, () => process.keep(unordered, row())));
    await keepMany(gone, 480);
    expect((await next.lane())?.recent.length).toBeGreaterThan(250);
    for (let round = 0; round < 6; round += 1) await keepMany(next, 30);
    expect((await next.lane())?.recent.length).toBeLessThan(150);
    await eventually('all', () => published().length === 660);
  }, 60_000);

  test('has each delivery once and in order, however many processes change it at once', async () => {
    const processes = await start(3);
    for (const one of processes) one.publish();
    const rows = Array.from({ length: 90 }, (_, index) => row(index + 1));
    const tries = rows.flatMap(one => processes.map(process => ({ one, process })));
    async function insist({ one, process }: (typeof tries)[number]): Promise<void> {
      while ((await process.keep(ordered, one)).outcome === 'busy')
        await new Promise(resolve => setTimeout(resolve, 20));
    }
    await Promise.all(tries.toSorted(() => Math.random() - 0.5).map(insist));
    await eventually('all', () => published().length >= rows.length);
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(published()).toEqual(rows.map(({ body }) => String(body)));
  }, 60_000);

  test('that finds no room says so, and takes the delivery when it is sent again', async () => {
    const [one] = await start(1);
    if (!one) throw new Error('there is one');
    // Nobody publishes: of each, two events wait in the lane.
    const taken = await Promise.all(Array.from({ length: 700 }, () => one.keep(unordered, row())));
    expect(new Set(taken.map(({ outcome }) => outcome))).toEqual(new Set(['new', 'busy']));
    const late = row();
    const again = () => one.keep(unordered, { ...late, deliveryId: newId('delivery') });
    expect(await one.keep(unordered, late)).toMatchObject({ outcome: 'busy' });
    expect(await again()).toMatchObject({ outcome: 'busy', first: { deliveryId: late.deliveryId } });
    expect(published()).toEqual([]);
    one.publish();
    const first = { deliveryId: late.deliveryId };
    await eventually('room', async () => (await again()).outcome === 'repeated');
    expect(await again()).toMatchObject({ outcome: 'repeated', first });
    await eventually('it', () => times(late) > 0);
    expect(times(late)).toBe(1);
  }, 60_000);

  test('that refused a delivery refuses it again, and everybody who repeats it', async () => {
    const [one, other] = await start(2);
    if (!one || !other) throw new Error('there are two');
    one.publish();
    for (const n of [1, 2, 3]) expect((await one.keep(ordered, row(n))).outcome).toBe('new');
    const late = row(2);
    const repeat = (process: Process) => process.keep(ordered, { ...late, deliveryId: newId('delivery') });
    const answers = await Promise.all(Array.from({ length: 6 }, () => [repeat(one), repeat(other)]).flat());
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['refused']));
    expect((await repeat(one)).outcome).toBe('refused');
    expect((await one.keep(ordered, row(4))).outcome).toBe('new');
    await eventually('the four', () => published().length === 4);
    expect(times(late)).toBe(0);
  }, 60_000);
});
