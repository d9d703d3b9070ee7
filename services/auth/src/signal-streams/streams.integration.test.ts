// Security events to relying parties, over HTTP, by what the plans of the OpenID Foundation for transmitters look at
// (standards.md 4.4): configuration, status, verification, subjects, delivery by poll and by push; and that nobody is
// told of another tenant, or by another application's stream.
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, type Id, newId, type TenantId } from '@reeve/contracts';
import { type EventReader, eventually, listen, readEvents } from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

const push = 'urn:ietf:rfc:8935';
const poll = 'urn:ietf:rfc:8936';
const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const risc = 'https://schemas.openid.net/secevent/risc/event-type';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type';

type Config = {
  stream_id: string;
  iss: string;
  aud: string;
  events_delivered: string[];
  delivery: { method: string; endpoint_url: string };
  code?: string;
  errors?: { field: string }[];
};
type Polled = { sets: Record<string, string>; moreAvailable?: boolean };

let auth: Auth;
let events: EventReader;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let tenantId: TenantId;
let slug: string;
let application: Application;

/** A receiver by push, which answers as a test says. */
async function startReceiver() {
  const heard: { token: string; authorization: string | undefined; type: string | undefined; url: string }[] = [];
  let answer: (url: string) => { status: number; body?: object } = () => ({ status: 202 });
  const server = createServer((request, response) => {
    let token = '';
    request.on('data', chunk => {
      token += String(chunk);
    });
    request.on('end', () => {
      const { authorization, 'content-type': type } = request.headers;
      const url = request.url ?? '';
      heard.push({ token, authorization, type, url });
      const { status, body } = answer(url);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body ? JSON.stringify(body) : '');
    });
  });
  return {
    ...(await listen(server)),
    of: (url: string) => heard.filter(one => one.url === url),
    answers(as: typeof answer) {
      answer = as;
    },
  };
}

beforeAll(async () => {
  receiver = await startReceiver();
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: receiver.url });
  events = await readEvents('reeve.auth.v1');
  ({ tenantId, slug } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId);
}, 60_000);
afterAll(async () => {
  await Promise.all([events.stop(), receiver.stop()]);
  await auth.stop();
});

const newMachine = (of: TenantId = tenantId, settings: object = {}) =>
  auth.newApplication(of, { kind: 'machine', grantTypes: ['client_credentials'], redirectUris: [], ...settings });

async function tokenOf(machine: Application, scope = 'ssf.manage'): Promise<string> {
  const { status, body } = await auth.token(machine, { grant_type: 'client_credentials', scope, resource: auth.url });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body['access_token'] ?? '';
}

/** A receiver with a stream of its own. */
async function newStream(config: object = {}, of: TenantId = tenantId) {
  const machine = await newMachine(of);
  const as = await tokenOf(machine);
  const { status, body } = await auth.ask<Config>('POST', '/ssf/streams', { as, body: config });
  if (status !== 201) throw new Error(JSON.stringify(body));
  const ask = <T = Config>(method: string, path: string, more: object = {}) =>
    auth.ask<T>(method, path, { as, ...more });
  const polled = async (body: object = {}) => {
    const answer = await ask<Polled>('POST', `/ssf/poll/${config_id}`, { body: { returnImmediately: true, ...body } });
    return answer.body;
  };
  const config_id = body.stream_id;
  /** Waits until there are so many, and does not say that they have come. */
  const waiting = (count: number) =>
    eventually(`${count} events`, async () => {
      const { sets } = await polled();
      return Object.keys(sets).length >= count
        ? Promise.all(Object.values(sets).map(token => read(token, machine.id)))
        : undefined;
    });
  return { machine, as, id: body.stream_id, config: body, ask, polled, waiting };
}

