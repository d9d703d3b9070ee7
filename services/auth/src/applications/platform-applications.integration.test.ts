// Applications of the platform, which serve several tenants by one registration: whose people they sign in, and that
// nothing leads to a token of a tenant that they do not serve.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type Id, platformTenantId, type TenantId } from '@reeve/contracts';
import { createBrowser, type EventReader, eventually, readEvents } from '@reeve/testing';
import { decodeJwt } from 'jose';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

type Tenant = { tenantId: TenantId; slug: string; connection: Id<'connection'> };

let auth: Auth;
let events: EventReader;
let [acme, other] = [] as unknown as [Tenant, Tenant];

async function newTenant(): Promise<Tenant> {
  const made = await auth.newTenant();
  return { ...made, connection: await auth.newConnection(made.tenantId) };
}

beforeAll(async () => {
  auth = await startAuth();
  events = await readEvents('reeve.auth.v1');
  [acme, other] = [await newTenant(), await newTenant()];
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});
beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example' }));

type Answer = {
  code?: string;
  clientId: Id<'client'>;
  clientSecret: string | null;
  tenants: unknown;
  areas: unknown;
  errors?: { field: string }[];
  items?: { clientId: string }[];
  secrets: { createdAt: string | null; expiresAt: string | null; lastUsedAt: string | null }[];
};
const ask = async (method: string, path: string, body?: object) =>
  auth.ask<Answer>(method, path, { as: await auth.asPlatform(), ...(body ? { body } : {}) });
const change = (application: Application, body: object) => ask('PATCH', `/v1/applications/${application.id}`, body);
const refused = { status: 400, body: { error: 'invalid_grant' } };

describe('an application of the platform', () => {
  test('signs people of each tenant in by one registration, and says whose they are', async () => {
    const application = await auth.newApplication(null);
    for (const { tenantId, slug } of [acme, other]) {
      const { tokens, claims } = await auth.signIn(application, { tenant: slug, resource: auth.url });
      expect(claims['tid']).toBe(tenantId);
      expect(decodeJwt(tokens['access_token'] ?? '')).toMatchObject({ tid: tenantId, areas: [] });
      const fresh = await auth.refresh(application, tokens['refresh_token'] ?? '');
      expect(decodeJwt(fresh.body['id_token'] ?? '')['tid']).toBe(tenantId);
    }
  });

  test('has to name the tenants that it serves; a tenant’s own has none to name', async () => {
    expect(await ask('POST', '/v1/applications', { name: 'x' })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'tenants' }] },
    });
    const ofTenant = await ask('POST', `/v1/tenants/${acme.tenantId}/applications`, { name: 'x', tenants: 'all' });
    expect(ofTenant).toMatchObject({ status: 400, body: { errors: [{ field: 'tenants' }] } });
    const own = await auth.newApplication(acme.tenantId);
    const path = `/v1/tenants/${acme.tenantId}/applications/${own.id}`;
    expect((await ask('PATCH', path, { tenants: 'all' })).status).toBe(400);
    expect((await ask('PATCH', path, { kind: 'native' })).status).toBe(400);
  });

  test('is the platform’s alone to see and to change', async () => {
    const application = await auth.newApplication(null);
    const machine = await auth.newApplication(acme.tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    const { body } = await auth.token(machine, {
      grant_type: 'client_credentials',
      scope: `tenant:${acme.tenantId}`,
      resource: auth.url,
    });
    const as = body['access_token'] ?? '';
    const attempt = (method: string, path: string) =>
      auth.ask<Answer>(method, path, { as, ...(method === 'GET' ? {} : { body: {} }) });
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect((await attempt(method, `/v1/applications/${application.id}`)).status).toBe(403);
    expect((await attempt('POST', `/v1/applications/${application.id}:rotate-secret`)).status).toBe(403);
    for (const path of ['applications', 'clients']) {
      const below = `/v1/tenants/${acme.tenantId}/${path}`;
      expect((await attempt('GET', `${below}/${application.id}`)).status).toBe(404);
      expect((await attempt('GET', `${below}/${machine.id}`)).status).toBe(200);
      const { items = [] } = (await attempt('GET', below)).body;
      expect(items.map(({ clientId }) => clientId)).not.toContain(application.id);
    }
    expect((await ask('GET', `/v1/applications/${application.id}`)).body).toMatchObject({ tenants: 'all', areas: [] });
    expect((await ask('GET', `/v1/applications/${machine.id}`)).status).toBe(404);
    const listed = (await ask('GET', '/v1/applications?limit=200')).body.items ?? [];
    expect(listed.map(({ clientId }) => clientId)).toContain(application.id);
    expect((await events.seen(platformTenantId, 'client.created', application.id)).data.actor.id).toBe('platform');
  });
});

