// Signing in to an application with a server, being known there, and what other sites, browsers and links cannot do.
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { type Browser, createBrowser, listen } from '@reeve/testing';
import express from 'express';
import { ReeveError } from './errors.ts';
import { newKey, startIssuer, type TestIssuer } from './issuer.test-support.ts';
import { pageOf } from './session/own-pages.ts';
import { createBrowserSessions, createMemoryStore, type SessionStore, signedIn } from './session.ts';

const clientId = 'cli_app';
let issuer: TestIssuer;
let app: Awaited<ReturnType<typeof startApp>>;
let at: () => number;
let store: SessionStore;

async function startApp() {
  const web = express();
  const server = await listen(createServer(web));
  const { middleware, required } = createBrowserSessions({
    issuer: issuer.url,
    clientId,
    clientSecret: 'a secret',
    publicUrl: server.url,
    store,
    now: () => at(),
  });
  web.use(express.urlencoded());
  web.use(middleware);
  web.get('/open', (request, response) => void response.json(request.reeveSession?.sub ?? null));
  web.get('/me', required, (request, response) => {
    const { sub, tenantId, csrfToken } = signedIn(request);
    response.json({ sub, tenantId, csrfToken });
  });
  web.get('/token', required, async (request, response) => {
    response.json(await signedIn(request).accessToken());
  });
  web.post('/change', required, (_, response) => void response.json('changed'));
  web.use(((error, _, response, next) => {
    if (!(error instanceof ReeveError)) return next(error);
    response.status(error.status).send(`a page: ${error.code}`);
  }) satisfies express.ErrorRequestHandler);
  return server;
}

beforeEach(async () => {
  at = () => Date.now();
  issuer = await startIssuer();
  store = createMemoryStore({ now: () => at() });
  app = await startApp();
  issuer.state.idToken = { sub: newId('user'), tid: newId('tenant'), sid: newId('session') };
});
afterEach(() => Promise.all([app.stop(), issuer.stop()]));

const cookiesOf = (browser: Browser) => browser.jar.getCookieStringSync(app.url);

type Init = { method?: string; body?: string; headers?: Record<string, string> };

async function ask(browser: Browser, path: string, init: Init = {}) {
  const response = await fetch(app.url + path, {
    redirect: 'manual',
    ...init,
    headers: { cookie: cookiesOf(browser), ...init.headers },
  });
  const text = await response.text();
  const body: unknown = /^application\/.*json/.test(response.headers.get('content-type') ?? '')
    ? JSON.parse(text)
    : text;
  return { status: response.status, body, headers: response.headers };
}

async function signInAt(browser = createBrowser(), returnTo = '/me') {
  const page = await browser.open(`${app.url}/auth/sign-in?return_to=${encodeURIComponent(returnTo)}`);
  return { browser, page };
}
const csrfOf = async (browser: Browser) => ((await ask(browser, '/me')).body as { csrfToken: string }).csrfToken;