/** As a receiver does it. */
async function read(
  token: string,
  audience: string,
): Promise<JWTPayload & { uri: string; event: Record<string, unknown> }> {
  const keys = createRemoteJWKSet(new URL(`${auth.url}/jwks`));
  const { payload } = await jwtVerify(token, keys, {
    issuer: auth.url,
    audience,
    typ: 'secevent+jwt',
    algorithms: ['RS256'],
    requiredClaims: ['iat', 'jti', 'events', 'sub_id', 'txn'],
  });
  for (const name of ['sub', 'exp']) expect(payload).not.toHaveProperty(name);
  const said = Object.entries(payload['events'] as Record<string, Record<string, unknown>>);
  expect(said).toHaveLength(1);
  const [uri, event] = said[0] ?? ['', {}];
  return { ...payload, uri, event };
}

async function signIn(sub: string = newId('request')) {
  auth.provider.is({ sub });
  const { claims } = await auth.signIn(application);
  return { sid: String(claims['sid']), userId: claims.sub as Id<'user'> };
}
const terminate = async (sid: string, at = tenantId) =>
  auth.ask('POST', `/v1/tenants/${at}/sessions/${sid}:terminate`, { as: await auth.asPlatform() });
const person = (userId: string) => ({ format: 'iss_sub', iss: auth.url, sub: userId });

const announced = {
  deactivated: (id: Id<'user'>) =>
    auth.announce(
      tenantId,
      event('user.deactivated', {
        id,
        because: 'requested',
        details: { email: null, source: 'admin', cause: 'requested' },
      }),
    ),
  reactivated: (id: Id<'user'>) =>
    auth.announce(
      tenantId,
      event('user.reactivated', {
        id,
        because: 'requested',
        details: { email: null, source: 'admin', cause: 'requested' },
      }),
    ),
};

