// What a client may be, and that what it may do ends when it is said to end.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, type Id, newId, type TenantId } from '@reeve/contracts';
import { eventually } from '@reeve/testing';
import { decodeJwt } from 'jose';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let tenantId: TenantId;

beforeAll(async () => {
  auth = await startAuth();
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
}, 60_000);
afterAll(() => auth.stop());

type Answer = { code?: string; errors?: { field: string }[]; clientId: Id<'client'>; clientSecret: string | null };
const path = (id = '') => `/v1/tenants/${tenantId}/clients${id === '' ? '' : `/${id}`}`;
const ask = async (method: string, url: string, body?: object, headers: Record<string, string> = {}) =>
  auth.ask<Answer>(method, url, { as: await auth.asPlatform(), headers, ...(body ? { body } : {}) });
const machine = () => auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
const getToken = (client: Application, more: Record<string, string> = {}) =>
  auth.token(client, { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url, ...more });
const use = async (client: Application) => {
  const { body } = await getToken(client);
  return async () => (await auth.ask('GET', path(), { as: body['access_token'] ?? '' })).status;
};
/** A token says the second that it was made in; what is revoked are those of the seconds before. */
const nextSecond = () => new Promise(resolve => setTimeout(resolve, 1_050));

describe('a redirect URI', () => {
  test.each([
    'http://localhost:x@evil.example/cb',
    'http://localhost.evil.example/cb',
    'http://127.0.0.1@evil.example/',
    'http://evil.example/cb',
    'https://user:password@app.example/cb',
    'https://app.example/cb#fragment',
    'javascript:alert(1)',
    'data:text/html,x',
    'custom-scheme://cb',
    '/relative',
  ])('%s is refused by name', async uri => {
    const body = { name: 'x', grantTypes: ['authorization_code'], redirectUris: [uri] };
    const refused = await ask('POST', path(), body);
    expect(refused).toMatchObject({
      status: 400,
      body: {
        code: 'input_invalid',
        errors: expect.arrayContaining([expect.objectContaining({ field: 'redirectUris.0' })]),
      },
    });
  });

  test.each(['https://app.example/cb?x=1', 'http://localhost:3000/cb', 'http://127.0.0.1/cb', 'http://[::1]:3000/cb'])(
    '%s is taken',
    async uri => {
      const body = { name: 'x', grantTypes: ['authorization_code'], redirectUris: [uri] };
      expect((await ask('POST', path(), body)).status).toBe(201);
    },
  );

  test('has to be said, be it the only one, and as it was registered', async () => {
    const app = await auth.newApplication(tenantId);
    auth.provider.is({ sub: 'ada' });
    for (const redirect_uri of ['', `${callback}/`, `${callback}?x`, 'https://evil.example/']) {
      const { page } = await auth.authorize(app, { redirect_uri });
      expect([page.status, page.text.includes('redirect_uri')]).toEqual([400, true]);
    }
    expect((await auth.authorize(app)).code).not.toBeNull();
  });
});

describe('a redirect URI that is removed while somebody signs in', () => {
  test('is where nobody is sent any more', async () => {
    auth.provider.is({ sub: 'ada' });
    const other = 'https://other.example/cb';
    const sent = async (change: object) => {
      const app = await auth.newApplication(tenantId);
      const { browser, page } = await auth.authorize(app, { stopAt: `${auth.provider.issuer}/authorize` });
      expect((await ask('PATCH', path(app.id), change)).status).toBe(200);
      return browser.open(page.url, callback);
    };
    const stays = await sent({ redirectUris: [callback, other] });
    expect(stays.url.searchParams.get('code')).not.toBeNull();
    const gone = await sent({ redirectUris: [other] });
    expect([gone.status, gone.url.origin, gone.text.includes('redirect_uri')]).toEqual([400, auth.url, true]);
  });
});

