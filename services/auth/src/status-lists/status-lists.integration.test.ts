// A verifier that has neither Kafka nor a connection to us: it reads the list that a token names, and learns of that
// token's session alone.
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type Revocation, serviceCause } from '@reeve/contracts';
import { DuplicateKeyError, openStore, type Store } from '@reeve/store';
import { engines, eventually } from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { type Session, sessions as sessionsOf } from '../sessions/session.ts';
import { placesInList } from './status-list.ts';
import { createStatusLists, statusLists as statusListsOf } from './status-lists.ts';

type Reference = { idx: number; uri: string };

let auth: Auth;
let application: Application;
let tenant: { tenantId: `ten_${string}`; slug: string };

beforeAll(async () => {
  auth = await startAuth();
  tenant = await auth.newTenant();
  await auth.newConnection(tenant.tenantId);
  application = await auth.newApplication(null);
}, 60_000);
afterAll(() => auth.stop());

let count = 0;
async function newApi(settings: object = { statusList: true }) {
  count += 1;
  const identifier = `https://edge${count}.myproduct.example`;
  const { status, body } = await auth.ask<{ id: string; errors?: { field: string }[] }>(
    'POST',
    '/v1/resource-servers',
    {
      as: await auth.asPlatform(),
      body: { name: 'Edge', identifier, scopes: [{ name: 'read' }], ...settings },
    },
  );
  return { status, body, identifier };
}

async function signIn(resource: string, at = tenant) {
  auth.provider.is({ sub: newId('request') });
  const { claims, tokens } = await auth.signIn(application, { tenant: at.slug, resource, scope: 'openid read' });
  const said = decodeJwt(tokens['access_token'] ?? '');
  const { status_list: reference } = (said['status'] ?? {}) as { status_list?: Reference };
  return { sid: String(claims['sid']), reference: reference as Reference, said, tokens };
}

const keys = () => createRemoteJWKSet(new URL(`${auth.url}/jwks`));

/** As a verifier does it, from the reference in a token on. */
async function look({ idx, uri }: Reference): Promise<0 | 1> {
  const answer = await fetch(uri, { headers: { accept: 'application/statuslist+jwt' } });
  expect(answer.headers.get('content-type')).toContain('application/statuslist+jwt');
  const { payload } = await jwtVerify(await answer.text(), keys(), {
    typ: 'statuslist+jwt',
    algorithms: ['ES256'],
    subject: uri,
    requiredClaims: ['iat', 'exp', 'ttl', 'status_list'],
  });
  const { bits, lst } = payload['status_list'] as { bits: number; lst: string };
  const bytes = inflateSync(Buffer.from(lst, 'base64url'));
  expect([bits, bytes.length * 8, payload['ttl']]).toEqual([1, placesInList, 5]);
  expect(idx).toBeLessThan(placesInList);
  return (((bytes[idx >> 3] ?? 0) >> (idx & 7)) & 1) as 0 | 1;
}

const terminate = async (sid: string, at = tenant) =>
  auth.ask('POST', `/v1/tenants/${at.tenantId}/sessions/${sid}:terminate`, { as: await auth.asPlatform() });

