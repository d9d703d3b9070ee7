// The assistant inside a page of another site, in a real browser: each way to sign in, with third-party cookies allowed
// and blocked, and each misconfiguration by its name.
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { eventually, listen } from '@reeve/testing';
import {
  type Browser,
  chromiumHint,
  chromiumPath,
  openChromium,
  openProfile,
  type Page,
} from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { decodeJwt } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { type HostPage, startHostPage } from './host-page.test-support.ts';

const resource = 'https://assistant.myproduct.example';
/** A window that nobody has clicked for is blocked, as by the browser of a person. */
const without = ['--disable-popup-blocking'];

type Told = { type: string; code?: string; reason?: string; user?: { id: string } };

describe.each(['allowed', 'blocked'] as const)('with third-party cookies %s', cookies => {
  given(chromiumPath !== undefined, chromiumHint).describe('in a real browser', () => {
    let auth: Auth;
    let host: HostPage;
    let browser: Browser;
    let tenantId: TenantId;
    let slug: string;
    let application: Application;
    let connectionId: string;
    let as: string;

    const ofEmbed = () => ({
      enabled: true,
      origins: [host.origin],
      applicationId: application.id as string,
      resource,
      scopes: ['ask'],
      mode: 'auto',
    });
    const set = (body: object) => auth.ask('PUT', `/v1/tenants/${tenantId}/embed`, { as, body });

    beforeAll(async () => {
      auth = await startAuth({}, { host: 'localhost' });
      as = await auth.asPlatform();
      host = await startHostPage(auth.url);
      browser = await openChromium({ without });
      await auth.ask('POST', '/v1/resource-servers', {
        as,
        body: { name: 'Assistant', identifier: resource, scopes: [{ name: 'ask' }], applications: 'all' },
      });
      ({ tenantId, slug } = await auth.newTenant());
      connectionId = await auth.newConnection(tenantId);
      for (const authKey of ['default', 'subsidiary'])
        await auth.ask('POST', `/v1/tenants/${tenantId}/auth-keys`, { as, body: { authKey, connectionId } });
      application = await auth.newApplication(tenantId, {
        kind: 'single_page',
        surface: 'assistant',
        dpopRequired: true,
        redirectUris: [`${auth.url}/embed/callback`],
      });
      expect((await set(ofEmbed())).status).toBe(200);
    }, 90_000);
    afterAll(async () => {
      await browser.close();
      await Promise.all([auth.stop(), host.stop()]);
    });
    beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true }));

    async function opened(address: string) {
      const context = cookies === 'allowed' ? await openProfile({ without }) : await browser.newContext();
      const page = await context.newPage();
      const said: string[] = [];
      page.on('console', message => void said.push(message.text()));
      await page.goto(address);
      return { page, context, said };
    }

    const told = (page: Page) => page.evaluate<Told[]>('window.told');
    // A page of a strict policy evaluates nothing of its own.
    const hears = (page: Page, type: string) =>
      eventually(`the page hears ${type}`, async () => (await told(page)).some(one => one.type === type));
    const ready = (page: Page) =>
      eventually('the script is there', () => page.evaluate<boolean>('window.Reeve?.ready?.then(() => true) ?? false'));
    const tokenOf = (page: Page) =>
      page.evaluate<string | null>('window.Reeve.ready.then(client => client.getToken())');
    const codesOf = async (page: Page) => (await told(page)).flatMap(({ code }) => code ?? []);

    async function clicked(page: Page) {
      await ready(page);
      await page.getByRole('button', { name: 'Sign in' }).click();
    }

    test('cookies of another site come and do not come, as this is about', async () => {
      const seen: (string | undefined)[] = [];
      const other = await listen(
        createServer((request, response) => {
          seen.push(request.headers.cookie);
          response.setHeader('Set-Cookie', 'known=1; Secure; SameSite=None; Path=/').end('<title>other</title>');
        }),
      );
      const address = other.url.replace('127.0.0.1', 'localhost');
      const local = await listen(createServer((_, response) => response.end('<title>local</title>')));
      const { page, context } = await opened(local.url);
      for (const _ of [1, 2])
        await page.evaluate(`new Promise(done => { const frame = document.createElement('iframe');
        frame.onload = done; frame.src = '${address}/?' + Math.random(); document.body.append(frame); })`);
      expect(seen.at(-1)).toBe(cookies === 'allowed' ? 'known=1' : undefined);
      await context.close();
      await Promise.all([other.stop(), local.stop()]);
    }, 30_000);

    test('a click opens a window, the page gets a token bound to its key, renews it, survives a reload, signs out', async () => {
      const { page, context, said } = await opened(host.shows({ script: { domain: slug, auth_key: 'subsidiary' } }));
      await clicked(page);
      await hears(page, 'signedIn');
      const token = await tokenOf(page);
      const claims = decodeJwt(token ?? '');
      expect(claims).toMatchObject({ aud: resource, tid: tenantId, scope: 'ask', cnf: { jkt: expect.any(String) } });
      // Another one, of the same key, and nothing is seen of it.
      const renewed = await page.evaluate<string>(`(async () => { const client = await window.Reeve.ready;
      const now = Date.now; Date.now = () => now() + 280_000; const token = await client.getToken(); Date.now = now; return token; })()`);
      expect(renewed).not.toBe(token);
      expect(decodeJwt(renewed)).toMatchObject({ cnf: claims['cnf'], sid: claims['sid'] });
      await page.reload();
      await hears(page, 'signedIn');
      expect(decodeJwt((await tokenOf(page)) ?? '')).toMatchObject({ cnf: claims['cnf'], sid: claims['sid'] });
      await page.getByRole('button', { name: 'Sign out' }).click();
      await hears(page, 'signedOut');
      expect(await tokenOf(page)).toBeNull();
      await eventually('the session has ended', async () => {
        const { body } = await auth.ask<{ status: string }>(
          'GET',
          `/v1/tenants/${tenantId}/sessions/${String(claims['sid'])}`,
          { as },
        );
        return body.status !== 'live';
      });
      expect(said.filter(text => /Content Security Policy|Reeve:/.test(text))).toEqual([]);
      await context.close();
    }, 60_000);

    test('a page of another site that opens the window has nobody sign in for it', async () => {
      const evil = await listen(createServer((_, response) => response.end('<title>evil</title>')));
      const { page, context } = await opened(host.shows({ script: { domain: slug } }));
      // Signed in at Reeve, so that nothing more would be asked.
      await clicked(page);
      await hears(page, 'signedIn');
      const [state, other] = ['s'.repeat(43), 'o'.repeat(43)];
      const query = { domain: slug, mode: 'popup', origin: host.origin, state, code_challenge: other, dpop_jkt: other };
      const address = `${auth.url}/embed/authorize?${new URLSearchParams(query)}`;
      const left = async () =>
        (
          await fetch(`${auth.url}/embed/pick-up`, {
            method: 'POST',
            headers: { origin: host.origin },
            body: new URLSearchParams({ domain: slug, state }),
          })
        ).status;
      const lure = await context.newPage();
      await lure.goto(evil.url);
      // It answers whatever it is asked, and says that it is the page.
      await lure.evaluate(`window.addEventListener('message', ({ source }) =>
        source.postMessage({ to: 'reeve', state: '${state}' }, '*'))`);
      const [popup] = await Promise.all([
        context.waitForEvent('page'),
        lure.evaluate(`window.opened = window.open('${address}'); setInterval(() =>
          window.opened.postMessage({ to: 'reeve', state: '${state}' }, '*'), 200); undefined`),
      ]);
      await popup.waitForLoadState();
      await new Promise(resolve => setTimeout(resolve, 1_500));
      expect(await popup.locator('main').innerText()).toContain('Begin to sign in from the page');
      expect(await left()).toBe(204);
      // The control: the page itself opens the very same address.
      await page.evaluate(`window.addEventListener('message', ({ source }) =>
        source.postMessage({ to: 'reeve', state: '${state}' }, '*')); window.opened = window.open('${address}'); undefined`);
      await eventually('it is left for the page', async () => (await left()) === 200);
      await context.close();
      await evil.stop();
    }, 60_000);

    test('the page is left and come back to, with its own fragment, where it says so', async () => {
      const { page, context } = await opened(`${host.shows({ init: { domain: slug, mode: 'redirect' } })}#chapter`);
      await ready(page);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(`${host.origin}/portal#chapter`);
      await hears(page, 'signedIn');
      expect(decodeJwt((await tokenOf(page)) ?? '')).toMatchObject({ aud: resource, tid: tenantId });
      await context.close();
    }, 60_000);

    test('the page is come back to where its path looks like an address of somebody else’s', async () => {
      const shown = { init: { domain: slug, mode: 'redirect' }, path: '//evil.example/portal' };
      const { page, context, said } = await opened(`${host.shows(shown)}#chapter`);
      await clicked(page);
      await page.waitForURL(`${host.origin}//evil.example/portal#chapter`);
      await hears(page, 'signedIn');
      expect(said.filter(text => text.startsWith('Reeve:'))).toEqual([]);
      await context.close();
    }, 60_000);

    test('a button in a frame of ours signs in where the page may open nothing', async () => {
      const { page, context } = await opened(
        host.shows({ init: { domain: slug, mode: 'iframe', container: '#place' } }),
      );
      await clicked(page);
      await page.frameLocator('#place iframe').getByRole('link', { name: 'Sign in' }).click();
      await hears(page, 'signedIn');
      expect(decodeJwt((await tokenOf(page)) ?? '')).toMatchObject({ aud: resource, tid: tenantId });
      expect(await page.locator('iframe').count()).toBe(0);
      await context.close();
    }, 60_000);

    test.each([
      ['Reeve.init', () => ({ init: { domain: slug, authKey: 'subsidiary' } })],
      ['the address of the script', () => ({ script: { domain: slug, auth_key: 'subsidiary' } })],
      ['its own address', () => ({ script: { domain: slug }, query: { auth_key: 'subsidiary' } })],
    ])(
      'a page says its auth_key by %s',
      async (_, shown) => {
        const { page, context } = await opened(host.shows(shown()));
        await ready(page);
        expect(await page.evaluate('window.Reeve.ready.then(({ authKey }) => authKey)')).toBe('subsidiary');
        expect(await codesOf(page)).toEqual([]);
        await context.close();
      },
      30_000,
    );

    test.each<[string, () => Parameters<HostPage['shows']>[0]]>([
      ['unknown_auth_key', () => ({ init: { domain: slug, authKey: 'nobody' } })],
      ['unknown_auth_key', () => ({ init: { domain: 'nobody-has-this', authKey: 'default' } })],
      ['blocked_by_csp', () => ({ init: { domain: slug }, policy: { 'connect-src': "'none'" } })],
    ])(
      'is told %s',
      async (code, shown) => {
        const { page, context, said } = await opened(host.shows(shown()));
        await hears(page, 'error');
        expect(await codesOf(page)).toEqual([code]);
        expect(said.filter(text => text.startsWith('Reeve:'))).toEqual([
          `Reeve: ${code}, see ${auth.url}/embed/help#${code}`,
        ]);
        await context.close();
      },
      30_000,
    );

    test('is told that its frame is forbidden by its policy', async () => {
      const shown = { init: { domain: slug, mode: 'iframe' }, policy: { 'frame-src': "'none'" } };
      const { page, context } = await opened(host.shows(shown));
      await clicked(page);
      await hears(page, 'error');
      expect(await codesOf(page)).toEqual(['blocked_by_csp']);
      await context.close();
    }, 30_000);

    test('is told that its window was blocked, where nobody has clicked', async () => {
      const { page, context, said } = await opened(host.shows({ init: { domain: slug, mode: 'popup' } }));
      await ready(page);
      // What a test evaluates counts as a click for five seconds.
      await page.evaluate(
        'void setTimeout(() => window.Reeve.ready.then(client => client.signIn()).catch(() => {}), 6_000)',
      );
      await eventually('the page is told', () => said.some(text => text.startsWith('Reeve: popup_blocked')));
      await context.close();
    }, 40_000);

    test('is told that its origin is not allowed', async () => {
      await set({ ...ofEmbed(), origins: ['https://elsewhere.example'] });
      const { page, context } = await opened(host.shows({ init: { domain: slug } }));
      await hears(page, 'error');
      expect(await codesOf(page)).toEqual(['origin_not_allowed']);
      await set(ofEmbed());
      await context.close();
    }, 30_000);

    test('is told that something on the way keeps the answers from it', async () => {
      const proxy = await listen(createServer((_, response) => response.end('{}')));
      const shown = { init: { domain: slug, url: proxy.url }, policy: { 'connect-src': proxy.url } };
      const { page, context } = await opened(host.shows(shown));
      await hears(page, 'error');
      expect(await codesOf(page)).toEqual(['blocked_by_cors']);
      await context.close();
      await proxy.stop();
    }, 30_000);

    test.each([
      ['not_in_roster', 'identity_unknown', () => auth.provisioning.answers(() => 'identity_unknown')],
      ['no_access', 'user_deactivated', () => auth.provisioning.answers(() => 'user_deactivated')],
      [
        'secret_expired',
        'client_secret_expired',
        () =>
          auth.provider.lies({
            answers: {
              '/token': (_, response) =>
                response.writeHead(401, { 'content-type': 'application/json' }).end(
                  JSON.stringify({
                    error: 'invalid_client',
                    error_description: 'AADSTS7000222: The provided client secret keys are expired.',
                  }),
                ),
            },
          }),
      ],
    ])(
      'is told %s when its person goes back',
      async (code, reason, arrange) => {
        arrange();
        const { page, context, said } = await opened(host.shows({ init: { domain: slug } }));
        await ready(page);
        const [popup] = await Promise.all([
          context.waitForEvent('page'),
          page.getByRole('button', { name: 'Sign in' }).click(),
        ]);
        await popup.getByRole('link', { name: /Back to/ }).click();
        await hears(page, 'error');
        expect(await told(page)).toEqual([{ type: 'error', code, reason }]);
        expect(said).toContain(`Reeve: ${code} (${reason}), see ${auth.url}/embed/help#${code}`);
        auth.provisioning.answers(null);
        auth.provider.lies({});
        await context.close();
      },
      60_000,
    );

    test('a person whose browser keeps no cookies is told so, and not sent on', async () => {
      const { page, context } = await opened('about:blank');
      await context.route(`${auth.url}/embed/authorize*`, async route => {
        const { cookie: _, ...headers } = route.request().headers();
        const response = await route.fetch({ headers, maxRedirects: 0 });
        const { 'set-cookie': __, ...others } = response.headers();
        await route.fulfill({ response, headers: others });
      });
      await page.goto(`${auth.url}/embed/authorize?domain=${slug}&again=1`);
      expect(await page.locator('main').innerText()).toContain('cookies_blocked');
      await context.unroute(`${auth.url}/embed/authorize*`);
      await page.goto(`${auth.url}/embed/authorize?domain=${slug}`);
      expect(await page.locator('h1').innerText()).toBe('You are signed in');
      await context.close();
    }, 30_000);

    test('who is sent round in circles is stopped', async () => {
      const { page, context } = await opened(`${auth.url}/embed/authorize?domain=${slug}`);
      expect(await page.locator('h1').innerText()).toBe('You are signed in');
      for (const _ of [1, 2, 3, 4, 5, 6]) await page.goto(`${auth.url}/embed/authorize?domain=${slug}`);
      expect(await page.locator('main').innerText()).toContain('redirect_loop');
      await context.close();
    }, 30_000);
  });
});
