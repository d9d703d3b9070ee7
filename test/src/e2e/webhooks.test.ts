// Webhook ingress, as a partner and as the tenant's administrator meet it.
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { platformApi } from '@reeve/local/seed';
import { eventually } from '@reeve/testing/eventually';
import { newStandardKeyPair, type SchemeName, sign } from '@reeve/webhook-signatures';
import { logWith, readLog } from '../support/audit.ts';
import { payloadsOf } from '../support/payloads.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

type Endpoint = {
  id: string;
  url: string;
  secret: string;
  secrets: { id: string; lastUsedAt: string | null; expiresAt: string | null }[];
};
type Answer = {
  status: number;
  body: { id?: string; status?: string; code?: string; detail?: string };
  headers: Headers;
};

const credentials = runningSystem();
let own: TestTenant;
let base: string;

beforeAll(async () => {
  own = await freshTenant(credentials, 'webhooks');
  base = `${credentials.urls.webhookIngress}/v1/tenants/${own.tenant.id}/webhook-endpoints`;
});

const create = (settings: Record<string, unknown> = {}) =>
  own.api.post<Endpoint>(base, { connectorId: 'partner', ...settings });
const now = () => Math.floor(Date.now() / 1_000);

async function post(url: string, headers: Record<string, string>, body: string | Uint8Array): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'], headers: response.headers };
}

type Sending = {
  scheme?: SchemeName;
  secret: string;
  id?: string;
  body?: string;
  timestamp?: number;
  extra?: Record<string, string>;
};

function signed({
  scheme = 'standard',
  secret,
  id = `msg_${randomUUID()}`,
  body = '{"a":1}',
  timestamp = now(),
  extra = {},
}: Sending) {
  const headers = sign({ scheme, settings: null, secret, id, timestamp, body: Buffer.from(body) });
  return { headers: { 'content-type': 'application/json', ...headers, ...extra }, body };
}

async function deliver({ url, secret }: Endpoint, sending: Partial<Sending> = {}): Promise<Answer> {
  const { headers, body } = signed({ secret, ...sending });
  return post(url, headers, body);
}

describe('schemes', () => {
  const text = () => JSON.stringify({ id: `evt_${randomUUID()}`, event_id: `Ev${randomUUID()}`, n: 1 });

  test.each<[SchemeName, string]>([
    ['standard', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['github', "It's a Secret to Everybody"],
    ['slack', '8f742231b10e8888abcd99yyyzzz85a5'],
    ['stripe', 'whsec_test_secret'],
    ['shopify', 'hush'],
  ])('%s: accepted once, repeated for free, forged never', async (scheme, secret) => {
    const endpoint = { ...(await create({ scheme, secrets: [secret] })), secret };
    const [id, body] = [randomUUID(), text()];
    const first = await deliver(endpoint, { scheme, id, body });
    expect(first).toMatchObject({ status: 202, body: { status: 'accepted' } });
    const again = await deliver(endpoint, { scheme, id, body });
    expect(again).toMatchObject({ status: 200, body: first.body });
    const { headers } = signed({ scheme, secret, id: randomUUID(), body: text() });
    expect(await post(endpoint.url, headers, text())).toMatchObject({
      status: 401,
      body: { code: 'delivery_unauthenticated' },
    });
    expect(
      (await deliver(endpoint, { scheme, secret: 'whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==', body: text() })).status,
    ).toBe(401);
  });

  test('the scheme is the endpoint’s: a valid signature of another scheme is malformed here', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const endpoint = { ...(await create({ secrets: [secret] })), secret };
    expect((await deliver(endpoint, { scheme: 'stripe', body: text() })).status).toBe(400);
    expect((await deliver(endpoint, { body: text() })).status).toBe(202);
  });

  test('Standard Webhooks v1a: only the public key is here', async () => {
    const pair = newStandardKeyPair();
    const endpoint = await create({ secrets: [pair.publicKey] });
    expect(endpoint.secret).toBeNull();
    expect((await deliver(endpoint, { secret: pair.privateKey })).status).toBe(202);
    expect((await deliver(endpoint, { secret: newStandardKeyPair().privateKey })).status).toBe(401);
  });

  test('a partner’s own HMAC, described by the tenant', async () => {
    const signature = {
      header: 'X-Sig',
      prefix: 'v=',
      encoding: 'base64',
      template: '{timestamp}/{body}',
      timestampHeader: 'X-Time',
    };
    const endpoint = await create({ scheme: 'hmac', signature, idFrom: 'body:/meta/id', secrets: ['a shared secret'] });
    const settings = {
      ...signature,
      header: 'x-sig',
      timestampHeader: 'x-time',
      digest: 'sha256',
      timestampUnit: 's',
      idHeader: null,
      secretEncoding: 'utf8',
    } as const;
    const body = JSON.stringify({ meta: { id: 'e-1' } });
    const headers = (timestamp: number) =>
      sign({
        scheme: 'hmac',
        settings: { ...settings, encoding: 'base64' },
        secret: 'a shared secret',
        id: '',
        timestamp,
        body: Buffer.from(body),
      });
    expect((await post(endpoint.url, headers(now() - 301), body)).status).toBe(401);
    expect((await post(endpoint.url, headers(now()), body)).status).toBe(202);
    expect((await post(endpoint.url, headers(now() + 1), body)).status).toBe(200);
  });
});

