// The protocol's endpoints as they are reached from outside.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { createBrowser } from '@reeve/testing';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let tenantId: TenantId;
let application: Application;

beforeAll(async () => {
  auth = await startAuth();
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId, { postLogoutRedirectUris: ['http://localhost:5999/bye'] });
  auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true });
}, 60_000);
afterAll(() => auth.stop());

const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${auth.url}${path}`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(fields) });

describe('discovery', () => {
  test('names the issuer’s own endpoints, whatever host was asked', async () => {
    const response = await fetch(`${auth.url}/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example', origin: 'https://app.example' },
    });
    const document = (await response.json()) as Record<string, string>;
    expect(document['issuer']).toBe(auth.url);
    for (const [name, value] of Object.entries(document))
      if (name.endsWith('_endpoint') || name === 'jwks_uri') expect(value.startsWith(`${auth.url}/`)).toBe(true);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('has a preflight', async () => {
    const response = await fetch(`${auth.url}/jwks`, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
    expect(response.status).toBe(204);
  });

  test('gives public keys alone', async () => {
    const { keys } = (await (await fetch(`${auth.url}/jwks`)).json()) as { keys: Record<string, string>[] };
    expect(keys.map(({ alg }) => String(alg)).toSorted((a, b) => a.localeCompare(b))).toEqual(['ES256', 'RS256']);
    for (const key of keys) expect(key).not.toHaveProperty('d');
  });
});

describe('a form', () => {
  test('begins a sign-in as a link does', async () => {
    const response = await form('/auth', { client_id: application.id, state: 'a b&c' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`/auth?client_id=${application.id}&state=a+b%26c`);
  });

  test('signs out as a link does', async () => {
    const { browser, tokens } = await auth.signIn(application);
    const hint = tokens['id_token'] ?? '';
    const begun = await form('/session/end', {
      id_token_hint: hint,
      post_logout_redirect_uri: 'http://localhost:5999/bye',
    });
    const page = await browser.open(new URL(begun.headers.get('location') ?? '', auth.url));
    const left = await browser.submit(page, { logout: 'yes' }, 'http://localhost:5999/bye');
    expect(left.url.href).toBe('http://localhost:5999/bye');
  });
});

describe('the token endpoint', () => {
  const basic = () => ({ authorization: `Basic ${btoa(`${application.id}:${application.secret}`)}` });

  test.each([
    ['no grant', {}, 400],
    ['a grant that is not offered', { grant_type: 'password', username: 'a', password: 'b' }, 400],
    [
      'a code that is none',
      { grant_type: 'authorization_code', code: 'x', redirect_uri: 'http://localhost:5999/callback' },
      400,
    ],
  ])('refuses %s in the protocol’s own words', async (_, fields, status) => {
    const response = await form('/token', fields as Record<string, string>, basic());
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.any(String) });
  });

  test('takes forms alone, of a size', async () => {
    const json = await fetch(`${auth.url}/token`, {
      method: 'POST',
      headers: { ...basic(), 'content-type': 'application/json' },
      body: '{}',
    });
    expect([json.status, ((await json.json()) as { error: string }).error]).toEqual([400, 'invalid_request']);
    expect((await form('/token', { x: 'a'.repeat(100_000) }, basic())).status).toBe(413);
  });

  test('refuses a client that is named twice, or that comes by two ways', async () => {
    const twice = await fetch(`${auth.url}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=client_credentials&client_id=${application.id}&client_secret=a&client_secret=${application.secret}`,
    });
    expect(twice.status).toBe(400);
    const both = await form(
      '/token',
      { grant_type: 'client_credentials', client_id: application.id, client_secret: application.secret },
      basic(),
    );
    expect(both.status).toBe(400);
  });
});

describe('user info', () => {
  test('is given to who holds an access token that is for nobody else', async () => {
    const { tokens, browser } = await auth.signIn(application);
    const read = () => fetch(`${auth.url}/me`, { headers: { authorization: `Bearer ${tokens['access_token']}` } });
    expect(await (await read()).json()).toMatchObject({ email: 'ada@acme.example', tid: tenantId });
    await browser.submit(await browser.open(`${auth.url}/session/end`), { logout: 'yes' });
    expect((await read()).status).toBe(401);
  });
});

describe('a pushed request', () => {
  test('is used by its reference, once', async () => {
    const pushed = await form(
      '/request',
      {
        client_id: application.id,
        response_type: 'code',
        redirect_uri: 'http://localhost:5999/callback',
        scope: 'openid',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      },
      { authorization: `Basic ${btoa(`${application.id}:${application.secret}`)}` },
    );
    expect(pushed.status).toBe(201);
    const { request_uri } = (await pushed.json()) as { request_uri: string };
    const browser = createBrowser();
    const url = `${auth.url}/auth?client_id=${application.id}&request_uri=${encodeURIComponent(request_uri)}`;
    const arrived = await browser.open(url, 'http://localhost:5999/callback');
    expect(arrived.url.searchParams.get('code')).not.toBeNull();
    const again = await createBrowser().open(url, 'http://localhost:5999/callback');
    expect(again.url.searchParams.get('code')).toBeNull();
  });
});

describe('a path that is none', () => {
  test('is a problem for a program and a page for a person', async () => {
    const asked = (accept: string) => fetch(`${auth.url}/nowhere`, { headers: { accept } });
    const program = await asked('application/json');
    expect([program.status, program.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('problem+json'),
    ]);
    const person = await asked('text/html');
    expect([person.status, person.headers.get('content-type')]).toEqual([404, expect.stringContaining('text/html')]);
    expect(await (await fetch(auth.url)).json()).toMatchObject({
      service: 'auth',
      links: { openapi: '/openapi.json' },
    });
  });
});
