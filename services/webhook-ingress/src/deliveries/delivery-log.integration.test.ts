// What a tenant sees of its deliveries, and what it can do about them.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { emptyContext, type Id, newEventId, newId, type TenantId } from '@reeve/contracts';
import { openStore } from '@reeve/store';
import { type Answer, callers, type EventReader, engines, eventually, readEvents } from '@reeve/testing';
import { defaultSettings } from '@reeve/webhook-signatures';
import { contents } from '../contents.ts';
import {
  deliver,
  type Endpoint,
  endpointsOf,
  type Ingress,
  newEndpoint,
  newTenant,
  type Payloads,
  readPayloads,
  startIngress,
} from '../webhook-ingress.test-support.ts';
import { type Delivery, deliveries, expiryOf, type Origin, sha256 } from './delivery.ts';

type Listed = { id: Id<'delivery'>; webhookId: string; status: string; sequence: number | null; reason?: string };
type Page = { items: Listed[]; nextCursor: string | null; code?: string };

let ingress: Ingress;
let payloads: Payloads;
let events: EventReader;
let tenantId: TenantId;

beforeAll(async () => {
  [ingress, payloads, events] = await Promise.all([startIngress(), readPayloads(), readEvents('reeve.webhook.v1')]);
  tenantId = await newTenant(ingress);
}, 60_000);
afterAll(async () => {
  await Promise.all([payloads.stop(), events.stop()]);
  await ingress.stop();
});

const ask = <T = Page>(method: string, path: string): Promise<Answer<T>> =>
  ingress.ask<T>(method, `${endpointsOf(tenantId)}/${path}`, { as: callers.tenantClient(tenantId) });
const idsAt = async (path: string) => (await ask('GET', path)).body.items.map(({ webhookId }) => webhookId);

const sequenced = { sequenceFrom: 'body:/n', orderingKeyFrom: 'body:/k', ordered: true };
const at = (k: string, n: number) => ({ id: `${k}-${n}`, body: JSON.stringify({ k, n }) });
const sequencesAt = (endpoint: Endpoint, key: string) =>
  payloads.of(endpoint.id).flatMap(({ body }) => {
    const { k, n } = JSON.parse(body) as { k: string; n: number };
    return k === key ? n : [];
  });

