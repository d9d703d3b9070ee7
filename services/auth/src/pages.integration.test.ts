// The pages of a sign-in in a real browser, as the service sends them: with their policy, in two schemes, on the
// smallest screen, by keyboard alone.
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listen } from '@reeve/testing';
import {
  type Browser,
  type BrowserContextOptions,
  chromiumHint,
  chromiumPath,
  openChromium,
  type Page,
  wrongWith,
} from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Application, type Auth, startAuth } from './auth.test-support.ts';
import { type DocumentServer, startDocumentServer } from './client-documents/document-server.test-support.ts';

const ofPlatform = { id: 'reeve-consent', secret: '' } as unknown as Application;
const redirect_uri = 'http://127.0.0.1:1/sign-in/callback';
const logo = 'https://logos.acme.example/logo.svg';
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#0a5"/>
<script>document.title='taken over'</script></svg>`;

given(chromiumPath !== undefined, chromiumHint).describe('in a real browser', () => {
  let auth: Auth;
  let idp: SamlIdentityProvider;
  let documents: DocumentServer;
  let browser: Browser;
  let application: Application & { tenantId: string };
  let failing: Application;
  let callback: Awaited<ReturnType<typeof listen>>;

  beforeAll(async () => {
    idp = await startSamlIdentityProvider();
    documents = await startDocumentServer();
    auth = await startAuth({
      REEVE_PRODUCT_NAME: 'Chatter',
      REEVE_ALLOWED_PRIVATE_ORIGINS: `${idp.url},${documents.origin}`,
    });
    browser = await openChromium();
    const { tenantId } = await auth.newTenant();
    const as = await auth.asPlatform();
    const body = { displayName: 'Acme & Söhne', logoUrl: logo };
    await auth.ask('PUT', `/v1/tenants/${tenantId}/branding`, { as, body });
    application = { ...(await auth.newApplication(tenantId)), tenantId };
    const other = await auth.newTenant();
    await auth.newConnection(other.tenantId);
    callback = await listen(createServer((_, response) => response.end('signed in')));
    failing = await auth.newApplication(other.tenantId, { redirectUris: [callback.url] });
    auth.provider.is({ sub: 'ada' });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await Promise.all([auth.stop(), idp.stop(), callback.stop(), documents.stop()]);
  });

  /** A page of its own, what its policy has refused, and what it has asked other hosts for. */
  async function opened(options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, ...options });
    const page = await context.newPage();
    const refused: string[] = [];
    const referrers: (string | undefined)[] = [];
    page.on('console', message => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text());
    });
    await context.route(`${logo}**`, route => {
      referrers.push(route.request().headers()['referer']);
      return route.fulfill({ contentType: 'image/svg+xml', body: svg });
    });
    return { page, refused, referrers, close: () => context.close() };
  }

  const authorize = (page: Page, client: Application, parameters: Record<string, unknown> = {}) =>
    page.goto(auth.authorizationUrl(client, parameters).url.href);
  const askForAddress = (page: Page) => authorize(page, ofPlatform, { redirect_uri });

  /** The page of a link that is for this test alone. */
  async function openSetup(page: Page, guide?: string): Promise<void> {
    const { tenantId } = application;
    const { body } = await auth.ask<{ url: string }>('POST', `/v1/tenants/${tenantId}/setup-links`, {
      as: await auth.asPlatform(),
      body: { name: 'Grace' },
    });
    await page.goto(body.url);
    if (guide === undefined) return;
    await page.locator('#guide').selectOption(guide);
    await page.locator('button.primary').click();
  }
  async function testSetup(page: Page): Promise<void> {
    await openSetup(page, 'okta-oidc');
    await page.locator('#issuer').fill(auth.provider.issuer);
    await page.locator('#clientId').fill('reeve');
    await page.locator('#clientSecret').fill('a secret');
    await page.locator('form[action$="/settings"] button').click();
    await page.locator('form[action$="/test"] button').click();
    await page.locator('.checks').waitFor();
  }

  /** Which goes to a program on this computer, and has much to say. */
  async function askForConsent(page: Page): Promise<void> {
    const as = await auth.asPlatform();
    const { tenantId, slug } = await auth.newTenant();
    await auth.newConnection(tenantId);
    for (const path of ['/v1/client-document-policy', `/v1/tenants/${tenantId}/client-document-policy`])
      await auth.ask('PUT', path, { as, body: { hosts: ['127.0.0.1'] } });
    const long = 'read.everything.that.is.anywhere.at.all.and.has.a.name.without.end';
    const resource = `https://${slug}.myproduct.example`;
    const scopes = [{ name: long }, { name: 'notes:read', description: 'Read your notes' }];
    const body = { name: 'Notes', identifier: resource, scopes, thirdPartyScopes: [long, 'notes:read'] };
    await auth.ask('POST', '/v1/resource-servers', { as, body });
    const redirect_uri = callback.url;
    const { id } = documents.publish({ client_name: 'N'.repeat(200), redirect_uris: [redirect_uri] });
    const scope = `openid profile email notes:read ${long}`;
    await authorize(page, { id, secret: '' } as never, { redirect_uri, tenant: slug, resource, scope });
    await page.locator('button[name=consent]').first().waitFor();
  }

  /** Each page, by how somebody comes to it. */
  const pages: Record<string, (page: Page) => Promise<unknown>> = {
    'that asks for an address': askForAddress,
    'that knows no such address': async page => {
      await askForAddress(page);
      await page.locator('#email').fill('ada@nowhere.example');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
    },
    'that knows no such organization': async page => {
      await askForAddress(page);
      await page.locator('summary').click();
      await page.locator('#tenant').fill('nobody-has-this');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
    },
    'with a name and a logo': page => authorize(page, application),
    'of a sign-in that failed': page => {
      auth.provider.refuses('access_denied');
      return authorize(page, failing, { redirect_uri: callback.url });
    },
    'of a request that is none': page => page.goto(`${auth.url}/auth?client_id=nobody`),
    'of an address that is none': page => page.goto(`${auth.url}/nowhere`),
    'that asks whether to sign out': async page => {
      auth.provider.is({ sub: 'ada' });
      await authorize(page, failing, { redirect_uri: callback.url });
      await page.goto(`${auth.url}/session/end`);
      await page.locator('button.primary').waitFor();
    },
    'that asks what an application may have': askForConsent,
    'of an account that allows something': async page => {
      await askForConsent(page);
      await page.locator('button.primary').click();
      await page.goto(`${auth.url}/account`);
      await page.locator('button[value^=gra_]').waitFor();
    },
    'of a set-up link': page => openSetup(page),
    'of a set-up link, with a vendor': page => openSetup(page, 'okta-saml'),
    'of a set-up link, whose settings are not taken': async page => {
      await openSetup(page, 'okta-saml');
      await page.locator('#metadataUrl').fill('https://127.0.0.1/metadata');
      await page.locator('form[action$="/settings"] button').click();
      await page.getByRole('alert').waitFor();
    },
    'of a set-up link, with a test that passed': async page => {
      auth.provider.is({ sub: 'ada', email: 'ada@acme.example', name: 'Ada' });
      await testSetup(page);
    },
    'of a set-up link, with a test that failed': async page => {
      auth.provider.refuses('access_denied');
      await testSetup(page);
    },
    'of a set-up link, with a rehearsal': async page => {
      auth.provider.is({ sub: 'ada', email: 'ada@acme.example', name: 'Ada' });
      await testSetup(page);
      await page.locator('button[formaction]').click();
      await page.locator('#rehearsal').waitFor();
    },
    'of a set-up link that is none': page => page.goto(`${auth.url}/setup/nothing`),
    'that says who is signed out': page => page.goto(`${auth.url}/session/end/success`),
  };

  for (const [name, open] of Object.entries(pages))
    test.each(['light', 'dark'] as const)(
      `a page ${name} is one that everybody can use, in the %s scheme`,
      async scheme => {
        const { page, refused, close } = await opened({ colorScheme: scheme, javaScriptEnabled: true });
        await open(page);
        expect(await wrongWith(page)).toEqual([]);
        expect(refused).toEqual([]);
        const directory = process.env['REEVE_SCREENSHOTS'];
        if (directory)
          await page.screenshot({ path: `${directory}/${name.replaceAll(' ', '-')}-${scheme}.png`, fullPage: true });
        await close();
      },
    );

  test('what an application may have is said without a script, and by keyboard alone', async () => {
    const { page, refused, close } = await opened({ javaScriptEnabled: false });
    await askForConsent(page);
    // Nobody allows it by pressing a key too often.
    expect(await page.locator(':focus').count()).toBe(0);
    await page.locator('button[value=no]').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${callback.url}/**`);
    expect([new URL(page.url()).searchParams.has('code'), refused]).toEqual([true, []]);
    await close();
  });

  test('a sign-in needs no script, and goes by keyboard from the address to what is wrong with it', async () => {
    const { page, close } = await opened({ javaScriptEnabled: false, locale: 'de-DE' });
    await askForAddress(page);
    // What is typed before the browser has put the cursor there is nobody's.
    await page.locator('#email:focus').waitFor();
    await page.keyboard.type('ada@nowhere.example');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    const field = page.getByLabel('Ihre berufliche E-Mail-Adresse');
    expect(await field.inputValue()).toBe('ada@nowhere.example');
    expect(await field.getAttribute('aria-describedby')).toBe('complaint');
    expect(await page.locator('#complaint').innerText()).toContain('Für diese Adresse gibt es keine Anmeldung.');
    await close();
  });

  test.each([
    ['en-GB', 'Your organization signs you in at'],
    ['de-AT', 'Ihre Organisation meldet Sie bei'],
    ['fr-CA', 'Votre organisation vous connecte'],
    ['es-MX', 'Su organización inicia su sesión en'],
    ['ja-JP', '組織のサインインは'],
  ])(
    'what leads to a SAML provider and what comes of it is said in the language of the browser (%s)',
    async (locale, words) => {
      const { tenantId } = await auth.newTenant();
      const onlyPost = idp.metadataXml().replaceAll('bindings:HTTP-Redirect', 'bindings:HTTP-POST');
      await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml: { metadataXml: onlyPost } });
      const own = await auth.newApplication(tenantId, { redirectUris: [callback.url] });
      const { page, close } = await opened({ locale });
      await authorize(page, own, { redirect_uri: callback.url });
      const language = locale.slice(0, 2);
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      expect(await page.locator('main').innerText()).toContain(words);
      expect(await wrongWith(page)).toEqual([]);
      idp.signs({ response: false, assertion: false });
      await page.locator('button.primary').click();
      await page.getByText('sign_in_failed').waitFor();
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      expect(await wrongWith(page)).toEqual([]);
      await close();
    },
  );

  test('a logo is shown, tells its host of no page, and what is in it runs nowhere', async () => {
    const { page, refused, referrers, close } = await opened();
    await authorize(page, application);
    await page.getByRole('img', { name: 'Acme & Söhne' }).waitFor();
    expect(await page.evaluate('document.images[0].naturalWidth')).toBe(120);
    expect(await page.title()).toBe('Sign in · Acme & Söhne · Chatter');
    expect([refused, referrers]).toEqual([[], [undefined]]);
    await close();
  });
});
