// Signing in to see a page, against a real OpenID provider and by a browser that does what browsers do; and what
// somebody tries who is not the person.
import { request as rawRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, mattersUntil, newId, revocationDraft, type TenantId } from '@reeve/contracts';
import { type Announcer, type Browser, createBrowser, eventually, type Page, startAnnouncer } from '@reeve/testing';
import { name, type Pages, person, startPages } from './browser-session.test-support.ts';

let pages: Pages;
let announcer: Announcer;
let tenant: { id: TenantId; slug: string };

beforeAll(async () => {
  announcer = await startAnnouncer();
  pages = await startPages();
  tenant = await announcer.newTenant();
  await eventually('the tenant', async () => isShown((await signedIn()).shown));
});
afterAll(async () => {
  await pages.stop();
  await announcer.stop();
});

const mine = () => `${pages.url}/mine`;
const callback = () => `${pages.url}/sign-in/callback`;
const cookieOf = async ({ jar }: Browser, cookie = name) =>
  (await jar.getCookies(pages.url)).find(({ key }) => key === cookie)?.value;
const isShown = ({ status, text }: Page) => status === 200 && text.includes('You are ');

/** A browser at which somebody has signed in. */
async function signedIn(who = person(tenant.id), path = '/mine') {
  const browser = createBrowser();
  pages.issuer.signsIn(who);
  const shown = await browser.open(pages.url + path);
  return { who, browser, shown };
}

/** Goes as far as the address that the issuer sends the browser back to. */
async function almostSignedIn(browser: Browser, who = person(tenant.id), path = '/mine'): Promise<URL> {
  pages.issuer.signsIn(who);
  return (await browser.open(pages.url + path, callback())).url;
}

async function post(browser: Browser, body: string | URLSearchParams, type = 'application/x-www-form-urlencoded') {
  const headers = { cookie: await browser.jar.getCookieString(pages.url), 'content-type': type };
  const response = await fetch(mine(), { method: 'POST', headers, body: String(body), redirect: 'manual' });
  return { status: response.status, text: await response.text(), cookies: response.headers.getSetCookie() };
}

const csrfOf = ({ text }: Page) => /name="csrf" value="([\w-]{43})"/.exec(text)?.[1] ?? '';

describe('somebody who opens a page', () => {
  test('signs in at the issuer, with PKCE, state and nonce, and gets to the page as they asked for it', async () => {
    const { browser, shown } = await signedIn(person(tenant.id, { name: 'Ada <b>' }), '/mine?of=a%26b&of=c');
    expect(shown.url.href).toBe(`${mine()}?of=a%26b&of=c`);
    expect(shown.text).toContain('You are Ada &lt;b&gt;. {&quot;of&quot;:[&quot;a&amp;b&quot;,&quot;c&quot;]}');
    const asked = pages.issuer.asked.at(-1);
    for (const parameter of ['code_challenge', 'state', 'nonce']) expect(asked?.get(parameter)).toMatch(/^[\w-]{43}$/);
    expect(asked?.get('tenant')).toBeNull();
    const before = pages.issuer.asked.length;
    expect(isShown(await browser.open(mine()))).toBe(true);
    expect(pages.issuer.asked.length).toBe(before);
  });

  test('signs in for the tenant of the page, where it has one', async () => {
    const { shown } = await signedIn(person(tenant.id), `/rooms/${tenant.id}`);
    expect(isShown(shown)).toBe(true);
    expect(pages.issuer.asked.at(-1)?.get('tenant')).toBe(tenant.id);
  });

  test('is called by their address where they have no name, and by their id where they have neither', async () => {
    const { name: _, ...nameless } = person(tenant.id);
    expect((await signedIn({ ...nameless, email: 'ada@acme.example' })).shown.text).toContain(
      'You are ada@acme.example.',
    );
    expect((await signedIn(nameless)).shown.text).toContain(`You are ${nameless.sub}.`);
  });

  test('can do so in two tabs at once', async () => {
    const browser = createBrowser();
    const atIssuer = async () => (await browser.open(mine(), `${pages.issuer.url}/auth`)).url;
    const [first, second] = [await atIssuer(), await atIssuer()];
    pages.issuer.signsIn(person(tenant.id));
    expect(isShown(await browser.open(second))).toBe(true);
    expect(isShown(await browser.open(first))).toBe(true);
  });

  test('is told so when the issuer does not let them in', async () => {
    pages.issuer.signsIn(null);
    const refused = await createBrowser().open(mine());
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('sign_in_failed');
    expect(refused.headers.get('content-type')).toContain('text/html');
  });

  test('of a tenant that is suspended does not get to it', async () => {
    const suspended = await announcer.newTenant();
    const { browser, shown } = await signedIn(person(suspended.id));
    expect(isShown(shown)).toBe(true);
    await announcer.suspend(suspended);
    const refused = await eventually('the suspension', async () => {
      const page = await browser.open(mine());
      return page.status !== 200 && page;
    });
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('tenant_suspended');
    expect((await post(browser, `csrf=${csrfOf(shown)}`)).status).toBe(403);
    expect(isShown((await signedIn()).shown)).toBe(true);
  });
});