describe('somebody signs in', () => {
  test('and is at the page that they asked for, and known there', async () => {
    const { page, browser } = await signInAt();
    expect([page.url.href, page.status]).toEqual([`${app.url}/me`, 200]);
    expect(JSON.parse(page.text)).toMatchObject({
      sub: issuer.state.idToken['sub'],
      tenantId: issuer.state.idToken['tid'],
    });
    expect((await ask(browser, '/open')).body).toBe(issuer.state.idToken['sub']);
    expect((await ask(createBrowser(), '/open')).body).toBeNull();
  });

  test('where a page asks for it; a script is told', async () => {
    const browser = createBrowser();
    const asPage = await ask(browser, '/me?a=1', { headers: { accept: 'text/html' } });
    expect([asPage.status, asPage.headers.get('location')]).toEqual([
      303,
      `${app.url}/auth/sign-in?return_to=%2Fme%3Fa%3D1`,
    ]);
    expect(await ask(browser, '/me')).toMatchObject({ status: 401, body: { code: 'session_missing' } });
    expect(await ask(browser, '/change', { method: 'POST' })).toMatchObject({ status: 401 });
  });

  test('with what the link says of the tenant, and nothing else that it says', async () => {
    const browser = createBrowser();
    const link = `${app.url}/auth/sign-in?tenant=acme&redirect_uri=https://evil.example&scope=admin`;
    const page = await browser.open(link, `${issuer.url}/auth`);
    const asked = Object.fromEntries(page.url.searchParams);
    expect(asked).toMatchObject({
      tenant: 'acme',
      redirect_uri: `${app.url}/auth/callback`,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    });
  });

  test('in two tabs at once', async () => {
    const browser = createBrowser();
    const [one, other] = [
      await browser.open(`${app.url}/auth/sign-in`, `${issuer.url}/auth`),
      await browser.open(`${app.url}/auth/sign-in`, `${issuer.url}/auth`),
    ];
    for (const { url } of [one, other]) expect((await browser.open(url)).url.href).toBe(`${app.url}/`);
    expect((await ask(browser, '/me')).status).toBe(200);
  });

  test('under another cookie each time, and the former counts no more', async () => {
    const { browser } = await signInAt();
    const before = cookiesOf(browser);
    await signInAt(browser);
    expect(cookiesOf(browser)).not.toBe(before);
    expect((await ask(createBrowser(), '/me', { headers: { cookie: before } })).status).toBe(401);
    expect((await ask(browser, '/me')).status).toBe(200);
  });

  test('with cookies that no script reads and no other host sets', async () => {
    const cookieOf = async (publicUrl: string) => {
      const sessions = createBrowserSessions({ issuer: issuer.url, clientId, clientSecret: 'x', publicUrl });
      const server = await listen(
        createServer((one, other) => void sessions.middleware(one, other, () => other.end())),
      );
      const { headers } = await fetch(`${server.url}/auth/sign-in`, { redirect: 'manual' });
      await server.stop();
      return headers.get('set-cookie') ?? '';
    };
    expect(await cookieOf('https://app.example')).toMatch(
      /^__Host-session_sign_in=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(await cookieOf('http://localhost:3000')).toMatch(
      /^session_sign_in=[^;]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(() =>
      createBrowserSessions({ issuer: issuer.url, clientId, clientSecret: 'x', publicUrl: 'http://app.example' }),
    ).toThrow(TypeError);
  });

  test('and the store holds nothing that would sign anybody in, or that is a token', async () => {
    const kept: string[] = [];
    const add = store.add.bind(store);
    store.add = (key, entry) => {
      kept.push(key, entry.value);
      return add(key, entry);
    };
    const { browser } = await signInAt();
    const held = [...cookiesOf(browser).matchAll(/=([\w-]{43})/g)].map(([, secret]) => secret ?? '');
    const token = (await ask(browser, '/token')).body as string;
    expect(held.length).toBe(2);
    for (const secret of [...held, token, ...issuer.state.refreshTokens]) expect(kept.join(' ')).not.toContain(secret);
  });
});

describe('nobody is signed in', () => {
  async function returning(browser: Browser) {
    const { url } = await browser.open(`${app.url}/auth/sign-in`, `${issuer.url}/auth`);
    const answer = await fetch(url, { redirect: 'manual' });
    return new URL(answer.headers.get('location') ?? '');
  }
  const html = { headers: { accept: 'text/html' } };
  const open = (browser: Browser, { pathname, search }: URL) => ask(browser, pathname + search, html);
  const failed = { status: 400, body: 'a page: sign_in_failed' };

  test('by an answer that another browser has asked for, which its owner can still use', async () => {
    const owner = createBrowser();
    const back = await returning(owner);
    const thief = createBrowser();
    await returning(thief);
    expect(await open(thief, back)).toMatchObject(failed);
    expect(await open(createBrowser(), back)).toMatchObject(failed);
    expect((await open(owner, back)).status).toBe(303);
  });

  test('by an answer that comes twice, too late, or that nobody asked for', async () => {
    const browser = createBrowser();
    const back = await returning(browser);
    expect((await open(browser, back)).status).toBe(303);
    expect(await open(browser, back)).toMatchObject(failed);
    const late = await returning(browser);
    at = () => Date.now() + 601_000;
    expect(await open(browser, late)).toMatchObject(failed);
    expect(await open(browser, new URL(`${app.url}/auth/callback?code=x&state=y`))).toMatchObject(failed);
    expect(await open(browser, new URL(`${app.url}/auth/callback`))).toMatchObject(failed);
  });

  test.each([
    ['another issuer in the answer', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
    ['no issuer in the answer', (url: URL) => url.searchParams.delete('iss')],
    ['another code', (url: URL) => url.searchParams.set('code', 'another')],
    ['an error', (url: URL) => url.searchParams.set('error', 'access_denied')],
  ])('by %s', async (_, change) => {
    const browser = createBrowser();
    const back = await returning(browser);
    change(back);
    expect(await open(browser, back)).toMatchObject(failed);
    expect((await ask(browser, '/me')).status).toBe(401);
  });

  test.each([
    ['nonce', 'another'],
    ['aud', 'another'],
    ['iss', 'https://evil.example'],
    ['exp', 1],
    ['sid', undefined],
    ['tid', undefined],
  ])('by an ID token with another %s', async (name, value) => {
    issuer.state.idToken[name] = value;
    const browser = createBrowser();
    expect(await open(browser, await returning(browser))).toMatchObject(failed);
  });

  test('by an ID token that somebody else has signed', async () => {
    issuer.state.keys = [(await newKey('RS256', 'rs')).jwk];
    const browser = createBrowser();
    expect(await open(browser, await returning(browser))).toMatchObject(failed);
  });
});

describe('a link that names where to go afterwards', () => {
  const origin = 'https://app.example';

  test.each(['/', '/a/b?c=d#e', '/a//b', '/%2e%2e/x', '/@evil.example'])('leads to %s', asked => {
    expect(new URL(pageOf(origin, asked)).origin).toBe(origin);
    expect(pageOf(origin, asked)).toBe(new URL(asked, origin).href);
  });

  test.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
    'evil.example',
    'https:evil.example',
    ' //evil.example',
    '',
    `/${'x'.repeat(3_000)}`,
  ])('leads to the first page and not to %j', asked => {
    expect(pageOf(origin, asked)).toBe(`${origin}/`);
    expect(pageOf(origin, null)).toBe(`${origin}/`);
  });

  test('is kept to over a whole sign-in', async () => {
    expect((await signInAt(createBrowser(), '/me?x=1')).page.url.href).toBe(`${app.url}/me?x=1`);
    expect((await signInAt(createBrowser(), '//evil.example/')).page.url.href).toBe(`${app.url}/`);
  });
});

describe('a request that changes something', () => {
  const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  });

  test('is let through with the value of the session, in a form or in a header', async () => {
    const { browser } = await signInAt();
    const csrf = await csrfOf(browser);
    const own = { 'sec-fetch-site': 'same-origin', origin: app.url };
    for (const good of [form({ csrf }), form({ csrf }, own), { method: 'POST', headers: { 'x-csrf-token': csrf } }])
      expect((await ask(browser, '/change', good)).body).toBe('changed');
  });

  test('is refused without it, with that of another session, and from another site', async () => {
    const { browser } = await signInAt();
    const csrf = await csrfOf(browser);
    const others = await csrfOf((await signInAt()).browser);
    for (const bad of [
      form({}),
      form({ csrf: others }),
      form({ csrf: `${csrf}x` }),
      form({ csrf }, { 'sec-fetch-site': 'cross-site' }),
      form({ csrf }, { 'sec-fetch-site': 'same-site' }),
      form({ csrf }, { origin: 'https://evil.example' }),
      form({ csrf }, { origin: 'null' }),
    ])
      expect(await ask(browser, '/change', bad)).toMatchObject({ status: 403, body: { code: 'csrf_refused' } });
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      expect((await ask(browser, '/change', { method })).status).toBe(403);
  });
});