describe('openid-ssf-transmitter-test-plan', () => {
  test('the metadata leads to everything', async () => {
    const { body } = await auth.ask<Record<string, unknown>>('GET', '/.well-known/ssf-configuration');
    expect(body).toMatchObject({
      spec_version: '1_0',
      issuer: auth.url,
      delivery_methods_supported: [push, poll],
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
      default_subjects: 'ALL',
    });
    for (const [name, url] of Object.entries(body))
      if (/_endpoint$|_uri$/.test(name)) expect(String(url).startsWith(`${auth.url}/`)).toBe(true);
  });

  test('a stream is created, read, changed, replaced and deleted', async () => {
    const { id, config, ask, machine } = await newStream({
      events_requested: [`${caep}/session-revoked`, 'urn:unknown'],
    });
    expect(config).toMatchObject({
      iss: auth.url,
      aud: machine.id,
      events_requested: [`${caep}/session-revoked`, 'urn:unknown'],
      events_delivered: [`${caep}/session-revoked`],
      delivery: { method: poll, endpoint_url: `${auth.url}/ssf/poll/${id}` },
      min_verification_interval: 60,
    });
    expect((await ask('GET', `/ssf/streams?stream_id=${id}`)).body).toEqual(config);
    expect((await ask('GET', '/ssf/streams')).body).toEqual([config]);
    expect(await ask('POST', '/ssf/streams', { body: {} })).toMatchObject({
      status: 409,
      body: { code: 'signal_stream_exists' },
    });
    const patched = await ask('PATCH', '/ssf/streams', { body: { stream_id: id, description: 'ours', iss: auth.url } });
    expect(patched.body).toEqual({ ...config, description: 'ours' });
    const replaced = await ask('PUT', '/ssf/streams', { body: { stream_id: id, delivery: { method: poll } } });
    expect(replaced.body.events_delivered.length).toBeGreaterThan(3);
    expect(replaced.body).not.toHaveProperty('description');
    for (const body of [
      { stream_id: id, iss: 'https://other.example' },
      { stream_id: id, aud: 'another' },
      { stream_id: id, unknown: true },
      { description: 'which' },
    ])
      expect((await ask('PATCH', '/ssf/streams', { body })).status).toBe(400);
    expect((await ask('DELETE', `/ssf/streams?stream_id=${id}`)).status).toBe(204);
    expect((await ask('GET', `/ssf/streams?stream_id=${id}`)).status).toBe(404);
    expect((await ask('GET', '/ssf/streams')).body).toEqual([]);
    const told = events.of(tenantId).filter(({ data }) => data.target.id === id);
    await eventually('the record', () =>
      events.of(tenantId).some(one => one.type === 'signal_stream.deleted' && one.data.target.id === id),
    );
    expect(told.every(({ data }) => data.actor.id === machine.id)).toBe(true);
    expect((await ask('POST', '/ssf/streams', { body: {} })).status).toBe(201);
  });

  test('verification says what it was asked to say, and not again at once', async () => {
    const { id, ask, waiting } = await newStream();
    const body = { stream_id: id, state: 'a state' };
    expect((await ask('POST', '/ssf/verification', { body })).status).toBe(204);
    const [said] = await waiting(1);
    expect(said).toMatchObject({
      uri: `${ssf}/verification`,
      event: { state: 'a state' },
      sub_id: { format: 'opaque', id },
    });
    const again = await ask('POST', '/ssf/verification', { body });
    expect([again.status, Number(again.headers.get('retry-after')) > 0]).toEqual([429, true]);
  });

  test('paused it keeps what comes, disabled it forgets it, and enabled it delivers', async () => {
    const { id, ask, polled, waiting } = await newStream();
    const set = (status: string) => ask('POST', '/ssf/status', { body: { stream_id: id, status, reason: 'a test' } });
    expect((await set('paused')).body).toEqual({ stream_id: id, status: 'paused', reason: 'a test' });
    const { sid } = await signIn();
    await terminate(sid);
    await events.seen(tenantId, 'session.revoked', sid);
    expect((await polled()).sets).toEqual({});
    await set('enabled');
    expect((await ask('GET', `/ssf/status?stream_id=${id}`)).body).toMatchObject({ status: 'enabled' });
    expect(await waiting(1)).toMatchObject([{ sub_id: { session: { id: sid } } }]);
    await set('disabled');
    await set('enabled');
    expect((await polled()).sets).toEqual({});
    expect((await set('asleep')).status).toBe(400);
  });

  test('a person who is removed is not told of, until they are added again', async () => {
    const { id, ask, waiting } = await newStream();
    const [one, another] = [await signIn(), await signIn()];
    const subject = person(one.userId);
    expect((await ask('POST', '/ssf/subjects/remove', { body: { stream_id: id, subject } })).status).toBe(204);
    // What nobody is, is no error.
    const nobody = { format: 'email', email: 'nobody@acme.example' };
    expect((await ask('POST', '/ssf/subjects/remove', { body: { stream_id: id, subject: nobody } })).status).toBe(204);
    await terminate(one.sid);
    await terminate(another.sid);
    const told = await waiting(1);
    expect(told.map(({ sub_id }) => sub_id)).toMatchObject([{ user: person(another.userId) }]);
    expect((await ask('POST', '/ssf/subjects/add', { body: { stream_id: id, subject } })).status).toBe(200);
    await announced.deactivated(one.userId);
    expect((await waiting(2)).map(({ uri }) => uri)).toContain(`${risc}/account-disabled`);
  });

  test('by poll, what waits comes again until it is said to have come, and of another stream nothing is taken away', async () => {
    const [mine, theirs] = [await newStream(), await newStream()];
    const { sid } = await signIn();
    await terminate(sid);
    const [[one], [other]] = [await mine.waiting(1), await theirs.waiting(1)];
    expect(one?.jti).toBe(other?.jti);
    const sets = (await mine.polled()).sets;
    expect((await mine.polled()).sets).toEqual(sets);
    expect((await mine.polled({ maxEvents: 0 })).sets).toEqual({});
    expect((await mine.polled({ ack: ['another', one?.jti] })).sets).toEqual({});
    expect(Object.keys((await theirs.polled()).sets)).toEqual([other?.jti]);
    expect((await theirs.polled({ setErrs: { [String(other?.jti)]: { err: 'invalid_request' } } })).sets).toEqual({});
  });

  test('by poll, more are said to be there, and one that waits gets what comes', async () => {
    const { ask, id, waiting, polled } = await newStream();
    const ended = [await signIn(), await signIn(), await signIn()];
    for (const { sid } of ended) await terminate(sid);
    await waiting(3);
    const first = await polled({ maxEvents: 2 });
    expect([Object.keys(first.sets).length, first.moreAvailable]).toEqual([2, true]);
    const rest = await polled({ ack: Object.keys(first.sets) });
    expect([Object.keys(rest.sets).length, rest.moreAvailable]).toEqual([1, undefined]);
    const long = ask<Polled>('POST', `/ssf/poll/${id}`, { body: { ack: Object.keys(rest.sets) } });
    const later = await signIn();
    await terminate(later.sid);
    expect(Object.keys((await long).body.sets)).toHaveLength(1);
  });

  test('by poll, one that waits gets nothing of a stream that is paused or gone meanwhile', async () => {
    const [paused, gone] = [await newStream(), await newStream()];
    const polls = [paused, gone].map(({ ask, id }) => ask<Polled>('POST', `/ssf/poll/${id}`, { body: {} }));
    await paused.ask('POST', '/ssf/status', { body: { stream_id: paused.id, status: 'paused' } });
    expect((await gone.ask('DELETE', `/ssf/streams?stream_id=${gone.id}`)).status).toBe(204);
    const { sid } = await signIn();
    await terminate(sid);
    const [ofPaused, ofGone] = await Promise.all(polls);
    expect(ofPaused).toMatchObject({ status: 200, body: { sets: {} } });
    expect(ofGone?.status).toBe(404);
  }, 40_000);
});