describe('a token of an API with a status list', () => {
  test('names a place that says within a second that its session is over, and nothing of another', async () => {
    const { identifier } = await newApi();
    const [one, another] = [await signIn(identifier), await signIn(identifier)];
    expect([await look(one.reference), await look(another.reference)]).toEqual([0, 0]);
    const began = performance.now();
    await terminate(one.sid);
    await eventually('the bit', async () => (await look(one.reference)) === 1);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await look(another.reference)).toBe(0);
  });

  test('keeps its place when it is refreshed, for all APIs; another session has another, not the next', async () => {
    const [first, second] = [await newApi(), await newApi()];
    const one = await signIn(first.identifier);
    const fresh = await auth.refresh(application, one.tokens['refresh_token'] ?? '');
    expect(decodeJwt(fresh.body['access_token'] ?? '')['status']).toEqual(one.said['status']);
    const others = [];
    for (let times = 0; times < 5; times += 1) others.push((await signIn(second.identifier)).reference.idx);
    const all = [one.reference.idx, ...others];
    expect(new Set(all).size).toBe(all.length);
    expect(all.toSorted((a, b) => a - b)).not.toEqual(all);
  });

  test('shares its list with other tenants, so that the list says nothing of whose it is', async () => {
    const { identifier } = await newApi();
    const other = await auth.newTenant();
    await auth.newConnection(other.tenantId);
    const [mine, theirs] = [await signIn(identifier), await signIn(identifier, other)];
    expect(mine.reference.uri).toBe(theirs.reference.uri);
    for (const { tenantId, slug } of [tenant, other])
      expect([mine.reference.uri.includes(tenantId), mine.reference.uri.includes(slug)]).toEqual([false, false]);
    await terminate(theirs.sid, other);
    await eventually('theirs', async () => (await look(theirs.reference)) === 1);
    expect(await look(mine.reference)).toBe(0);
  });

  test('an API without one has tokens without a place, as have machines; it is nothing for opaque tokens', async () => {
    const { identifier } = await newApi({});
    expect((await signIn(identifier)).said).not.toHaveProperty('status');
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const withList = await newApi();
    const asked = {
      grant_type: 'client_credentials',
      resource: withList.identifier,
      scope: `tenant:${tenant.slug} read`,
    };
    const { body } = await auth.token(machine, asked);
    expect(decodeJwt(body['access_token'] ?? '')).not.toHaveProperty('status');
    const refused = await newApi({ statusList: true, format: 'opaque' });
    expect([refused.status, refused.body.errors?.[0]?.field]).toEqual([400, 'statusList']);
    const changed = await auth.ask('PATCH', `/v1/resource-servers/${withList.body.id}`, {
      as: await auth.asPlatform(),
      body: { format: 'opaque' },
    });
    expect(changed.status).toBe(400);
  });
});

describe('the list', () => {
  const get = (uri: string, headers: Record<string, string> = {}) => fetch(uri, { headers });

  test('is for everybody and every origin, in the form that is offered, and once a second', async () => {
    const { reference } = await signIn((await newApi()).identifier);
    const answer = await get(reference.uri, { origin: 'https://anybody.example' });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=1');
    const text = await answer.text();
    expect(text.split('.')).toHaveLength(3);
    const etag = answer.headers.get('etag') ?? '';
    const again = await get(reference.uri, { 'if-none-match': etag });
    // It may have been written anew between the two.
    if (again.headers.get('etag') === etag) expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await get(reference.uri, { 'if-none-match': '"another"' })).status).toBe(200);
    const { iat = 0, exp = 0 } = decodeJwt(text);
    expect([Math.abs(iat - Date.now() / 1_000) < 10, exp - iat]).toEqual([true, 60]);
  });

  test.each([
    ['application/statuslist+cwt', 406, 'not_acceptable'],
    ['application/json', 406, 'not_acceptable'],
  ])('is not there as %s', async (accept, status, code) => {
    const { reference } = await signIn((await newApi()).identifier);
    const answer = await get(reference.uri, { accept });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    expect((await get(reference.uri, { accept: '*/*' })).status).toBe(200);
  });

  test('is not there for another time, and there is none that nobody has a place in', async () => {
    const { reference } = await signIn((await newApi()).identifier);
    const answer = await get(`${reference.uri}?time=1700000000`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      501,
      'status_history_not_offered',
    ]);
    for (const id of ['x', 'A'.repeat(22), '..%2fjwks', `${reference.uri.slice(-22)}A`])
      expect((await get(`${auth.url}/status-lists/${id}`)).status).toBe(404);
  });

  test('is nothing that is taken for an access token, nor is an access token taken for it', async () => {
    const { reference, tokens } = await signIn((await newApi()).identifier);
    const list = await (await get(reference.uri)).text();
    expect((await auth.ask('GET', '/v1/me/sessions', { as: list })).status).toBe(401);
    await expect(jwtVerify(tokens['access_token'] ?? '', keys(), { typ: 'statuslist+jwt' })).rejects.toThrow();
  });
});

