// POST /hooks/{endpointId}, as a partner and as a forger meet it.
import { createHmac, randomUUID } from 'node:crypto';
import { request as send } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, eventually, readEvents } from '@reeve/testing';
import { defaultSettings, newStandardKeyPair, type SchemeName, sign } from '@reeve/webhook-signatures';
import {
  alterEndpoint,
  type Delivered,
  deliver,
  type Endpoint,
  endpointsOf,
  type Ingress,
  newEndpoint,
  newTenant,
  type Payloads,
  readPayloads,
  startIngress,
  unixNow,
} from '../webhook-ingress.test-support.ts';

let ingress: Ingress;
let payloads: Payloads;
let events: EventReader;
let tenantId: TenantId;
let endpoint: Endpoint;

beforeAll(async () => {
  [ingress, payloads, events] = await Promise.all([startIngress(), readPayloads(), readEvents('reeve.webhook.v1')]);
  tenantId = await newTenant(ingress);
  endpoint = await newEndpoint(ingress, tenantId);
}, 60_000);
afterAll(async () => {
  await Promise.all([payloads.stop(), events.stop()]);
  await ingress.stop();
});

const otherSecret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
/** With an id wherever a scheme looks for one. */
const uniqueBody = () => JSON.stringify({ id: `evt_${randomUUID()}`, event_id: `Ev${randomUUID()}` });

function expectProblem({ status, headers, body }: Delivered, expected: number, code: string) {
  expect([status, body.code]).toEqual([expected, code]);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
}