describe('the log', () => {
  let endpoint: Endpoint;
  beforeAll(async () => {
    endpoint = await newEndpoint(ingress, tenantId, sequenced);
    for (const sent of [at('a', 1), at('a', 2), at('b', 1), at('a', 4)]) await deliver(endpoint, sent);
  });

  test('is read newest first, page by page', async () => {
    const first = await ask('GET', `${endpoint.id}/deliveries?limit=3`);
    expect(first.body.items.map(({ webhookId }) => webhookId)).toEqual(['a-4', 'b-1', 'a-2']);
    const next = await ask('GET', `${endpoint.id}/deliveries?limit=3&cursor=${first.body.nextCursor}`);
    expect(next.body).toMatchObject({ items: [{ webhookId: 'a-1' }], nextCursor: null });
    const other = await newEndpoint(ingress, tenantId);
    expect(await ask('GET', `${other.id}/dead-letters?cursor=${first.body.nextCursor}`)).toMatchObject({ status: 400 });
  });

  test('is searched by id, status, key and time, in any combination', async () => {
    const of = (query: string) => idsAt(`${endpoint.id}/deliveries?${query}`);
    await eventually('the marks', async () => (await of('status=accepted')).length === 3);
    expect(await of('status=accepted')).toEqual(['b-1', 'a-2', 'a-1']);
    expect(await of('status=held')).toEqual(['a-4']);
    expect(await of('orderingKey=a')).toEqual(['a-4', 'a-2', 'a-1']);
    expect(await of('orderingKey=a&status=accepted')).toEqual(['a-2', 'a-1']);
    expect(await of('webhookId=a-2')).toEqual(['a-2']);
    expect(await of('webhookId=a-2&status=held')).toEqual([]);
    expect(await of('webhookId=a')).toEqual([]);
    const later = new Date(Date.now() + 60_000).toISOString();
    expect(await of(`to=${later}&orderingKey=b`)).toEqual(['b-1']);
    expect(await of(`from=${later}`)).toEqual([]);
    expect(await of('to=2020-01-01T00:00:00Z&status=accepted')).toEqual([]);
    expect((await ask('GET', `${endpoint.id}/deliveries?status=lost`)).status).toBe(400);
  });

  test('shows one with its exact body and its headers, without what is secret', async () => {
    const settings = { ...defaultSettings.hmac, header: 'x-partner-check' };
    const own = await newEndpoint(ingress, tenantId, { scheme: 'hmac', signature: settings });
    const body = '{"hello": "wörld"}';
    const secret = {
      authorization: 'partner-secret',
      cookie: 'a=partner-secret',
      'x-auth': 'partner-secret',
      'x-access-key': 'partner-secret',
      'x-credential': 'partner-secret',
      'x-passwd': 'partner-secret',
      'x-sig': 'partner-secret',
      'x-forwarded-user': 'Basic partner-secret',
      'x-caller': 'bearer partner-secret',
    };
    const plain = { 'x-plain': 'kept', 'x-event-type': 'basics.created', 'user-agent': 'partner/1.0' };
    const sending = { scheme: 'hmac', settings, body, headers: { ...secret, ...plain } } as const;
    const { id } = (await deliver(own, sending)).body;
    type One = { bodyText: string; bodyBase64: string; ip: string; headers: Record<string, string> };
    const { body: one } = await ask<One>('GET', `${own.id}/deliveries/${id}`);
    expect(one).toMatchObject({ bodyText: body, bodyBase64: Buffer.from(body).toString('base64'), ip: '127.0.0.1' });
    expect(one.headers).toMatchObject(plain);
    for (const name of [...Object.keys(secret), 'x-partner-check'])
      expect([name, one.headers[name]]).toEqual([name, '[redacted]']);
    expect(JSON.stringify(one)).not.toContain('partner-secret');
  });

  test('shows a delivery at its own endpoint and at no other', async () => {
    const other = await newEndpoint(ingress, tenantId);
    const { items } = (await ask('GET', `${endpoint.id}/deliveries?limit=1`)).body;
    const id = items[0]?.id;
    expect((await ask('GET', `${endpoint.id}/deliveries/${id}`)).status).toBe(200);
    for (const path of [`${other.id}/deliveries/${id}`, `${endpoint.id}/deliveries/${newId('delivery')}`])
      expect(await ask('GET', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await ask('POST', `${other.id}/deliveries/${id}:replay`)).toMatchObject({ status: 404 });
  });
});

describe('order', () => {
  test('is kept where it is demanded: what comes too early waits, and what comes too late is refused', async () => {
    const endpoint = await newEndpoint(ingress, tenantId, { ...sequenced, holdSeconds: 60 });
    for (const n of [3, 1, 4]) expect((await deliver(endpoint, at('a', n))).status).toBe(202);
    type Sequences = { items: { orderingKey: string; last: number; held: { sequence: number }[] }[] };
    const { items } = (await ask<Sequences>('GET', `${endpoint.id}/sequences`)).body;
    expect(items).toMatchObject([{ orderingKey: 'a', last: 1, held: [{ sequence: 3 }, { sequence: 4 }] }]);
    expect((await deliver(endpoint, at('a', 2))).status).toBe(202);
    await payloads.seen(endpoint.id, 4);
    expect(sequencesAt(endpoint, 'a')).toEqual([1, 2, 3, 4]);

    const late = { id: 'late', body: JSON.stringify({ k: 'a', n: 2, late: true }) };
    const answers = await Promise.all(Array.from({ length: 12 }, () => deliver(endpoint, late)));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 422, body: { code: 'delivery_out_of_order' } });
    expect(await idsAt(`${endpoint.id}/deliveries?status=refused`)).toEqual(['late']);
    expect((await deliver(endpoint, { body: '{"k":"a"}' })).status).toBe(400);
    expect((await deliver(endpoint, at('a', 5))).status).toBe(202);
    await payloads.seen(endpoint.id, 5);
    expect(sequencesAt(endpoint, 'a')).toEqual([1, 2, 3, 4, 5]);
  });

  test('that has a lasting gap goes on, or leaves dead letters, which can be sent again', async () => {
    const settings = { ...sequenced, holdSeconds: 1 };
    const releasing = await newEndpoint(ingress, tenantId, settings);
    const refusing = await newEndpoint(ingress, tenantId, { ...settings, onGap: 'refuse' });
    for (const endpoint of [releasing, refusing])
      for (const n of [1, 3]) expect((await deliver(endpoint, at('a', n))).status).toBe(202);
    await payloads.seen(releasing.id, 2);
    expect(sequencesAt(releasing, 'a')).toEqual([1, 3]);
    const dead = await eventually(
      'the dead letter',
      async () => (await ask('GET', `${refusing.id}/dead-letters`)).body.items[0],
    );
    expect(dead).toMatchObject({ webhookId: 'a-3', status: 'dead', reason: 'gap_not_filled' });
    expect((await events.seen(tenantId, 'delivery.dead_lettered', dead.id)).data.details).toMatchObject({
      sequence: 3,
    });
    for (const { id } of [releasing, refusing])
      expect((await events.seen(tenantId, 'delivery.gap_detected', id)).data.details).toEqual({
        endpointId: id,
        orderingKey: 'a',
        firstMissing: 2,
        lastMissing: 2,
      });

    expect(await ask('POST', `${refusing.id}/deliveries/${dead.id}:replay`)).toMatchObject({
      status: 200,
      body: { status: 'accepted' },
    });
    const sent = await payloads.seen(refusing.id, 2);
    expect(sent.map(({ type, body }) => [type, body])).toEqual([
      ['webhook.payload', at('a', 1).body],
      ['webhook.payload.replayed', at('a', 3).body],
    ]);
    expect((await ask('GET', `${refusing.id}/dead-letters`)).body.items).toEqual([]);
    expect((await deliver(refusing, at('a', 2))).status).toBe(202);
  }, 60_000);

  test('what is held, or was refused, is not sent again', async () => {
    const endpoint = await newEndpoint(ingress, tenantId, sequenced);
    const replay = async (id: unknown) =>
      (await ask('POST', `${endpoint.id}/deliveries/${String(id)}:replay`)).body.code;
    for (const n of [1, 2]) await deliver(endpoint, at('a', n));
    const { id: held } = (await deliver(endpoint, at('a', 9))).body;
    expect(await replay(held)).toBe('delivery_state');
    await deliver(endpoint, { id: 'late', body: at('a', 1).body });
    const [refused] = (await ask('GET', `${endpoint.id}/deliveries?status=refused`)).body.items;
    expect(refused?.webhookId).toBe('late');
    expect(await replay(refused?.id)).toBe('delivery_state');
  });
});