describe('the access token', () => {
  test('is refreshed once for all requests that come together', async () => {
    issuer.state.accessSeconds = 1;
    const { browser } = await signInAt();
    issuer.state.accessSeconds = 300;
    const tokens = await Promise.all(Array.from({ length: 20 }, async () => (await ask(browser, '/token')).body));
    expect(new Set(tokens).size).toBe(1);
    expect(issuer.state.refreshes).toBe(1);
    expect((await ask(browser, '/token')).body).toBe(tokens[0]);
  });

  test('that the issuer refreshes no more ends the session', async () => {
    issuer.state.accessSeconds = 1;
    const { browser } = await signInAt();
    issuer.state.refreshTokens.clear();
    expect((await ask(browser, '/token')).body).toBe('a page: session_over');
    expect((await ask(browser, '/me')).status).toBe(401);
  });

  test('that cannot be refreshed while the issuer is away does not end it', async () => {
    issuer.state.accessSeconds = 1;
    const { browser } = await signInAt();
    issuer.state.isAway = true;
    expect((await ask(browser, '/token')).body).toBe('a page: issuer_unavailable');
    issuer.state.isAway = false;
    expect((await ask(browser, '/token')).status).toBe(200);
  });

  test('that is refreshed while somebody signs out brings the session back no more', async () => {
    issuer.state.accessSeconds = 1;
    const { browser } = await signInAt();
    const replace = store.replace.bind(store);
    store.replace = async (key, entry) => {
      await store.removeAllOf({ sid: issuer.state.idToken['sid'] as string });
      return replace(key, entry);
    };
    expect((await ask(browser, '/token')).body).toBe('a page: session_over');
    expect((await ask(browser, '/me')).status).toBe(401);
  });
});