describe('openid-ssf-transmitter-caep-test-plan', () => {
  test('a second factor that comes or goes is told, and codes on paper are not', async () => {
    const { waiting } = await newStream();
    const { userId } = await signIn();
    const factor = (type: 'mfa_factor.enrolled' | 'mfa_factor.removed', kind: string) =>
      auth.announce(tenantId, event(type, { id: newId('factor'), because: 'requested', details: { userId, kind } }));
    await factor('mfa_factor.enrolled', 'recovery_codes');
    await factor('mfa_factor.enrolled', 'totp');
    await waiting(1);
    await factor('mfa_factor.removed', 'passkey');
    const told = await waiting(2);
    expect(told.map(({ uri, event: { credential_type: type, change_type: change } }) => [uri, type, change])).toEqual([
      [`${caep}/credential-change`, 'app', 'create'],
      [`${caep}/credential-change`, 'fido2-platform', 'delete'],
    ]);
    expect(told[0]).toMatchObject({ sub_id: person(userId), event: { reason_admin: { en: 'requested' } } });
  });

  test('other groups are told, with those that the person is in then', async () => {
    const { waiting } = await newStream();
    const { userId } = await signIn();
    const [support, sales] = [newId('group'), newId('group')];
    const change = (type: 'membership.added' | 'membership.removed', id: typeof sales) =>
      auth.announce(tenantId, event(type, { id, because: 'requested', details: { userId } }));
    await change('membership.added', support);
    await waiting(1);
    await change('membership.added', sales);
    await waiting(2);
    await change('membership.removed', support);
    const told = await waiting(3);
    expect(told.map(({ event: { claims } }) => claims)).toEqual([
      { groups: [support] },
      { groups: [support, sales] },
      { groups: [sales] },
    ]);
    expect(told[0]).toMatchObject({ uri: `${caep}/token-claims-change`, sub_id: person(userId) });
  });

  test('the end of a session, of an account, and other roles are told, with who and why', async () => {
    const { waiting } = await newStream();
    const { sid, userId } = await signIn();
    const assigned = event('role.assigned', {
      id: userId,
      because: 'requested',
      details: { userId, role: 'tenant_admin' },
    });
    await auth.announce(tenantId, assigned);
    await waiting(1);
    await announced.deactivated(userId);
    await waiting(3);
    await announced.reactivated(userId);
    const told = await waiting(4);
    const of = (uri: string) => told.find(one => one.uri === uri);
    expect(of(`${caep}/token-claims-change`)).toMatchObject({
      sub_id: person(userId),
      event: { claims: { roles: ['tenant_member', 'tenant_admin'] } },
    });
    expect(of(`${caep}/session-revoked`)).toMatchObject({
      sub_id: { format: 'complex', user: person(userId), session: { format: 'opaque', id: sid } },
      event: {
        event_timestamp: expect.any(Number),
        initiating_entity: 'system',
        reason_admin: { en: 'user_deactivated' },
      },
    });
    for (const uri of [`${risc}/account-disabled`, `${risc}/account-enabled`])
      expect(of(uri)).toMatchObject({ sub_id: person(userId) });
    expect(new Set(told.map(({ jti }) => jti)).size).toBe(4);
  });

  test('a stream is told of what it has asked for alone', async () => {
    const { waiting, polled } = await newStream({ events_requested: [`${risc}/account-disabled`] });
    const { sid, userId } = await signIn();
    await terminate(sid);
    await events.seen(tenantId, 'session.revoked', sid);
    await announced.deactivated(userId);
    expect((await waiting(1)).map(({ uri }) => uri)).toEqual([`${risc}/account-disabled`]);
    expect(Object.keys((await polled()).sets)).toHaveLength(1);
  });

  test('by push it comes within a second or two, in order, with the header of the receiver', async () => {
    const url = `${receiver.url}/in-order`;
    const { machine, config, ask, id } = await newStream({
      delivery: { method: push, endpoint_url: url, authorization_header: 'Bearer theirs' },
    });
    expect(config.delivery).toEqual({ method: push, endpoint_url: url });
    const ended = [await signIn(), await signIn()];
    const began = performance.now();
    for (const { sid } of ended) await terminate(sid);
    const heard = () => receiver.of('/in-order');
    await eventually('both', () => heard().length === 2);
    expect(performance.now() - began).toBeLessThan(5_000);
    const said = await Promise.all(heard().map(({ token }) => read(token, machine.id)));
    expect(said.map(({ sub_id }) => (sub_id as { session: { id: string } }).session.id)).toEqual(
      ended.map(({ sid }) => sid),
    );
    for (const { authorization, type } of heard())
      expect([authorization, type]).toEqual(['Bearer theirs', 'application/secevent+jwt']);
    // To another address the header of this one is not sent.
    const moved = { stream_id: id, delivery: { method: push, endpoint_url: `${receiver.url}/moved` } };
    expect((await ask('PATCH', '/ssf/streams', { body: moved })).status).toBe(200);
    const { sid } = await signIn();
    await terminate(sid);
    await eventually('the move', () => receiver.of('/moved').length === 1);
    expect(receiver.of('/moved')[0]?.authorization).toBeUndefined();
  });

  test('nothing is lost while the receiver is away, and what it refuses for good does not hold up the rest', async () => {
    const path = '/away';
    let status = 503;
    receiver.answers(url => (url === path ? { status, body: { err: 'invalid_request' } } : { status: 202 }));
    const { machine } = await newStream({ delivery: { method: push, endpoint_url: receiver.url + path } });
    const first = await signIn();
    await terminate(first.sid);
    await eventually('an attempt', () => receiver.of(path).length > 0);
    const second = await signIn();
    await terminate(second.sid);
    await events.seen(tenantId, 'session.revoked', second.sid);
    status = 202;
    const taken = async () => {
      const said = await Promise.all(receiver.of(path).map(({ token }) => read(token, machine.id)));
      return said.map(({ sub_id }) => (sub_id as { session: { id: string } }).session.id);
    };
    await eventually('both', async () => (await taken()).includes(second.sid), 15_000);
    // In order, and the first by the same id each time.
    const order = [...new Set(await taken())];
    expect(order).toEqual([first.sid, second.sid]);
    const ids = receiver.of(path).map(({ token }) => decodeJwt(token).jti);
    expect(new Set(ids).size).toBe(2);
    status = 400;
    const third = await signIn();
    await terminate(third.sid);
    await eventually('the refusal', async () => (await taken()).includes(third.sid));
    status = 202;
    const fourth = await signIn();
    await terminate(fourth.sid);
    await eventually('the next', async () => (await taken()).includes(fourth.sid), 15_000);
    expect((await taken()).filter(one => one === third.sid)).toHaveLength(1);
    receiver.answers(() => ({ status: 202 }));
  });
});