describe('a delivery', () => {
  test.each<[SchemeName, string]>([
    ['standard', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['github', "It's a Secret to Everybody"],
    ['slack', '8f742231b10e8888abcd99yyyzzz85a5'],
    ['stripe', 'whsec_test_secret'],
    ['shopify', 'hush'],
  ])('of %s is accepted once, and its repetition gets the same answer', async (scheme, secret) => {
    const own = { ...(await newEndpoint(ingress, tenantId, { scheme, secrets: [secret] })), secret };
    const [id, body] = [randomUUID(), uniqueBody()];
    const first = await deliver(own, { scheme, id, body });
    expect(first).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(await deliver(own, { scheme, id, body })).toMatchObject({ status: 200, body: first.body });
    expect(await payloads.seen(own.id, 1)).toMatchObject([{ type: 'webhook.payload', body }]);
    expectProblem(
      await deliver(own, { scheme, id: randomUUID(), body: uniqueBody(), secret: otherSecret }),
      401,
      'delivery_unauthenticated',
    );
    expect((await deliver(own, { scheme, id: randomUUID(), body: uniqueBody() })).status).toBe(202);
  });

  test('reaches the product byte for byte, and the record says who sent what in which request', async () => {
    const body = '{"hello": "wörld"}\n';
    const { headers, body: answer } = await deliver(endpoint, { id: 'evt-1', body });
    expect(headers.get('reeve-request-id')).toMatch(/^req_/);
    const accepted = await events.seen(tenantId, 'delivery.accepted', answer.id);
    expect(accepted).toMatchObject({
      correlationId: headers.get('reeve-request-id'),
      data: {
        actor: { type: 'client', id: endpoint.id, name: 'partner', via: 'client' },
        reason: { code: 'signature_valid' },
        details: { endpointId: endpoint.id, webhookId: 'evt-1', bytes: Buffer.byteLength(body) },
      },
    });
    const sent = await eventually('the payload', () => payloads.of(endpoint.id).find(payload => payload.body === body));
    expect(sent.key).toBe(`${tenantId}:${endpoint.id}:`);
  });

  test('is on the record as the endpoint’s own, whoever its connector is said to be', async () => {
    const connectorId = newId('client');
    const own = await newEndpoint(ingress, tenantId, { connectorId });
    const { body } = await deliver(own);
    const { data } = await events.seen(tenantId, 'delivery.accepted', body.id);
    expect(data.actor).toEqual({ type: 'client', id: own.id, name: connectorId, via: 'client' });
  });

  test('may be empty, or bytes that are no text', async () => {
    expect((await deliver(endpoint, { body: '' })).status).toBe(202);
    const bytes = Buffer.from([0xff, 0xfe, 0, 0x80]);
    expect(
      (await deliver(endpoint, { body: bytes, headers: { 'content-type': 'application/octet-stream' } })).status,
    ).toBe(202);
  });

  test('without an id is recognised by what was signed', async () => {
    const secret = 'slack secret';
    const own = { ...(await newEndpoint(ingress, tenantId, { scheme: 'slack', secrets: [secret] })), secret };
    const command = { scheme: 'slack', body: 'command=%2Fgo', timestamp: unixNow() } as const;
    expect((await deliver(own, command)).status).toBe(202);
    expect((await deliver(own, command)).status).toBe(200);
    expect((await deliver(own, { ...command, timestamp: command.timestamp + 1 })).status).toBe(202);
  });

  test('whose id is not signed is recognised by its bytes, unless the tenant trusts such ids', async () => {
    const given = { scheme: 'github', secrets: ['captured'] };
    const strict = { ...(await newEndpoint(ingress, tenantId, given)), secret: 'captured' };
    const trusting = {
      ...(await newEndpoint(ingress, tenantId, { ...given, trustUnsignedIds: true })),
      secret: 'captured',
    };
    const body = uniqueBody();
    const send = async (to: Endpoint, id: string) => (await deliver(to, { scheme: 'github', id, body })).status;
    expect([await send(strict, 'one'), await send(strict, 'two')]).toEqual([202, 200]);
    expect([await send(trusting, 'one'), await send(trusting, 'two')]).toEqual([202, 202]);
  });

  test('has one id, wherever a partner’s own scheme puts the border between id and body', async () => {
    const settings = { ...defaultSettings.hmac, template: '{id}.{body}', idHeader: 'x-id' };
    const form = { scheme: 'hmac', settings } as const;
    const own = await newEndpoint(ingress, tenantId, { scheme: 'hmac', signature: settings });
    expect((await deliver(own, { ...form, id: 'E', body: '{"n":1.5}' })).status).toBe(202);
    expectProblem(await deliver(own, { ...form, id: 'E.{"n":1', body: '5}' }), 400, 'delivery_malformed');
  });

  test('of an endpoint from before, whose id nothing sets apart, is recognised however it is cut', async () => {
    const settings = { ...defaultSettings.hmac, template: '{id}{body}', idHeader: 'x-id' };
    const form = { scheme: 'hmac', settings } as const;
    const own = await newEndpoint(ingress, tenantId, { scheme: 'hmac' });
    await alterEndpoint(ingress, { tenantId, id: own.id }, { signature: settings });
    expect((await deliver(own, { ...form, id: 'F', body: '{"n":1}' })).status).toBe(202);
    expectProblem(await deliver(own, { ...form, id: 'F{"n"', body: ':1}' }), 409, 'delivery_conflict');
    expect((await deliver(own, { ...form, id: 'F', body: '{"n":1}' })).status).toBe(200);
    expect((await deliver(own, { ...form, id: 'G', body: '{"n":1}' })).status).toBe(202);
  });

  test('with an id that was used for another body is a conflict, and the record says so', async () => {
    const id = randomUUID();
    expect((await deliver(endpoint, { id, body: '{"v":1}' })).status).toBe(202);
    expectProblem(await deliver(endpoint, { id, body: '{"v":2}' }), 409, 'delivery_conflict');
    await eventually('the refusal', () =>
      events.of(tenantId).find(({ type, data }) => type === 'delivery.rejected' && data.details['webhookId'] === id),
    );
  });
});

describe('a forger', () => {
  test('is told the same for every signature, time and key that does not hold', async () => {
    const other = await newEndpoint(ingress, tenantId);
    const elsewhere = await newEndpoint(ingress, await newTenant(ingress));
    const answers = [
      await deliver(endpoint, { timestamp: unixNow() - 4_000 }),
      await deliver(endpoint, { timestamp: unixNow() + 4_000 }),
      await deliver(endpoint, { secret: otherSecret }),
      await deliver(endpoint, { secret: other.secret }),
      await deliver(endpoint, { secret: elsewhere.secret }),
      await deliver(endpoint, { headers: { 'webhook-signature': 'v1,AAAA' } }),
    ];
    for (const answer of answers) expectProblem(answer, 401, 'delivery_unauthenticated');
    expect(new Set(answers.map(({ body }) => JSON.stringify({ ...body, traceId: null }))).size).toBe(1);
    expect((await deliver(endpoint)).status).toBe(202);
    expect((await deliver(elsewhere)).status).toBe(202);
  });

  test('cannot choose the scheme: a valid signature of another one is malformed', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const own = { ...(await newEndpoint(ingress, tenantId, { secrets: [secret] })), secret };
    expectProblem(await deliver(own, { scheme: 'stripe', body: uniqueBody() }), 400, 'delivery_malformed');
    expect((await deliver(own)).status).toBe(202);
  });

  test('cannot sign with what the endpoint knows where only a public key lies here', async () => {
    const pair = newStandardKeyPair();
    const own = await newEndpoint(ingress, tenantId, { secrets: [pair.publicKey] });
    expect(own.secret).toBeNull();
    const asHmac = `whsec_${pair.publicKey.slice('whpk_'.length)}`;
    expectProblem(await deliver(own, { secret: asHmac }), 401, 'delivery_unauthenticated');
    expect((await deliver(own, { secret: pair.privateKey })).status).toBe(202);
  });

  test('gets one answer for a time that is not written as a number is, also where it was signed that way', async () => {
    const at = String(unixNow());
    const answers = [];
    for (const text of [`0${at}`, `000${at}`, `+${at}`, `${at}.0`, `${at}e0`, `0x${at}`, 'now'])
      answers.push(await postSignedOver(endpoint, text));
    for (const answer of answers) expectProblem(answer, 400, 'delivery_malformed');
    expect(new Set(answers.map(({ body }) => JSON.stringify({ ...body, traceId: null }))).size).toBe(1);
    expect((await postSignedOver(endpoint, at)).status).toBe(202);
  });

  test('cannot send a header of the scheme twice, or leave one out', async () => {
    const headers = signed(endpoint);
    expect(await rawStatus(endpoint, headers)).toBe(202);
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      const own = signed(endpoint);
      const { [name]: value = '', ...rest } = own;
      expect([name, await rawStatus(endpoint, { ...rest })]).toEqual([name, 400]);
      expect([name, await rawStatus(endpoint, { ...own, [name]: [value, value] })]).toEqual([name, 400]);
    }
  });
});