describe('a secret', () => {
  test('is shown once, and never by a request that is sent again', async () => {
    const headers = { 'idempotency-key': newId('request') };
    const body = { name: 'once' };
    const first = await ask('POST', path(), body, headers);
    const again = await ask('POST', path(), body, headers);
    expect(first.body.clientSecret).toEqual(expect.any(String));
    expect(again.body).toEqual({ ...first.body, clientSecret: null });
  });

  test('is taken in the header and in the form, and no other is', async () => {
    const client = await machine();
    const inForm = (secret: string) =>
      fetch(`${auth.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: client.id,
          client_secret: secret,
          scope: `tenant:${tenantId}`,
          resource: auth.url,
        }),
      });
    expect([(await getToken(client)).status, (await inForm(client.secret)).status]).toEqual([200, 200]);
    for (const secret of ['', 'x', `${client.secret}x`, 'not-a-secret-of-this-client', 'none']) {
      expect((await getToken({ ...client, secret })).status).toBeGreaterThanOrEqual(400);
      expect((await inForm(secret)).status).toBeGreaterThanOrEqual(400);
    }
  });

  test('is not its hash, which is what is kept', async () => {
    const client = await machine();
    const secret = createHash('sha256').update(client.secret).digest('hex');
    expect(await getToken({ ...client, secret })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('that was rotated ends at once, with the tokens that were got by it', async () => {
    const client = await machine();
    await nextSecond();
    const call = await use(client);
    expect(await call()).toBe(200);
    const { body } = await ask('POST', `${path(client.id)}:rotate-secret`, {});
    expect((await getToken(client)).status).toBe(401);
    const rotated = { ...client, secret: body.clientSecret ?? '' };
    expect(await (await use(rotated))()).toBe(200);
    expect(await settled(call, 401)).toBe(401);
  });

  test('that was rotated ends the tokens of people that are asked about here, and no session', async () => {
    auth.provider.is({ sub: 'ada' });
    const { tenantId: own } = await auth.newTenant();
    await auth.newConnection(own);
    const application = await auth.newApplication(own);
    const { tokens } = await auth.signIn(application);
    const as = (client: Application) => `Basic ${btoa(`${client.id}:${client.secret}`)}`;
    const isActive = async (client: Application, token = '') => {
      const body = new URLSearchParams({ token });
      const init = { method: 'POST', headers: { authorization: as(client) }, body };
      return ((await (await fetch(`${auth.url}/token/introspection`, init)).json()) as { active: boolean }).active;
    };
    const me = async (token = '') =>
      (await fetch(`${auth.url}/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await isActive(application, tokens['access_token']), await me(tokens['access_token'])]).toEqual([
      true,
      200,
    ]);
    const { body } = await ask('POST', `/v1/tenants/${own}/clients/${application.id}:rotate-secret`, {});
    const rotated = { ...application, secret: body.clientSecret ?? '' };
    const settled = () => isActive(rotated, tokens['access_token']);
    await eventually('the token is over', async () => !(await settled()));
    expect(await me(tokens['access_token'])).toBe(401);
    const fresh = await auth.refresh(rotated, tokens['refresh_token'] ?? '');
    expect([fresh.status, await isActive(rotated, fresh.body['access_token'])]).toEqual([200, true]);
  });

  test('that was rotated with an overlap counts beside the new one for so long', async () => {
    const client = await machine();
    const call = await use(client);
    const { body } = await ask('POST', `${path(client.id)}:rotate-secret`, { keepPreviousSeconds: 2 });
    const rotated = { ...client, secret: body.clientSecret ?? '' };
    expect([(await getToken(client)).status, (await getToken(rotated)).status, await call()]).toEqual([200, 200, 200]);
    await new Promise(resolve => setTimeout(resolve, 2_100));
    expect([(await getToken(client)).status, (await getToken(rotated)).status, await call()]).toEqual([401, 200, 200]);
  });
});

test('of a client five secrets count at a time, however often it is rotated', async () => {
  const client = await machine();
  const rotate = (keepPreviousSeconds: number) =>
    ask('POST', `${path(client.id)}:rotate-secret`, { keepPreviousSeconds });
  for (let count = 2; count <= 5; count += 1) expect((await rotate(600)).status).toBe(200);
  expect(await rotate(600)).toMatchObject({ status: 409, body: { code: 'secret_limit' } });
  expect((await getToken(client)).status).toBe(200);
  expect((await rotate(0)).status).toBe(200);
  expect((await getToken(client)).status).toBe(401);
});