describe('of a tenant that it does not serve', () => {
  let application: Application;
  beforeAll(async () => {
    application = await auth.newApplication(null, { tenants: [other.tenantId] });
  });
  const asksWith = (parameters: object) => auth.authorize(application, { stopAt: auth.provider.issuer, ...parameters });

  test('nobody is sent to sign in, by whatever is named, and nothing is said of it', async () => {
    const pages = [
      await asksWith({ tenant: acme.slug }),
      await asksWith({ tenant: acme.tenantId }),
      await asksWith({ connection: acme.connection }),
      await asksWith({ tenant: other.slug, connection: acme.connection }),
    ].map(({ page }) => page);
    const unknown = [await asksWith({ tenant: 'nobody' }), await asksWith({ connection: 'con_x' })];
    const withoutIds = (text: string) => text.replaceAll(/interaction\/[\w-]+/g, '');
    const unknownTexts = unknown.map(({ page }) => withoutIds(page.text));
    for (const { text, url } of pages) {
      expect(url.origin).toBe(auth.url);
      expect(unknownTexts).toContain(withoutIds(text));
    }
    expect((await auth.authorize(application, { tenant: other.slug })).code).not.toBeNull();
  });

  test('who is signed in there for another application gets no code for this one', async () => {
    const serving = await auth.newApplication(null);
    const { browser } = await auth.signIn(serving, { tenant: acme.slug });
    const silent = await auth.authorize(application, { browser, prompt: 'none' });
    expect(silent.page.url.searchParams.get('error')).toBe('login_required');
    const { page } = await auth.authorize(application, { browser, stopAt: auth.provider.issuer });
    expect(page.url.origin).toBe(auth.url);
    expect((await auth.authorize(serving, { browser, prompt: 'none' })).code).not.toBeNull();
  });

  test('a code that is under way when the tenant is taken off brings no tokens, nor does a refresh token', async () => {
    const leaving = await auth.newApplication(null, { tenants: [acme.tenantId, other.tenantId] });
    const signedIn = async ({ slug }: Tenant) => auth.signIn(leaving, { tenant: slug, resource: auth.url });
    const [ofAcme, ofOther] = [await signedIn(acme), await signedIn(other)];
    const { code, verifier } = await auth.authorize(leaving, { tenant: acme.slug });
    expect((await change(leaving, { tenants: [other.tenantId] })).status).toBe(200);
    const exchange = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: callback };
    expect(await auth.token(leaving, { ...exchange, code_verifier: verifier })).toMatchObject(refused);
    expect(await auth.refresh(leaving, ofAcme.tokens['refresh_token'] ?? '')).toMatchObject(refused);
    expect((await auth.refresh(leaving, ofOther.tokens['refresh_token'] ?? '')).status).toBe(200);
    // What was issued before ends as well.
    const use = async () =>
      (await auth.ask('GET', '/v1/me/sessions', { as: ofAcme.tokens['access_token'] ?? '' })).status;
    await eventually('its access tokens count no more', async () => (await use()) === 401);
  });

  test('who was on the way when the tenant was taken off is told so by the application, and goes in no circle', async () => {
    const leaving = await auth.newApplication(null, { tenants: [acme.tenantId] });
    const { browser, page } = await auth.authorize(leaving, {
      tenant: acme.slug,
      stopAt: `${auth.provider.issuer}/authorize`,
    });
    await change(leaving, { tenants: [other.tenantId] });
    const returned = await browser.open(page.url, callback);
    expect([returned.url.origin + returned.url.pathname, returned.url.searchParams.get('error')]).toEqual([
      callback,
      'access_denied',
    ]);
  });

  test('a machine gets no token; for those that it serves it does, and reaches what is said', async () => {
    const machine = await auth.newApplication(null, {
      grantTypes: ['client_credentials'],
      redirectUris: [],
      tenants: [other.tenantId],
      areas: ['sessions'],
    });
    const tokenFor = (reference: string) =>
      auth.token(machine, { grant_type: 'client_credentials', scope: `tenant:${reference}`, resource: auth.url });
    for (const reference of [acme.slug, acme.tenantId, 'nobody'])
      expect(await tokenFor(reference)).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const { body } = await tokenFor(other.slug);
    const as = body['access_token'] ?? '';
    expect(decodeJwt(as)).toMatchObject({ tid: other.tenantId, areas: ['sessions'] });
    const statuses = [
      `/v1/tenants/${other.tenantId}/sessions`,
      `/v1/tenants/${other.tenantId}/applications`,
      `/v1/tenants/${acme.tenantId}/sessions`,
      '/v1/applications',
    ].map(async path => (await auth.ask('GET', path, { as })).status);
    expect(await Promise.all(statuses)).toEqual([200, 403, 404, 403]);
  });

  test('that is suspended a machine acts in no more', async () => {
    const own = await newTenant();
    const { announce } = auth;
    const suspended = { slug: own.slug, status: 'suspended' };
    const because = 'requested';
    await announce(
      own.tenantId,
      event('tenant.suspended', { id: own.tenantId, name: own.slug, because, details: suspended }),
    );
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const asked = { grant_type: 'client_credentials', scope: `tenant:${own.slug}`, resource: auth.url };
    await eventually(
      'the suspended tenant is served no more',
      async () => (await auth.token(machine, asked)).status === 400,
    );
  });
});