describe('what is refused before a signature is looked at', () => {
  test('an id that nobody has, or that is none', async () => {
    for (const id of ['whe_00000000-0000-7000-8000-000000000000', 'x', '%00', 'whe_'])
      expectProblem(await deliver({ ...endpoint, url: `${ingress.url}/hooks/${id}` }), 404, 'endpoint_unknown');
    const { status, body } = await ingress.ask<{ code: string }>('POST', '/hooks/a/b');
    expect([status, body.code]).toEqual([404, 'not_found']);
  });

  test('every method but POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ingress.ask(method, `/hooks/${endpoint.id}`);
      expect([method, status, headers.get('allow')]).toEqual([method, 405, 'POST']);
    }
  });

  test('a disabled endpoint for good, and one of a suspended tenant for as long, whoever sends', async () => {
    const own = await newTenant(ingress);
    const [disabled, paused] = [await newEndpoint(ingress, own), await newEndpoint(ingress, own)];
    expect((await deliver(disabled)).status).toBe(202);
    await ingress.ask('POST', `${endpointsOf(own)}/${disabled.id}:disable`, { as: callers.tenantClient(own) });
    expectProblem(await deliver(disabled), 410, 'endpoint_disabled');
    expect((await deliver(paused)).status).toBe(202);
    const slug = own.slice(-20);
    await ingress.announcer.suspend({ id: own, slug });
    await eventually('the suspension', async () => (await deliver(paused)).status !== 202);
    for (const sent of [await deliver(paused), await deliver({ ...paused, secret: otherSecret })]) {
      expectProblem(sent, 503, 'endpoint_paused');
      expect(sent.headers.get('retry-after')).toBe('3600');
    }
    expectProblem(await deliver(disabled), 410, 'endpoint_disabled');
    const details = { slug, status: 'active', changed: ['status'] };
    const resumed = event('tenant.updated', { id: own, name: slug, because: 'resumed', details });
    await ingress.announcer.announce(own, resumed);
    await eventually('the resumption', async () => (await deliver(paused)).status === 202);
  });

  test('what is compressed, of a type that is not taken, or from elsewhere', async () => {
    expectProblem(await deliver(endpoint, { headers: { 'content-encoding': 'gzip' } }), 415, 'delivery_encoded');
    expect((await deliver(endpoint, { headers: { 'content-encoding': 'identity' } })).status).toBe(202);
    const far = await newEndpoint(ingress, tenantId, { allowedIps: ['192.0.2.0/24', '2001:db8::/32'] });
    expectProblem(await deliver(far), 401, 'delivery_unauthenticated');
    const near = await newEndpoint(ingress, tenantId, {
      allowedIps: ['127.0.0.0/8', '::1'],
      contentTypes: ['application/json'],
    });
    const typed = (type: string) => deliver(near, { headers: { 'content-type': type } });
    expect((await typed('application/json; charset=utf-8')).status).toBe(202);
    expectProblem(await typed('text/plain'), 415, 'delivery_type_refused');
  });

  test('more than the endpoint takes in a second, with the time to wait', async () => {
    const limited = await startIngress({ beside: ingress, environment: { REEVE_RATE_LIMITS: 'on' } });
    const own = await newEndpoint(limited, tenantId, { limits: { perSecond: 3 } });
    const answers = await Promise.all(Array.from({ length: 12 }, () => deliver(own)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(3);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expectProblem(answer, 429, 'rate_limited');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    await limited.stop();
  }, 60_000);
});