describe('a client', () => {
  test('that is deleted gets nothing more, and what it has got counts no more', async () => {
    const client = await machine();
    const call = await use(client);
    expect(await call()).toBe(200);
    expect((await ask('DELETE', path(client.id))).status).toBe(204);
    expect((await getToken(client)).status).toBe(401);
    expect(await settled(call, 401)).toBe(401);
    expect((await ask('GET', path(client.id))).status).toBe(404);
  });

  test('of a suspended tenant gets nothing, and is as before when that is over, as is who is signed in', async () => {
    const own = await auth.newTenant();
    await auth.newConnection(own.tenantId);
    const client = await auth.newApplication(own.tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    const application = await auth.newApplication(own.tenantId);
    const { tokens } = await auth.signIn(application);
    const machineToken = () => getToken(client, { scope: `tenant:${own.tenantId}` });
    const { body } = await machineToken();
    const call = async () =>
      (await auth.ask('GET', `/v1/tenants/${own.tenantId}/clients`, { as: body['access_token'] ?? '' })).status;
    const refresh = () => auth.refresh(application, tokens['refresh_token'] ?? '');
    expect(await call()).toBe(200);
    const named = { id: own.tenantId, name: own.slug };
    const { announce } = auth;
    const suspended = { slug: own.slug, status: 'suspended' };
    await announce(own.tenantId, event('tenant.suspended', { ...named, because: 'requested', details: suspended }));
    expect(await settled(call, 403)).toBe(403);
    const refused = { status: 400, body: { error: 'unauthorized_client' } };
    for (const scope of [`tenant:${own.tenantId}`, `tenant:${own.slug}`, `tenant:${tenantId}`, ''])
      expect(await getToken(client, { scope })).toMatchObject(refused);
    expect(await refresh()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const active = { slug: own.slug, status: 'active', changed: ['status'] };
    await announce(own.tenantId, event('tenant.updated', { ...named, because: 'resumed', details: active }));
    expect(await settled(call, 200)).toBe(200);
    expect([(await machineToken()).status, (await refresh()).status]).toEqual([200, 200]);
  });

  test('reaches the areas that it has, and when they become fewer, so do its tokens', async () => {
    const client = await machine();
    await nextSecond();
    const call = await use(client);
    expect(await call()).toBe(200);
    await ask('PATCH', path(client.id), { areas: ['webhooks'] });
    expect(await settled(call, 401)).toBe(401);
    expect(await (await use(client))()).toBe(403);
    const { body } = await getToken(client);
    expect(decodeJwt(body['access_token'] ?? '')).toMatchObject({ areas: ['webhooks'], tid: tenantId });
  });

  test('limits what an administrator’s tokens reach that are got by it', async () => {
    auth.provider.is({ sub: 'admin' });
    auth.provisioning.answers(() => ({
      userId: 'usr_01934f4c-0000-7000-8000-000000000001',
      email: null,
      displayName: null,
      roles: ['tenant_admin'],
      created: false,
    }));
    const reach = async (settings: object) => {
      const app = await auth.newApplication(tenantId, settings);
      const { tokens } = await auth.signIn(app, { resource: auth.url });
      return (await auth.ask('GET', path(), { as: tokens['access_token'] ?? '' })).status;
    };
    expect([await reach({}), await reach({ areas: ['applications'] }), await reach({ areas: [] })]).toEqual([
      200, 200, 403,
    ]);
    auth.provisioning.answers(null);
  });

  test.each([
    ['mobile', 'mobile', 'mobile'],
    [null, undefined, 'application'],
  ])('says in its tokens and sessions in what kind of place it is used (%s)', async (surface, inToken, inSession) => {
    const app = await auth.newApplication(tenantId, { surface });
    auth.provider.is({ sub: 'ada' });
    const { tokens, claims } = await auth.signIn(app, { resource: auth.url });
    const as = tokens['access_token'] ?? '';
    expect(decodeJwt(as)['surface']).toBe(inToken);
    const { body } = await auth.ask<{ items: { id: string; surface: string }[] }>('GET', '/v1/me/sessions', { as });
    expect(body.items.find(({ id }) => id === claims['sid'])?.surface).toBe(inSession);
  });

  test('has to use PKCE, unless it was registered without', async () => {
    auth.provider.is({ sub: 'ada' });
    const without = { code_challenge: '', code_challenge_method: '' };
    const usual = await auth.authorize(await auth.newApplication(tenantId), without);
    expect(usual.page.url.searchParams.get('error')).toBe('invalid_request');
    const old = await auth.newApplication(tenantId, { pkceRequired: false });
    expect((await auth.authorize(old, without)).code).not.toBeNull();
  });

  test('is changed in the version that was read, and never into a contradiction', async () => {
    const client = await auth.newApplication(tenantId);
    const read = await ask('GET', path(client.id));
    const etag = read.headers.get('etag') ?? '';
    expect((await ask('PATCH', path(client.id), { name: 'A' }, { 'if-match': etag })).status).toBe(200);
    expect((await ask('PATCH', path(client.id), { name: 'B' }, { 'if-match': etag })).status).toBe(412);
    expect(await ask('PATCH', path(client.id), { redirectUris: [] })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'redirectUris' }] },
    });
  });

  test('of another tenant is not there', async () => {
    const client = await machine();
    const other = await auth.newTenant();
    const stranger = await auth.newApplication(other.tenantId, {
      grantTypes: ['client_credentials'],
      redirectUris: [],
    });
    const asked = { grant_type: 'client_credentials', scope: `tenant:${other.tenantId}`, resource: auth.url };
    const as = (await auth.token(stranger, asked)).body['access_token'] ?? '';
    for (const id of [tenantId, other.tenantId])
      for (const [method, verb] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', ':rotate-secret'],
      ] as const)
        expect((await auth.ask(method, `/v1/tenants/${id}/clients/${client.id}${verb}`, { as })).status).toBe(404);
    expect((await getToken(client)).status).toBe(200);
  });

  test('asks for its own tenant alone', async () => {
    const client = await machine();
    const other = await auth.newTenant();
    for (const scope of [`tenant:${other.tenantId}`, `tenant:${other.slug}`, 'platform:admin', 'internal:identities'])
      expect(await getToken(client, { scope })).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    expect((await getToken(client, { resource: 'https://evil.example/' })).body).toMatchObject({
      error: 'invalid_target',
    });
  });
});