describe('a delivery whose process was lost', () => {
  test('between the row and its lane comes through its lane, once, and says so', async () => {
    const endpoint = await newEndpoint(ingress, tenantId, sequenced);
    const body = Buffer.from(at('a', 1).body);
    const now = new Date();
    const actor = { type: 'client', id: 'partner', name: null, via: 'client' } as const;
    const cause = { actor, context: emptyContext, correlationId: newEventId() };
    const row: Delivery = {
      deliveryId: newId('delivery'),
      endpointId: endpoint.id,
      webhookId: 'a-1',
      bodySha256: sha256(body),
      signedSha256: null,
      contentType: 'application/json',
      bytes: body.length,
      receivedAt: now.toISOString(),
      expiresAt: expiryOf(now),
      status: 'held',
      orderingKey: 'a',
      sequence: 1,
      inLane: true,
      origin: JSON.stringify({ cause, headers: {} } satisfies Origin),
      body,
    };
    const { mongodb: uri } = engines();
    const lost = openStore({
      uri,
      database: ingress.config.MONGODB_DATABASE,
      source: '/test',
      contents,
      journalLeaseMs: 500,
    });
    expect(await lost.journal(deliveries).append([{ tenantId, id: row.deliveryId, state: row }])).toEqual(['created']);
    expect((await deliver(endpoint, at('a', 2))).status).toBe(202);
    expect(payloads.of(endpoint.id)).toEqual([]);
    await payloads.seen(endpoint.id, 2, 20_000);
    expect(sequencesAt(endpoint, 'a')).toEqual([1, 2]);
    await eventually('the mark', async () => (await idsAt(`${endpoint.id}/deliveries?status=accepted`)).length === 2);
    expect(await deliver(endpoint, at('a', 1))).toMatchObject({ status: 200, body: { id: row.deliveryId } });
    await lost.close();
  }, 40_000);
});