describe('places', () => {
  let store: Store;
  beforeAll(async () => {
    const contents = { collections: [sessionsOf], platformRecords: [statusListsOf] };
    const database = `places_${Date.now().toString(36)}`;
    store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
    await store.prepare();
  });
  afterAll(() => store.close());

  function at(now: () => Date) {
    let hear: (one: Revocation) => void = () => {};
    const lists = createStatusLists({
      records: store.platformRecords(statusListsOf),
      standing: {
        follow(listener) {
          hear = listener;
          return () => {};
        },
      },
      issuer: 'https://auth.example',
      secret: 'a secret',
      clock: { now } as never,
    });
    return { lists, hear: (one: Revocation) => hear(one) };
  }
  const taken = () => Promise.reject(new DuplicateKeyError('statusList'));
  const placeIn = ({ lists }: ReturnType<typeof at>) => lists.withPlace(place => Promise.resolve(place));
  const over = (statusList: { id: string; index: number }, until: Date): Revocation => ({
    kind: 'session',
    id: newId('session'),
    userId: newId('user'),
    statusList,
    until: until.toISOString(),
  });

  test('are in the same list at each instance, in another one on the next day, and in the next where it is full', async () => {
    let now = new Date('2026-11-27T12:00:00Z');
    const [one, other] = [at(() => now), at(() => now)];
    const { id } = await placeIn(one);
    expect((await placeIn(other)).id).toBe(id);
    let tries = 0;
    const next = await one.lists.withPlace(place => (tries++ < 4 ? taken() : Promise.resolve(place)));
    expect(next.id).not.toBe(id);
    expect((await placeIn(one)).id).toBe(next.id);
    expect((await placeIn(other)).id).toBe(id);
    now = new Date('2026-11-28T00:00:01Z');
    expect([id, next.id]).not.toContain((await placeIn(one)).id);
    // Sessions of the day before go on.
    expect(await one.lists.overIn(id)).not.toBeNull();
    await expect(one.lists.withPlace(taken)).rejects.toThrow('the unique key "statusList" is taken');
    await expect(one.lists.withPlace(() => Promise.reject(new Error('another')))).rejects.toThrow('another');
  });

  test('are of one session, by the key of its own document, whichever tenant it is of', async () => {
    const state = { statusList: { id: 'list', index: 7 }, expiresAt: new Date(Date.now() + 60_000).toISOString() };
    const create = (index: number) =>
      store
        .collection(sessionsOf)
        .in(newId('tenant'))
        .create(
          newId('session'),
          { state: { ...state, statusList: { ...state.statusList, index } } as Session, events: [] },
          serviceCause('auth', { correlationId: 'a test' }),
        );
    expect(await create(7)).not.toBeNull();
    await expect(create(7)).rejects.toMatchObject({ name: 'DuplicateKeyError', unique: 'statusList' });
    const one = at(() => new Date());
    let index = 7;
    const { id } = await one.lists.withPlace(async () => (await create(index++)) ?? Promise.reject(new Error('none')));
    expect([id.startsWith('ses_'), index]).toEqual([true, 9]);
  });

  test('are over until their session has expired, and not given to another one until then', async () => {
    let now = new Date('2026-11-27T12:00:00Z');
    const one = at(() => now);
    const place = await placeIn(one);
    const until = new Date('2026-11-27T13:00:00Z');
    const before = (await one.lists.overIn(place.id)) ?? [];
    expect([before.includes(place.index), before.length > 0]).toEqual([false, true]);
    one.hear(over(place, until));
    expect(await one.lists.overIn(place.id)).toContain(place.index);
    one.hear({ ...over(place, until), statusList: undefined } as never);
    now = until;
    expect(await one.lists.overIn(place.id)).not.toContain(place.index);
    // Decoys seem to be over one after the other, as sessions are.
    expect((await one.lists.overIn(place.id))?.length).toBeGreaterThan(before.length);
  });
});