describe('an application without a secret', () => {
  const kinds = [
    ['single_page', { redirectUris: [callback] }, callback],
    ['native', { redirectUris: ['http://127.0.0.1/cb'] }, 'http://127.0.0.1:51234/cb'],
  ] as const;

  test.each(kinds)('%s signs people in and refreshes, by PKCE alone', async (kind, settings, redirectUri) => {
    const application = await auth.newApplication(null, { kind, ...settings });
    expect(application.secret).toBe('');
    const begin = { tenant: acme.slug, redirect_uri: redirectUri, stopAt: redirectUri };
    const { code, verifier } = await auth.authorize(application, begin);
    const exchange = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: redirectUri };
    const { code: stolen } = await auth.authorize(application, begin);
    expect(await auth.token(application, { ...exchange, code: stolen ?? '' })).toMatchObject(refused);
    const { status, body } = await auth.token(application, { ...exchange, code_verifier: verifier });
    expect(status).toBe(200);
    expect((await auth.refresh(application, body['refresh_token'] ?? '')).status).toBe(200);
    const { page } = await auth.authorize(application, { ...begin, code_challenge: '', code_challenge_method: '' });
    expect(page.url.searchParams.get('error')).toBe('invalid_request');
  });

  test('takes no secret, and gets none', async () => {
    const application = await auth.newApplication(null, { kind: 'single_page' });
    const rotated = await ask('POST', `/v1/applications/${application.id}:rotate-secret`, {});
    expect(rotated).toMatchObject({ status: 409, body: { code: 'secret_not_used' } });
    const body = { grant_type: 'refresh_token', refresh_token: 'x' };
    for (const secret of ['none', 'x', 'undefined'])
      expect(await auth.token({ ...application, secret }, body)).toMatchObject({ status: 401 });
    expect(await auth.token(application, { ...body, grant_type: 'client_credentials' })).toMatchObject({ status: 400 });
  });

  test('of a native kind comes back to any port of this machine, and to nothing else that it has not registered', async () => {
    const application = await auth.newApplication(null, {
      kind: 'native',
      redirectUris: ['http://127.0.0.1/cb', 'com.example.app:/cb', 'https://app.example/cb'],
    });
    const endsAt = async (redirectUri: string) =>
      (await auth.authorize(application, { tenant: acme.slug, redirect_uri: redirectUri, stopAt: redirectUri })).code;
    for (const uri of ['http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb', 'https://app.example/cb'])
      expect(await endsAt(uri)).not.toBeNull();
    for (const uri of [
      'http://127.0.0.1:1/other',
      'http://localhost:1/cb',
      'http://127.0.0.1.evil.example/cb',
      'http://[::1]:1/cb',
      'https://app.example:444/cb',
      'com.example.app:/other',
      'com.example.app2:/cb',
    ]) {
      const { page } = await auth.authorize(application, { tenant: acme.slug, redirect_uri: uri });
      expect([uri, page.status]).toEqual([uri, 400]);
    }
    // Of a single page, and of a server's, the port is part of it.
    const web = await auth.newApplication(null, { kind: 'single_page', redirectUris: ['http://127.0.0.1:5999/cb'] });
    const { page } = await auth.authorize(web, { tenant: acme.slug, redirect_uri: 'http://127.0.0.1:6000/cb' });
    expect(page.status).toBe(400);
  });
});