describe('bad input', () => {
  let endpoint: Endpoint;
  beforeAll(async () => {
    endpoint = await create();
  });
  const expectProblem = (answer: Answer, status: number, code: string) => {
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer).toMatchObject({ status, body: { code } });
  };

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s, or with it twice', async name => {
    const { headers, body } = signed({ secret: endpoint.secret });
    const { [name as keyof typeof headers]: value, ...rest } = headers as Record<string, string>;
    expectProblem(await post(endpoint.url, rest as Record<string, string>, body), 400, 'delivery_malformed');
    const doubled = await raw(
      endpoint.url,
      Object.entries(headers).flatMap(pair => (pair[0] === name ? [pair, pair] : [pair])),
      body,
    );
    expect(doubled).toMatch(/^HTTP\/1.1 400 /);
    expect(value).toBeDefined();
  });

  test('a second beyond the tolerance is refused, the last one within it is not', async () => {
    expect((await deliver(endpoint, { timestamp: now() - 298 })).status).toBe(202);
    expect((await deliver(endpoint, { timestamp: now() + 298 })).status).toBe(202);
    expectProblem(await deliver(endpoint, { timestamp: now() - 302 }), 401, 'delivery_unauthenticated');
    expectProblem(await deliver(endpoint, { timestamp: now() + 303 }), 401, 'delivery_unauthenticated');
  });

  test('a forger learns nothing: every refusal of a signature or a time is the same answer', async () => {
    const answers = [
      await deliver(endpoint, { timestamp: now() - 4_000 }),
      await deliver(endpoint, { secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` }),
      await deliver(endpoint, { extra: { 'webhook-signature': 'v1,AAAA' } }),
      await deliver(endpoint, { extra: { 'webhook-signature': 'v9,AAAA' } }),
    ].map(({ status, body: { ...rest } }) => ({ status, ...rest, traceId: null }));
    expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1);
  });

  test('another endpoint’s and another tenant’s secret', async () => {
    const other = await create();
    const stranger = await freshTenant(credentials, 'webhooks-other');
    const theirs = await stranger.api.post<Endpoint>(
      `${credentials.urls.webhookIngress}/v1/tenants/${stranger.tenant.id}/webhook-endpoints`,
      { connectorId: 'partner' },
    );
    expectProblem(await deliver(endpoint, { secret: other.secret }), 401, 'delivery_unauthenticated');
    expectProblem(await deliver(endpoint, { secret: theirs.secret }), 401, 'delivery_unauthenticated');
    expect((await deliver(theirs)).status).toBe(202);
  });

  test('compressed, too large, empty, bytes that are no text', async () => {
    const zipped = gzipSync('{"a":1}');
    const { headers } = signed({ secret: endpoint.secret });
    expectProblem(
      await post(endpoint.url, { ...headers, 'content-encoding': 'gzip' }, zipped),
      415,
      'delivery_encoded',
    );
    const big = 'x'.repeat(10_000_000);
    expect(await raw(endpoint.url, [['content-length', String(big.length)]], '')).toMatch(/^HTTP\/1.1 413 /);
    expect((await deliver(endpoint, { body: '' })).status).toBe(202);
    const bytes = Buffer.from([0xff, 0xfe, 0, 0x80]);
    const id = randomUUID();
    const binary = sign({
      scheme: 'standard',
      settings: null,
      secret: endpoint.secret,
      id,
      timestamp: now(),
      body: bytes,
    });
    expect((await post(endpoint.url, { ...binary, 'content-type': 'application/octet-stream' }, bytes)).status).toBe(
      202,
    );
    expect((await post(endpoint.url, binary, Buffer.from(bytes.toString('utf8')))).status).toBe(401);
  });

  test('the wrong method, an endpoint that is not there, a path that is no id', async () => {
    const response = await fetch(endpoint.url);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    for (const id of ['whe_00000000-0000-7000-8000-000000000000', 'x', '%00', '..'])
      expect((await fetch(`${credentials.urls.webhookIngress}/hooks/${id}`, { method: 'POST' })).status).toBe(404);
  });

  test('a body that never ends is given up, with an answer', async () => {
    const answer = await raw(endpoint.url, [['content-length', '100']], 'only this', 25_000);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('delivery_too_slow');
  }, 40_000);

  test('the same id with another body is a conflict, told to the tenant', async () => {
    const id = randomUUID();
    expect((await deliver(endpoint, { id, body: '{"v":1}' })).status).toBe(202);
    expectProblem(await deliver(endpoint, { id, body: '{"v":2}' }), 409, 'delivery_conflict');
    const log = await logWith(
      { ...own, credentials },
      found => found.some(({ reason }) => reason.code === 'same_id_other_body'),
      'the conflict',
    );
    expect(log.find(({ reason }) => reason.code === 'same_id_other_body')).toMatchObject({
      type: 'delivery.rejected',
      outcome: 'denied',
    });
  });

  test('only from the addresses that the tenant allows, and only the types that it takes', async () => {
    const elsewhere = await create({ allowedIps: ['192.0.2.0/24', '2001:db8::/32'] });
    expectProblem(await deliver(elsewhere), 401, 'delivery_unauthenticated');
    const here = await create({ allowedIps: ['127.0.0.0/8', '::1'], contentTypes: ['application/json'] });
    expect((await deliver(here)).status).toBe(202);
    expectProblem(await deliver(here, { extra: { 'content-type': 'text/plain' } }), 415, 'delivery_type_refused');
    expect((await deliver(here, { extra: { 'content-type': 'application/json; charset=utf-8' } })).status).toBe(202);
  });
});

describe('ids that the signature does not cover', () => {
  test('captured bytes under a new id are a replay, and with the tenant’s consent an event', async () => {
    const secret = 'captured secret';
    const strict = { ...(await create({ scheme: 'github', secrets: [secret] })), secret };
    const body = JSON.stringify({ zen: randomUUID() });
    const first = await deliver(strict, { scheme: 'github', id: 'one', body });
    expect(await deliver(strict, { scheme: 'github', id: 'two', body })).toMatchObject({
      status: 200,
      body: first.body,
    });
    expect((await payloadsOf(credentials, strict.id, { count: 1 })).map(payload => payload.body)).toEqual([body]);
    const trusting = { ...(await create({ scheme: 'github', secrets: [secret], trustUnsignedIds: true })), secret };
    expect((await deliver(trusting, { scheme: 'github', id: 'one', body })).status).toBe(202);
    expect((await deliver(trusting, { scheme: 'github', id: 'two', body })).status).toBe(202);
  });

  test('without any id what was signed is the id', async () => {
    const secret = 'slack secret';
    const endpoint = { ...(await create({ scheme: 'slack', secrets: [secret] })), secret };
    const command = { scheme: 'slack', body: 'command=%2Fgo&text=', timestamp: now() } as const;
    expect((await deliver(endpoint, command)).status).toBe(202);
    expect((await deliver(endpoint, command)).status).toBe(200);
    expect((await deliver(endpoint, { ...command, timestamp: command.timestamp + 1 })).status).toBe(202);
  });
});

describe('the life of an endpoint', () => {
  test('secrets overlap, end, and show when they were last used', async () => {
    const endpoint = await create();
    expect((await deliver(endpoint)).status).toBe(202);
    const rotated = await own.api.post<Endpoint>(`${base}/${endpoint.id}:rotate-secret`, { overlapSeconds: 3_600 });
    expect([(await deliver(endpoint)).status, (await deliver(endpoint, { secret: rotated.secret })).status]).toEqual([
      202, 202,
    ]);
    const used = await eventually('the use of both secrets', async () => {
      const { secrets } = await own.api.get<Endpoint>(`${base}/${endpoint.id}`);
      return secrets.every(({ lastUsedAt }) => lastUsedAt !== null) ? secrets : null;
    });
    expect(used.map(({ expiresAt }) => expiresAt === null)).toEqual([true, false]);
    const last = await own.api.post<Endpoint>(`${base}/${endpoint.id}:rotate-secret`, { overlapSeconds: 0 });
    expect((await deliver(endpoint)).status).toBe(401);
    expect((await deliver(endpoint, { secret: rotated.secret })).status).toBe(401);
    expect((await deliver(endpoint, { secret: last.secret })).status).toBe(202);
  });

  test('disabled answers 410 at once, enabled takes again', async () => {
    const endpoint = await create();
    await own.api.post(`${base}/${endpoint.id}:disable`);
    expect((await deliver(endpoint)).status).toBe(410);
    await own.api.post(`${base}/${endpoint.id}:enable`);
    expect((await deliver(endpoint)).status).toBe(202);
  });

  test('waits for a tenant that is suspended, and goes on with it', async () => {
    const paused = await freshTenant(credentials, 'webhooks-suspended');
    const endpoint = await paused.api.post<Endpoint>(
      `${credentials.urls.webhookIngress}/v1/tenants/${paused.tenant.id}/webhook-endpoints`,
      { connectorId: 'partner' },
    );
    expect((await deliver(endpoint)).status).toBe(202);
    await platformApi(credentials).post(`${credentials.urls.provisioning}/v1/tenants/${paused.tenant.id}:suspend`);
    await eventually('a refusal', async () => ((await deliver(endpoint)).status === 503 ? true : null));
    expect((await deliver(endpoint)).body).toMatchObject({ code: 'endpoint_paused' });
    await platformApi(credentials).post(`${credentials.urls.provisioning}/v1/tenants/${paused.tenant.id}:resume`);
    await eventually('its end', async () => ((await deliver(endpoint)).status === 202 ? true : null));
  });

  test('a change of settings counts at once and is an event that names what changed', async () => {
    const endpoint = await create();
    const changed = await own.api.patch<Record<string, unknown>>(`${base}/${endpoint.id}`, {
      toleranceSeconds: 30,
    });
    expect(changed).toMatchObject({ toleranceSeconds: 30, scheme: 'standard' });
    expect((await deliver(endpoint, { timestamp: now() - 40 })).status).toBe(401);
    const log = await logWith(
      { ...own, credentials },
      found => found.some(({ type }) => type === 'endpoint.updated'),
      'the change',
    );
    expect(log.find(({ type }) => type === 'endpoint.updated')).toMatchObject({
      details: { changed: ['toleranceSeconds'] },
    });
  });
});

describe('order', () => {
  const sequenced = { sequenceFrom: 'body:/n', orderingKeyFrom: 'body:/k' };
  const at = (k: string, n: number) => ({ body: JSON.stringify({ k, n }) });

  test('where it is demanded, what comes too early is held until the rest is there, and what comes too late is refused', async () => {
    const endpoint = await create({ ...sequenced, ordered: true, holdSeconds: 60 });
    for (const n of [3, 1, 4]) expect((await deliver(endpoint, at('a', n))).status).toBe(202);
    expect((await deliver(endpoint, at('b', 1))).status).toBe(202);
    const held = await own.api.get<{ items: { orderingKey: string; held: { sequence: number }[] }[] }>(
      `${base}/${endpoint.id}/sequences`,
    );
    expect(held.items.find(({ orderingKey }) => orderingKey === 'a')?.held.map(({ sequence }) => sequence)).toEqual([
      3, 4,
    ]);
    expect((await deliver(endpoint, at('a', 2))).status).toBe(202);
    expect(await deliver(endpoint, at('a', 2))).toMatchObject({ status: 422, body: { code: 'delivery_out_of_order' } });
    expect((await deliver(endpoint, { body: '{"k":"a"}' })).status).toBe(400);
    const payloads = await payloadsOf(credentials, endpoint.id, { count: 5 });
    expect(payloads.filter(({ key }) => key.endsWith(':a')).map(({ body }) => JSON.parse(body).n as number)).toEqual([
      1, 2, 3, 4,
    ]);
    expect(payloads).toHaveLength(5);
  });

  test('a late one and its resends at once are all refused', async () => {
    const endpoint = await create({ ...sequenced, ordered: true });
    for (const n of [1, 2, 3]) expect((await deliver(endpoint, at('r', n))).status).toBe(202);
    const late = { id: 'late', body: JSON.stringify({ k: 'r', n: 2, late: true }) };
    const answers = await Promise.all(Array.from({ length: 12 }, () => deliver(endpoint, late)));
    expect(answers.filter(({ status }) => status !== 422)).toEqual([]);
    const payloads = await payloadsOf(credentials, endpoint.id, { count: 3 });
    expect(payloads.map(({ body }) => (JSON.parse(body) as { n: number }).n)).toEqual([1, 2, 3]);
  });

  test('with a key and no sequence, the order in which they were acknowledged', async () => {
    const endpoint = await create({ orderingKeyFrom: 'header:x-key' });
    const bodies = Array.from({ length: 30 }, (_, index) => `{"i":${index}}`);
    for (const body of bodies) expect((await deliver(endpoint, { body, extra: { 'x-key': 'k' } })).status).toBe(202);
    const payloads = await payloadsOf(credentials, endpoint.id, { count: bodies.length });
    expect(payloads.map(({ body }) => body)).toEqual(bodies);
    expect(new Set(payloads.map(({ key }) => key))).toEqual(new Set([`${own.tenant.id}:${endpoint.id}:k`]));
  });

  test('a gap that lasts is told; what was held is let go, or becomes a dead letter that can be replayed', async () => {
    const releasing = await create({ ...sequenced, ordered: true, holdSeconds: 1 });
    const refusing = await create({ ...sequenced, ordered: true, holdSeconds: 1, onGap: 'refuse' });
    for (const endpoint of [releasing, refusing])
      for (const n of [1, 3]) expect((await deliver(endpoint, at('a', n))).status).toBe(202);
    expect(
      (await payloadsOf(credentials, releasing.id, { count: 2 })).map(({ body }) => JSON.parse(body).n as number),
    ).toEqual([1, 3]);
    const dead = await eventually(
      'a dead letter',
      async () =>
        (await own.api.get<{ items: { id: string; reason: string }[] }>(`${base}/${refusing.id}/dead-letters`))
          .items[0] ?? null,
    );
    expect(dead.reason).toBe('gap_not_filled');
    await own.api.post(`${base}/${refusing.id}/deliveries/${dead.id}:replay`);
    const payloads = await payloadsOf(credentials, refusing.id, { count: 2 });
    expect(payloads.map(({ type, body }) => [type, JSON.parse(body).n as number])).toEqual([
      ['webhook.payload', 1],
      ['webhook.payload.replayed', 3],
    ]);
    expect((await own.api.get<{ items: unknown[] }>(`${base}/${refusing.id}/dead-letters`)).items).toEqual([]);
    const log = await logWith(
      { ...own, credentials },
      found => ['delivery.dead_lettered', 'delivery.replayed'].every(type => found.some(event => event.type === type)),
      'the dead letter and its replay',
    );
    expect(log.filter(({ type }) => type === 'delivery.gap_detected').map(({ details }) => details)).toEqual(
      expect.arrayContaining([
        { endpointId: releasing.id, orderingKey: 'a', firstMissing: 2, lastMissing: 2 },
        { endpointId: refusing.id, orderingKey: 'a', firstMissing: 2, lastMissing: 2 },
      ]),
    );
  });
});

describe('what the tenant sees', () => {
  test('the log is searched, one delivery shows headers without secrets and the exact body, and can be sent again', async () => {
    const endpoint = await create();
    const sent = await deliver(endpoint, {
      id: 'evt-ü'.replace('ü', 'u'),
      body: '{"hello": "wörld"}',
      extra: { authorization: 'Bearer partner-secret' },
    });
    await deliver(endpoint);
    const list = `${base}/${endpoint.id}/deliveries`;
    const found = await own.api.get<{ items: { id: string }[] }>(`${list}?webhookId=evt-u`);
    expect(found.items.map(({ id }) => id)).toEqual([sent.body.id]);
    expect(
      (await own.api.get<{ items: unknown[] }>(`${list}?status=accepted&from=2020-01-01T00:00:00Z`)).items,
    ).toHaveLength(2);
    expect((await own.api.get<{ items: unknown[] }>(`${list}?to=2020-01-01T00:00:00Z`)).items).toHaveLength(0);
    const one = await own.api.get<{ bodyText: string; headers: Record<string, string> }>(`${list}/${sent.body.id}`);
    expect(one.bodyText).toBe('{"hello": "wörld"}');
    expect(one.headers['content-type']).toBe('application/json');
    expect([one.headers['authorization'], one.headers['webhook-signature']]).toEqual(['[redacted]', '[redacted]']);
    expect(JSON.stringify(one)).not.toContain('partner-secret');
    await own.api.post(`${list}/${sent.body.id}:replay`);
    const payloads = await payloadsOf(credentials, endpoint.id, { count: 3 });
    expect(
      payloads
        .filter(({ body }) => body.includes('hello'))
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['webhook.payload', 'webhook.payload.replayed']);
  });

  test('the test button sends a real event through the front door', async () => {
    const endpoint = await create({ orderingKeyFrom: 'body:/k', sequenceFrom: 'header:x-seq', ordered: true });
    for (let round = 0; round < 2; round += 1)
      expect(await own.api.post(`${base}/${endpoint.id}:test`)).toMatchObject({
        status: 202,
        answer: { status: 'accepted' },
      });
    await own.api.post(`${base}/${endpoint.id}:disable`);
    expect(await own.api.post(`${base}/${endpoint.id}:test`)).toMatchObject({ status: 410 });
  });

  test('a storm of refusals is a few events and a count that adds up', async () => {
    const victim = await freshTenant(credentials, 'webhooks-storm');
    const endpoints = `${credentials.urls.webhookIngress}/v1/tenants/${victim.tenant.id}/webhook-endpoints`;
    const endpoint = await victim.api.post<Endpoint>(endpoints, { connectorId: 'partner' });
    const forged = await Promise.all(
      Array.from({ length: 150 }, () =>
        deliver(endpoint, { secret: `whsec_${Buffer.alloc(32, 2).toString('base64')}` }),
      ),
    );
    expect(new Set(forged.map(({ status }) => status))).toEqual(new Set([401]));
    const tallied = await own.api.send('GET', `${base}/${endpoint.id}/tallies`);
    expect(tallied.status).toBe(404);
    const counted = (events: { type: string; details: Record<string, unknown> }[]) =>
      events
        .filter(({ type }) => type === 'delivery.rejected')
        .reduce((sum, { details }) => sum + Number(details['count'] ?? 1), 0);
    const log = await eventually(
      'refusals that add up',
      async () => {
        const found = await readLog(victim.api, credentials, victim.tenant);
        return counted(found) === 150 ? found : null;
      },
      90_000,
    );
    expect(log.filter(({ type }) => type === 'delivery.rejected').length).toBeLessThanOrEqual(22);
  }, 120_000);
});

/** A request byte by byte: what fetch would not send. Resolves with the whole answer. */
function raw(
  url: string,
  headers: readonly (readonly [string, string])[],
  body: string,
  withinMs = 5_000,
): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), withinMs);
    const length = headers.some(([name]) => name === 'content-length')
      ? []
      : [['content-length', String(Buffer.byteLength(body))] as const];
    const lines = [
      `POST ${pathname} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      'connection: close',
      ...[...headers, ...length].map(([name, value]) => `${name}: ${value}`),
    ];
    socket.on('data', data => {
      answer += data.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  });
}