describe('a sign-in', () => {
  test('is completed by the browser that began it and by no other, and once', async () => {
    const [owner, other] = [createBrowser(), createBrowser()];
    const returned = await almostSignedIn(owner);
    await almostSignedIn(other);
    const taken = await other.open(returned);
    expect([taken.status, taken.text.includes('sign_in_expired')]).toEqual([400, true]);
    expect(await cookieOf(other)).toBeUndefined();
    // It took nothing from its owner.
    expect(isShown(await owner.open(returned))).toBe(true);
    const again = await owner.open(returned);
    expect([again.status, again.text.includes('sign_in_expired')]).toEqual([400, true]);
  });

  test.each([
    ['without a state', (url: URL) => url.searchParams.delete('state')],
    ['with a state that nobody was given', (url: URL) => url.searchParams.set('state', 'a'.repeat(43))],
    ['with two states', (url: URL) => url.searchParams.append('state', 'a')],
  ])('is not completed %s', async (_, change) => {
    const browser = createBrowser();
    const returned = await almostSignedIn(browser);
    const changed = new URL(returned);
    change(changed);
    expect((await browser.open(changed)).text).toContain('sign_in_expired');
    expect(isShown(await browser.open(returned))).toBe(true);
  });

  test.each([
    ['with the code of another one', (url: URL, other: URL) => url.searchParams.set('code', codeOf(other))],
    ['with two codes', (url: URL, other: URL) => url.searchParams.append('code', codeOf(other))],
    ['from another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
  ])('fails for good %s', async (_, change) => {
    const browser = createBrowser();
    const returned = await almostSignedIn(browser);
    change(returned, await almostSignedIn(createBrowser()));
    expect((await browser.open(returned)).text).toContain('sign_in_failed');
    expect(await cookieOf(browser)).toBeUndefined();
    expect(isShown((await signedIn()).shown)).toBe(true);
  });

  test('ends, and does not begin anew, when the issuer has signed somebody of another tenant in', async () => {
    const elsewhere = await announcer.newTenant();
    const { shown, browser } = await signedIn(person(elsewhere.id), `/rooms/${tenant.id}`);
    expect(shown.status).toBe(400);
    expect(shown.text).toContain('You are signed in to another organization');
    expect(await cookieOf(browser)).toBeUndefined();
    expect(isShown((await signedIn(person(elsewhere.id), `/rooms/${elsewhere.id}`)).shown)).toBe(true);
  });

  test.each([
    ['tenant', { tid: 'acme' }],
    ['session', { sid: 'somewhere' }],
    ['user', { sub: 'ada' }],
  ])('fails when the ID token names no %s of ours', async (_, change) => {
    const { shown } = await signedIn({ ...person(tenant.id), ...(change as object) });
    expect(shown.text).toContain('sign_in_failed');
  });

  test('gives the session a name that nobody knew before', async () => {
    const browser = createBrowser();
    const planted = 'a'.repeat(43);
    await browser.jar.setCookie(`${name}=${planted}`, pages.url);
    pages.issuer.signsIn(person(tenant.id));
    expect(isShown(await browser.open(mine()))).toBe(true);
    expect(await cookieOf(browser)).not.toBe(planted);
  });

  test('ends the session that was at the browser before', async () => {
    const elsewhere = await announcer.newTenant();
    const { browser } = await signedIn();
    const former = `${name}=${await cookieOf(browser)}`;
    const openWith = (cookie: string) => fetch(mine(), { headers: { cookie }, redirect: 'manual' });
    expect((await openWith(former)).status).toBe(200);
    pages.issuer.signsIn(person(elsewhere.id));
    expect(isShown(await browser.open(`${pages.url}/rooms/${elsewhere.id}`))).toBe(true);
    expect((await openWith(former)).status).toBe(303);
  });

  test('never leads to another site', async () => {
    const { shown } = await signedIn(person(tenant.id), '/mine?returnTo=https://evil.example&next=//evil.example');
    expect(shown.url.origin).toBe(pages.url);
    for (const path of [
      '//evil.example/mine',
      '/.//evil.example/mine',
      '/\\evil.example/mine',
      'http://evil.example/mine',
    ]) {
      const browser = createBrowser();
      const { status, location, cookies } = await raw(path);
      // Either there is no such page, or it is ours: an absolute address names its host for proxies alone.
      if (status !== 303) continue;
      for (const cookie of cookies) await browser.jar.setCookie(cookie, pages.url);
      pages.issuer.signsIn(person(tenant.id));
      expect((await browser.open(location)).url.href).toBe(mine());
    }
  });

  test('is not kept from anybody for long by an issuer that does not answer', async () => {
    const alone = await startPages();
    await alone.issuer.stop();
    const response = await fetch(`${alone.url}/mine`, { redirect: 'manual' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.text()).toContain('This does not work just now');
    await alone.stop();
  });
});

describe('a form', () => {
  test('is taken with the value of its session, and with no other', async () => {
    const [ada, eve] = [await signedIn(), await signedIn()];
    const [own, others] = [csrfOf(ada.shown), csrfOf(eve.shown)];
    for (const body of ['', 'csrf=', `csrf=${others}`, `csrf=${own}a`, `csrf=${own}&csrf=${own}`, `csrf[]=${own}`]) {
      const refused = await post(ada.browser, body);
      expect([body, refused.status, refused.text.includes('csrf_mismatch')]).toEqual([body, 403, true]);
    }
    expect((await post(ada.browser, `wish=rain&csrf=${own}`)).text).toContain('You wished: rain');
    expect((await post(eve.browser, `wish=sun&csrf=${others}`)).text).toContain('You wished: sun');
  });

  test('of somebody who is not signed in is refused, and begins nothing', async () => {
    const before = pages.issuer.asked.length;
    const refused = await post(createBrowser(), 'csrf=a');
    expect([refused.status, refused.text.includes('csrf_mismatch'), refused.cookies]).toEqual([403, true, []]);
    expect(pages.issuer.asked.length).toBe(before);
  });

  test.each([
    ['a field that comes twice', (csrf: string) => `csrf=${csrf}&wish=a&wish=b`, 400],
    ['a field that it does not have', (csrf: string) => `csrf=${csrf}&other=a`, 400],
    ['more than it may hold', (csrf: string) => `csrf=${csrf}&wish=${'a'.repeat(20_000)}`, 413],
    ['more fields than it may have', (csrf: string) => `csrf=${csrf}${'&a='.repeat(2_000)}`, 413],
  ])('with %s is refused', async (_, bodyOf, status) => {
    const { browser, shown } = await signedIn();
    expect((await post(browser, bodyOf(csrfOf(shown)))).status).toBe(status);
    expect((await post(browser, `csrf=${csrfOf(shown)}&wish=a`)).status).toBe(200);
  });

  test('of another type than forms and JSON have is refused', async () => {
    const { browser, shown } = await signedIn();
    expect((await post(browser, `csrf=${csrfOf(shown)}`, 'text/plain')).status).toBe(415);
  });
});

describe('a session ends', () => {
  const asksToSignIn = (browser: Browser) =>
    eventually('the sign-in', async () => (await browser.open(mine(), `${pages.issuer.url}/auth`)).status === 0);

  test.each(['revoked', 'expired'])(
    'with the session at the issuer that is %s, and no other of the person',
    async how => {
      const ada = person(tenant.id);
      const [one, other] = [await signedIn(ada), await signedIn({ ...ada, sid: newId('session') })];
      const about = { id: ada.sid, details: { userId: ada.sub, surface: 'test', provider: null, cause: 'terminated' } };
      await announcer.announce(
        tenant.id,
        how === 'revoked'
          ? event('session.revoked', { ...about, because: 'terminated' })
          : event('session.expired', { ...about, because: 'expired' }),
      );
      await asksToSignIn(one.browser);
      expect(isShown(await other.browser.open(mine()))).toBe(true);
    },
  );

  test('when it is known that the session at the issuer is over, before its event has come', async () => {
    const { who, browser, shown } = await signedIn();
    const until = mattersUntil(new Date());
    await announcer.announce(tenant.id, revocationDraft({ kind: 'session', id: who.sid, userId: who.sub, until }));
    await asksToSignIn(browser);
    expect((await post(browser, `csrf=${csrfOf(shown)}`)).status).toBe(403);
  });

  test('when the person is deactivated, wherever they are signed in', async () => {
    const [gone, stays] = [person(tenant.id), await signedIn()];
    const [one, other] = [await signedIn(gone), await signedIn({ ...gone, sid: newId('session') })];
    const changedAt = new Date().toISOString();
    const about = { kind: 'user' as const, id: gone.sub, tenantId: tenant.id, roles: [] };
    const standing = { ...about, changedAt, until: mattersUntil(new Date()) };
    await announcer.announce(tenant.id, revocationDraft({ ...standing, status: 'deactivated' }));
    await asksToSignIn(one.browser);
    await asksToSignIn(other.browser);
    expect(isShown(await stays.browser.open(mine()))).toBe(true);
    // It is over for good, and not as long as the topic tells of it.
    await announcer.announce(tenant.id, revocationDraft({ ...standing, status: 'active' }));
    await eventually('the return', async () => isShown((await signedIn(gone)).shown));
    await asksToSignIn(one.browser);
  });

  test.each(['user.deactivated', 'user.deleted'] as const)('by %s alone', async type => {
    const { who, browser } = await signedIn();
    const details = { email: null, source: 'admin', cause: 'requested' };
    await announcer.announce(tenant.id, event(type, { id: who.sub, because: 'requested', details }));
    await asksToSignIn(browser);
  });
});

const codeOf = ({ searchParams }: URL) => searchParams.get('code') ?? '';

/** A request whose path stays as it is written. */
function raw(path: string): Promise<{ status: number; location: string; cookies: string[] }> {
  const { hostname, port } = new URL(pages.url);
  return new Promise((resolve, reject) => {
    const sent = rawRequest({ hostname, port, path }, response => {
      const { location = '', 'set-cookie': cookies = [] } = response.headers;
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, location, cookies }));
    });
    sent.on('error', reject).end();
  });
}
