// The pages of the embedding in a real browser, as the service sends them: with their policy, in two schemes, on the
// smallest screen, by keyboard alone.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { eventually } from '@reeve/testing';
import { type Browser, chromiumHint, chromiumPath, openChromium, type Page, wrongWith } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { type Auth, startAuth } from '../auth.test-support.ts';
import { type HostPage, startHostPage } from './host-page.test-support.ts';

const secret = 's'.repeat(43);

given(chromiumPath !== undefined, chromiumHint).describe('in a real browser', () => {
  let auth: Auth;
  let host: HostPage;
  let browser: Browser;
  let as: string;
  let slug: string;
  /** It has two sign-ins, and none is its default. */
  let undecided: string;
  /** Its application has lost the redirect URI. */
  let unregistered: string;

  beforeAll(async () => {
    auth = await startAuth({ REEVE_PRODUCT_NAME: 'Chatter' }, { host: 'localhost' });
    as = await auth.asPlatform();
    host = await startHostPage(auth.url);
    browser = await openChromium();
    const own = await embedding();
    slug = own.slug;
    const body = { displayName: 'Acme & Söhne', logoUrl: null };
    await auth.ask('PUT', `/v1/tenants/${own.tenantId}/branding`, { as, body });
    const two = await embedding();
    await auth.newConnection(two.tenantId, { name: 'Another' });
    undecided = two.slug;
    const lost = await embedding();
    unregistered = lost.slug;
    await auth.ask('PATCH', `/v1/tenants/${lost.tenantId}/applications/${lost.applicationId}`, {
      as,
      body: { redirectUris: ['https://x.example'] },
    });
  }, 90_000);
  afterAll(async () => {
    await browser.close();
    await Promise.all([auth.stop(), host.stop()]);
  });
  beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true }));

  async function embedding(): Promise<{ tenantId: TenantId; slug: string; applicationId: string }> {
    const { tenantId, slug: name } = await auth.newTenant();
    await auth.newConnection(tenantId);
    const { id: applicationId } = await auth.newApplication(tenantId, {
      kind: 'single_page',
      surface: 'assistant',
      dpopRequired: true,
      redirectUris: [`${auth.url}/embed/callback`],
    });
    const body = { enabled: true, origins: [host.origin], applicationId, resource: auth.url, scopes: [], mode: 'auto' };
    expect((await auth.ask('PUT', `/v1/tenants/${tenantId}/embed`, { as, body })).status).toBe(200);
    return { tenantId, slug: name, applicationId };
  }

  const go = (page: Page, query: Record<string, string>, path = '/embed/authorize') =>
    page.goto(`${auth.url}${path}?${new URLSearchParams(query)}`);
  const ofPage = () => ({ origin: host.origin, state: secret, code_challenge: secret, dpop_jkt: secret });

  /** Each page, by how somebody comes to it, and what it says. */
  const pages: Record<string, [says: string, open: (page: Page) => Promise<unknown>]> = {
    'of a window that waits': [
      'Begin to sign in from the page',
      page => go(page, { domain: slug, mode: 'popup', ...ofPage() }),
    ],
    'of who is signed in': ['You are signed in', page => go(page, { domain: slug })],
    'of who went back': [
      'You are not signed in',
      async page => {
        auth.provider.refuses('access_denied');
        await go(page, { domain: slug });
        await page.getByRole('link', { name: /^Back to/ }).click();
      },
    ],
    'of a sign-in that failed': [
      'Your organization did not sign you in',
      async page => {
        auth.provider.refuses('access_denied');
        await go(page, { domain: slug });
      },
    ],
    'without a key': ['missing_auth_key', page => go(page, { domain: undecided })],
    'of a key that is none': ['unknown_auth_key', page => go(page, { domain: slug, auth_key: 'nobody' })],
    'of another origin': [
      'origin_not_allowed',
      page => go(page, { domain: slug, ...ofPage(), origin: 'https://evil.example' }),
    ],
    'of an application that is not registered so': [
      'redirect_uri_mismatch',
      page => go(page, { domain: unregistered }),
    ],
    'of who goes round in circles': [
      'redirect_loop',
      async page => {
        for (let count = 0; count < 7; count += 1) await go(page, { domain: slug });
      },
    ],
    'of a browser without cookies': ['cookies_blocked', page => go(page, { domain: slug, again: '1' })],
    'with the way back to a page that was left': [
      'Back to 127.0.0.1',
      async page => {
        const fields = {
          ...ofPage(),
          domain: slug,
          auth_key: 'nobody',
          mode: 'redirect',
          return_to: `${host.origin}/x`,
        };
        const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
        await page.route(`${host.origin}/left`, route =>
          route.fulfill({
            contentType: 'text/html',
            body: `<form method="post" action="${auth.url}/embed/authorize">${inputs.join('')}<button>Go</button></form>`,
          }),
        );
        await page.goto(`${host.origin}/left`);
        await page.getByRole('button').click();
        await page.getByRole('link').waitFor();
      },
    ],
    'of the button in a frame': ['Sign in', page => go(page, { domain: slug, ...ofPage() }, '/embed/frame')],
    'that says what each code means': ['opener_isolated', page => go(page, {}, '/embed/help')],
  };

  for (const [name, [says, open]] of Object.entries(pages))
    test.each(['light', 'dark'] as const)(
      `a page ${name} is one that everybody can use, in the %s scheme`,
      async scheme => {
        const viewport = { width: 320, height: 640 };
        const context = await browser.newContext({ viewport, colorScheme: scheme, locale: 'en' });
        const page = await context.newPage();
        const refused: string[] = [];
        page.on('console', message => {
          if (message.text().includes('Content Security Policy')) refused.push(message.text());
        });
        await open(page);
        expect(await page.locator('main').innerText()).toContain(says);
        expect(await wrongWith(page)).toEqual([]);
        expect(refused).toEqual([]);
        const directory = process.env['REEVE_SCREENSHOTS'];
        if (directory)
          await page.screenshot({
            path: `${directory}/embed-${name.replaceAll(' ', '-')}-${scheme}.png`,
            fullPage: true,
          });
        await context.close();
      },
      30_000,
    );

  test('the button in a frame is reached and pressed by keyboard alone, and its frame is large enough', async () => {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, locale: 'en' });
    const page = await context.newPage();
    await page.goto(host.shows({ init: { domain: slug, mode: 'iframe', container: '#place' } }));
    await eventually('the script is there', () =>
      page.evaluate<boolean>('window.Reeve?.ready?.then(() => true) ?? false'),
    );
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const frame = page.frameLocator('#place iframe');
    await frame.getByRole('link', { name: 'Sign in' }).waitFor();
    const isWhole = 'document.documentElement.scrollHeight <= window.innerHeight';
    expect(await page.frames().at(-1)?.evaluate(isWhole)).toBe(true);
    for (const _ of [1, 2]) await page.keyboard.press('Tab');
    expect(await frame.locator('a:focus').innerText()).toBe('Sign in');
    await page.keyboard.press('Enter');
    await eventually('somebody is signed in', () =>
      page.evaluate<boolean>(`window.told.some(({ type }) => type === 'signedIn')`),
    );
    await context.close();
  }, 60_000);

  test('a page that was left is come back to by keyboard, and told what was wrong', async () => {
    const context = await browser.newContext({ locale: 'en' });
    const page = await context.newPage();
    const portal = host.shows({ init: { domain: slug, mode: 'redirect' } });
    await page.goto(portal);
    await eventually('the script is there', () =>
      page.evaluate<boolean>('window.Reeve?.ready?.then(() => true) ?? false'),
    );
    auth.provider.refuses('access_denied');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(url => url.origin === host.origin && url.hash === '');
    const told = () => page.evaluate<{ type: string }[]>('window.told').catch(() => []);
    await eventually('the page is told', async () => (await told()).length > 0);
    expect(await told()).toEqual([{ type: 'error', code: 'sign_in_failed', reason: 'person_cancelled' }]);
    await context.close();
  }, 60_000);
});