describe('pages of an application', () => {
  const origin = new URL(callback).origin;
  type Init = { method?: string; headers?: Record<string, string>; body?: URLSearchParams };
  const asked = (path: string, from: string, { headers = {}, ...init }: Init) =>
    fetch(`${auth.url}${path}`, { ...init, headers: { ...headers, origin: from } });
  const allowed = (answer: Response) => answer.headers.get('access-control-allow-origin');

  test('ask for tokens and for who somebody is from its own origins, and from no other', async () => {
    const application = await auth.newApplication(null, { kind: 'single_page' });
    const { tokens } = await auth.signIn(application, { tenant: acme.slug });
    const refresh = (from: string) =>
      asked('/token', from, {
        method: 'POST',
        body: new URLSearchParams({
          client_id: application.id,
          grant_type: 'refresh_token',
          refresh_token: tokens['refresh_token'] ?? '',
        }),
      });
    const me = (from: string) =>
      asked('/me', from, { headers: { authorization: `Bearer ${tokens['access_token'] ?? ''}` } });
    for (const other of ['https://evil.example', `${origin}.evil.example`, 'null', origin.toUpperCase()])
      for (const answer of [await refresh(other), await me(other)])
        expect([other, answer.status, allowed(answer)]).toEqual([other, 400, null]);
    for (const answer of [await me(origin), await refresh(origin)])
      expect([answer.status, allowed(answer)]).toEqual([200, origin]);
  });

  test('are told beforehand what they may, and nothing of whose they are', async () => {
    const headers = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, dpop',
    };
    const answer = await asked('/token', origin, { method: 'OPTIONS', headers });
    expect([answer.status, allowed(answer), answer.headers.get('access-control-allow-methods')]).toEqual([
      204,
      origin,
      'POST',
    ]);
    expect(answer.headers.get('access-control-allow-headers')).toContain('DPoP');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(allowed(await asked('/auth?client_id=x', origin, {}))).toBeNull();
    expect(allowed(await asked('/.well-known/openid-configuration', origin, {}))).toBe('*');
  });
});

test('a secret says when it was made, when it ends and when it was last used', async () => {
  const application = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
  const path = `/v1/applications/${application.id}`;
  const secretsNow = async () => (await ask('GET', path)).body.secrets;
  expect(await secretsNow()).toEqual([{ createdAt: expect.any(String), expiresAt: null, lastUsedAt: null }]);
  const asked = { grant_type: 'client_credentials', scope: `tenant:${acme.slug}`, resource: auth.url };
  expect((await auth.token(application, asked)).status).toBe(200);
  await eventually('the use is noted', async () => (await secretsNow())[0]?.lastUsedAt !== null);
  const rotated = await ask('POST', `${path}:rotate-secret`, { keepPreviousSeconds: 600 });
  expect([rotated.body.secrets, (await ask('PATCH', path, { name: 'B' })).body.secrets]).toEqual(
    Array(2).fill(await secretsNow()),
  );
  expect(await secretsNow()).toEqual([
    { createdAt: expect.any(String), expiresAt: null, lastUsedAt: null },
    { createdAt: expect.any(String), expiresAt: expect.any(String), lastUsedAt: expect.any(String) },
  ]);
  expect(JSON.stringify((await ask('GET', path)).body)).not.toContain('sha256');
  expect((await ask('DELETE', path)).status).toBe(204);
  expect((await ask('GET', path)).status).toBe(404);
});

test('a browser that nobody has signed in from is asked for an address', async () => {
  const application = await auth.newApplication(null);
  const { page } = await auth.authorize(application, { browser: createBrowser(), stopAt: auth.provider.issuer });
  expect([page.status, page.text.includes('name="email"')]).toEqual([200, true]);
});