describe('nobody else', () => {
  test('is told of a tenant, or reads, changes, polls or deletes the stream of another application', async () => {
    const own = await newStream();
    const sibling = await newStream();
    const other = await auth.newTenant();
    const foreign = await newStream({}, other.tenantId);
    const { sid } = await signIn();
    await terminate(sid);
    await own.waiting(1);
    expect((await foreign.polled()).sets).toEqual({});
    for (const { ask } of [sibling, foreign]) {
      const body = { stream_id: own.id };
      const subject = person(newId('user'));
      for (const [method, path, more] of [
        ['GET', `/ssf/streams?stream_id=${own.id}`, undefined],
        ['PATCH', '/ssf/streams', { ...body, description: 'x' }],
        ['PUT', '/ssf/streams', body],
        ['DELETE', `/ssf/streams?stream_id=${own.id}`, undefined],
        ['GET', `/ssf/status?stream_id=${own.id}`, undefined],
        ['POST', '/ssf/status', { ...body, status: 'paused' }],
        ['POST', '/ssf/subjects/add', { ...body, subject }],
        ['POST', '/ssf/subjects/remove', { ...body, subject }],
        ['POST', '/ssf/verification', body],
        ['POST', `/ssf/poll/${own.id}`, { returnImmediately: true }],
      ] as const)
        expect([path, (await ask(method, path, more ? { body: more } : {})).status]).toEqual([path, 404]);
    }
    expect((await own.ask('GET', `/ssf/streams?stream_id=${own.id}`)).status).toBe(200);
  });

  test('has a say by another scope: who reads does not change, and neither reaches anything else', async () => {
    const machine = await newMachine();
    const [manage, readOnly] = [await tokenOf(machine), await tokenOf(machine, 'ssf.read')];
    const create = (as: string) => auth.ask('POST', '/ssf/streams', { as, body: {} });
    expect([(await create(readOnly)).status, (await create(manage)).status]).toEqual([403, 201]);
    expect((await auth.ask('GET', '/ssf/streams', { as: readOnly })).status).toBe(200);
    for (const as of [manage, readOnly])
      for (const path of ['sessions', 'applications', 'signal-streams'])
        expect([path, (await auth.ask('GET', `/v1/tenants/${tenantId}/${path}`, { as })).status]).toEqual([path, 403]);
    const limited = await tokenOf(await newMachine(tenantId, { areas: ['webhooks'] }), `tenant:${slug}`);
    expect((await create(limited)).status).toBe(403);
    // Whoever acts for all tenants has none of its own to be told of.
    const ofPlatform = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    await expect(tokenOf(ofPlatform)).rejects.toThrow('invalid_scope');
    expect((await create(await auth.asPlatform())).status).toBe(404);
  });

  test('is pushed to inside the network', async () => {
    const as = await tokenOf(await newMachine());
    for (const url of [
      'http://127.0.0.1:1/x',
      'https://169.254.169.254/',
      'http://example.com/',
      'https://u:p@example.com/',
    ]) {
      const delivery = { method: push, endpoint_url: url };
      const refused = await auth.ask<Config>('POST', '/ssf/streams', { as, body: { delivery } });
      expect([url, refused.status, refused.body.errors?.[0]?.field]).toEqual([url, 400, 'delivery.endpoint_url']);
    }
    const delivery = { method: push, endpoint_url: `${receiver.url}/ok` };
    expect((await auth.ask('POST', '/ssf/streams', { as, body: { delivery } })).status).toBe(201);
  });

  test('is told once the application is gone', async () => {
    const path = '/gone';
    const { machine, id } = await newStream({ delivery: { method: push, endpoint_url: receiver.url + path } });
    const before = await signIn();
    await terminate(before.sid);
    await eventually('it works', () => receiver.of(path).length === 1);
    await auth.ask('DELETE', `/v1/tenants/${tenantId}/applications/${machine.id}`, { as: await auth.asPlatform() });
    await eventually('its end', () =>
      events.of(tenantId).some(one => one.type === 'signal_stream.deleted' && one.data.target.id === id),
    );
    const after = await signIn();
    const witness = await newStream();
    await terminate(after.sid);
    await witness.waiting(1);
    expect(receiver.of(path)).toHaveLength(1);
  });
});