describe('a session ends', () => {
  test('when somebody signs out, here and at the issuer', async () => {
    const { browser } = await signInAt();
    const csrf = await csrfOf(browser);
    const before = cookiesOf(browser);
    expect((await ask(browser, '/auth/sign-out', { method: 'POST' })).status).toBe(403);
    expect((await ask(browser, '/auth/sign-out')).status).toBe(404);
    const out = await ask(browser, '/auth/sign-out', { method: 'POST', headers: { 'x-csrf-token': csrf } });
    const location = new URL(out.headers.get('location') ?? '');
    expect(location.origin + location.pathname).toBe(`${issuer.url}/session/end`);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      post_logout_redirect_uri: `${app.url}/`,
      id_token_hint: expect.stringMatching(/^ey/),
    });
    expect(out.headers.get('set-cookie')).toContain('session=; Max-Age=0');
    expect((await ask(createBrowser(), '/me', { headers: { cookie: before } })).status).toBe(401);
  });

  test('after its time', async () => {
    const { browser } = await signInAt();
    at = () => Date.now() + 28_799_000;
    expect((await ask(browser, '/open')).body).not.toBeNull();
    at = () => Date.now() + 28_801_000;
    expect((await ask(browser, '/open')).body).toBeNull();
  });

  describe('when the issuer says so (Back-Channel Logout 1.0)', () => {
    const tell = (token: string | undefined) =>
      ask(createBrowser(), '/auth/back-channel-logout', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(token === undefined ? {} : { logout_token: token }).toString(),
      });
    const isIn = async (browser: Browser) => (await ask(browser, '/me')).status === 200;

    test('by session, and no other session', async () => {
      const { browser } = await signInAt();
      const { sid, sub } = issuer.state.idToken;
      issuer.state.idToken['sid'] = newId('session');
      const other = (await signInAt()).browser;
      const answer = await tell(await issuer.logoutToken(clientId, { sid, sub }));
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect([await isIn(browser), await isIn(other)]).toEqual([false, true]);
    });

    test('by person: all of theirs, and of nobody else', async () => {
      const { sub } = issuer.state.idToken;
      const one = (await signInAt()).browser;
      issuer.state.idToken['sid'] = newId('session');
      const two = (await signInAt()).browser;
      issuer.state.idToken = { ...issuer.state.idToken, sub: newId('user'), sid: newId('session') };
      const other = (await signInAt()).browser;
      expect((await tell(await issuer.logoutToken(clientId, { sub, sid: undefined }))).status).toBe(200);
      expect([await isIn(one), await isIn(two), await isIn(other)]).toEqual([false, false, true]);
    });

    test('once: the same token ends nothing that began since', async () => {
      const { sub } = issuer.state.idToken;
      const token = await issuer.logoutToken(clientId, { sub, sid: undefined });
      expect((await tell(token)).status).toBe(200);
      const { browser } = await signInAt();
      expect((await tell(token)).status).toBe(200);
      expect(await isIn(browser)).toBe(true);
    });

    test.each<[string, Record<string, unknown>, object]>([
      ['no event', { events: undefined }, {}],
      ['another event', { events: { 'http://schemas.openid.net/event/other': {} } }, {}],
      ['an event that is no object', { events: { 'http://schemas.openid.net/event/backchannel-logout': true } }, {}],
      ['a nonce', { nonce: 'n' }, {}],
      ['another audience', { aud: 'another' }, {}],
      ['another issuer', { iss: 'https://evil.example' }, {}],
      ['nobody', { sub: undefined, sid: undefined }, {}],
      ['no jti', { jti: undefined }, {}],
      ['no iat', { iat: undefined }, {}],
      ['no exp', { exp: undefined }, {}],
      ['exp in the past', { exp: 1 }, {}],
      ['the type of another token', {}, { typ: 'JWT' }],
      ['the type of an access token', {}, { typ: 'at+jwt' }],
    ])('not with %s', async (_, change, header) => {
      const { browser } = await signInAt();
      const { sub, sid } = issuer.state.idToken;
      const answer = await tell(await issuer.logoutToken(clientId, { sub, sid, ...change }, header));
      expect(answer).toMatchObject({ status: 400, body: { code: 'logout_token_invalid' } });
      expect(await isIn(browser)).toBe(true);
    });

    test('not by an unsigned token, by one that somebody else has signed, and without one', async () => {
      const { browser } = await signInAt();
      const { sub, sid } = issuer.state.idToken;
      const [, payload] = (await issuer.logoutToken(clientId, { sub, sid })).split('.');
      const header = Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url');
      const stranger = await startIssuer();
      const forged = await stranger.logoutToken(clientId, { sub, sid, iss: issuer.url });
      await stranger.stop();
      for (const token of [`${header}.${payload}.`, forged, 'x', undefined])
        expect(await tell(token)).toMatchObject({ status: 400, body: { code: 'logout_token_invalid' } });
      expect(await isIn(browser)).toBe(true);
    });
  });
});