describe('what stops to count while a body is on its way', () => {
  const slowly = (to: Endpoint, what: () => Promise<unknown>) =>
    deliver(to, {
      async midway() {
        await pause(200);
        await what();
      },
    });

  test('is an endpoint that is disabled', async () => {
    const own = await newEndpoint(ingress, tenantId);
    expect((await slowly(own, async () => undefined)).status).toBe(202);
    const disable = () =>
      ingress.ask('POST', `${endpointsOf(tenantId)}/${own.id}:disable`, { as: callers.tenantClient(tenantId) });
    expectProblem(await slowly(own, disable), 410, 'endpoint_disabled');
  });

  test('is a secret that is replaced', async () => {
    const own = await newEndpoint(ingress, tenantId);
    const rotate = () =>
      ingress.ask('POST', `${endpointsOf(tenantId)}/${own.id}:rotate-secret`, {
        as: callers.tenantClient(tenantId),
        body: { overlapSeconds: 0 },
      });
    expectProblem(await slowly(own, rotate), 401, 'delivery_unauthenticated');
  });
});

test('the door is declared: open, and why', async () => {
  const { body } = await ingress.ask<{ paths: Record<string, { post: Record<string, unknown> }> }>(
    'GET',
    '/openapi.json',
  );
  expect(body.paths['/hooks/{endpointId}']?.post).toMatchObject({
    'x-reeve-caller': 'stranger',
    'x-reeve-open': expect.stringContaining('signed'),
    security: [],
  });
});

/** Standard Webhooks with its time written as `text`, and signed over that text. */
async function postSignedOver({ url, secret }: Endpoint, text: string): Promise<Delivered> {
  const id = randomUUID();
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${text}.{}`).digest('base64');
  const headers = { 'webhook-id': id, 'webhook-timestamp': text, 'webhook-signature': `v1,${signature}` };
  const response = await fetch(url, { method: 'POST', headers, body: '{}' });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Delivered['body'] };
}

function signed({ secret }: Endpoint): Record<string, string> {
  const message = { id: randomUUID(), timestamp: unixNow(), body: Buffer.from('{}') };
  return sign({ scheme: 'standard', settings: null, secret, ...message });
}

/** Sends headers as they are, also twice, which fetch would join. */
function rawStatus({ url }: Endpoint, headers: Record<string, string | string[]>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers: { ...headers, 'content-length': 2 } }, response => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject).end('{}');
  });
}