describe('a client that is limited to areas', () => {
  const limitedTo = (...areas: string[]) =>
    auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [], areas });
  const tokenOf = async (client: Application) => (await getToken(client)).body['access_token'] ?? '';
  const attempts = (own: Application, more: Application, less: Application) =>
    [
      ['making one that reaches everywhere', 'POST', path(), { name: 'x' }, 403],
      ['making one that reaches elsewhere', 'POST', path(), { name: 'x', areas: ['webhooks'] }, 403],
      ['widening itself', 'PATCH', path(own.id), { areas: null }, 403],
      ['taking over the name of one that reaches further', 'POST', `${path(more.id)}:rotate-secret`, {}, 403],
      ['redirecting the people of one', 'PATCH', path(more.id), { redirectUris: ['https://evil.example/cb'] }, 403],
      ['narrowing one', 'PATCH', path(more.id), { areas: [] }, 403],
      ['making one that reaches as far', 'POST', path(), { name: 'x', areas: ['applications', 'sessions'] }, 201],
      ['changing one that reaches less far', 'PATCH', path(less.id), { areas: ['sessions'] }, 200],
      ['a new secret for that', 'POST', `${path(less.id)}:rotate-secret`, {}, 200],
    ] as const;

  test('gives no client more than it has itself', async () => {
    const own = await limitedTo('applications', 'sessions');
    const more = await machine();
    const as = await tokenOf(own);
    const statuses = async (token: string, client: Application, less: Application) => {
      const found: [string, number][] = [];
      for (const [what, method, url, body] of attempts(client, more, less))
        found.push([what, (await auth.ask(method, url, { as: token, body })).status]);
      return found;
    };
    const expected = attempts(own, more, own).map(([what, , , , status]) => [what, status]);
    expect(await statuses(as, own, await limitedTo('sessions'))).toEqual(expected);
    expect((await getToken(more)).status).toBe(200);
    const unlimited = await statuses(await tokenOf(await machine()), own, await limitedTo('sessions'));
    expect(unlimited.map(([, status]) => status)).toEqual(expect.not.arrayContaining([403, 400, 404]));
  });
});

/** The answer, as soon as it is what it has to become: revocations take a moment. */
async function settled(call: () => Promise<number>, expected: number): Promise<number> {
  let status = await call();
  for (let round = 0; round < 40 && status !== expected; round += 1) {
    await new Promise(resolve => setTimeout(resolve, 50));
    status = await call();
  }
  return status;
}
