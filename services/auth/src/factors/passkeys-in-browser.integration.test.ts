// Second factors in a real browser, as people meet them: with the policy of our pages, a virtual authenticator, and on
// the smallest screen.
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { listen } from '@reeve/testing';
import { type Browser, chromiumHint, chromiumPath, openChromium, type Page, wrongWith } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { Secret, TOTP } from 'otpauth';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

const mfa = 'urn:reeve:acr:mfa';
const resistant = 'urn:reeve:acr:phishing-resistant';

given(chromiumPath !== undefined, chromiumHint).describe('in a real browser', () => {
  let auth: Auth;
  let browser: Browser;
  let application: Application;
  let callback: Awaited<ReturnType<typeof listen>>;

  beforeAll(async () => {
    auth = await startAuth({ REEVE_PRODUCT_NAME: 'Chatter' }, { host: 'localhost' });
    browser = await openChromium();
    callback = await listen(createServer((_, response) => response.end('signed in')));
    const { tenantId } = await auth.newTenant();
    await auth.newConnection(tenantId);
    application = await auth.newApplication(tenantId, { redirectUris: [callback.url] });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await Promise.all([auth.stop(), callback.stop()]);
  });

  async function opened({ javaScriptEnabled = true, locale = 'en-GB' } = {}) {
    const context = await browser.newContext({
      viewport: { width: 320, height: 640 },
      javaScriptEnabled,
      locale,
    });
    const page = await context.newPage();
    const refused: string[] = [];
    page.on('console', message => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text());
    });
    return { page, refused, close: () => context.close() };
  }

  /** As a device has one that knows its owner by their finger. */
  async function withAuthenticator(page: Page) {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return {
      verifies: (isUserVerified: boolean) =>
        devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    };
  }

  const authorize = (page: Page, acr_values: string) =>
    page.goto(auth.authorizationUrl(application, { redirect_uri: callback.url, acr_values }).url.href);
  const button = (page: Page, name: string) => page.getByRole('button', { name });

  test('a passkey is set up, shown at the next sign-in, and refused where its owner is not recognized', async () => {
    auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
    const { page, refused, close } = await opened();
    const authenticator = await withAuthenticator(page);
    await authorize(page, resistant);
    await button(page, 'Set up a passkey').waitFor();
    expect(await wrongWith(page)).toEqual([]);
    await page.getByLabel('What you call this device, if you like').fill('My laptop');
    await button(page, 'Set up a passkey').click();
    await page.getByText('Keep these recovery codes').first().waitFor();
    expect(await wrongWith(page)).toEqual([]);
    await button(page, 'I have kept them').click();
    await page.getByText('signed in').waitFor();

    // At the same browser, with nobody signed in.
    await page.context().clearCookies();
    await authorize(page, resistant);
    await button(page, 'Use a passkey').waitFor();
    expect(await wrongWith(page)).toEqual([]);
    await authenticator.verifies(false);
    await button(page, 'Use a passkey').click();
    await page.getByText('The passkey was not accepted').waitFor();
    expect(await wrongWith(page)).toEqual([]);
    await authenticator.verifies(true);
    await button(page, 'Use a passkey').click();
    await page.getByText('signed in').waitFor();
    expect(refused).toEqual([]);
    await close();
  }, 30_000);

  test.each(['en-GB', 'de-DE', 'fr-FR', 'es-ES', 'ja-JP'])(
    'an authenticator application is set up and shown without any script (%s)',
    async locale => {
      auth.provider.is({ sub: newId('request'), email: 'grace@acme.example' });
      const { page, refused, close } = await opened({ javaScriptEnabled: false, locale });
      await authorize(page, mfa);
      expect(await page.locator('html').getAttribute('lang')).toBe(locale.slice(0, 2));
      await page.locator('button[value=totp]').click();
      expect(await page.locator('figure svg').count()).toBe(1);
      const secret = ((await page.locator('code').innerText()) ?? '').replaceAll(' ', '');
      const code = (step: number) =>
        new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + step * 30_000 });
      await page.locator('#code').fill(code(0));
      await page.keyboard.press('Enter');
      await page.locator('li code').first().waitFor();
      const recovery = await page.locator('li code').nth(3).innerText();
      await page.locator('button.primary').click();
      await page.getByText('signed in').waitFor();
      await page.context().clearCookies();
      await authorize(page, mfa);
      await page.locator('#code').fill('000000');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      await page.locator('summary').click();
      await page.locator('#recovery').fill(recovery);
      await page.keyboard.press('Enter');
      await page.getByText('signed in').waitFor();
      expect(refused).toEqual([]);
      await close();
    },
    30_000,
  );

  test.each(['light', 'dark'] as const)(
    'each page is one that everybody can use, in the %s scheme',
    async colorScheme => {
      auth.provider.is({ sub: newId('request'), email: 'a.very.long.name.of.somebody@subsidiary.acme.example' });
      const { page, close } = await opened({ locale: 'de-DE' });
      await page.emulateMedia({ colorScheme });
      await authorize(page, mfa);
      expect(await wrongWith(page)).toEqual([]);
      await page.locator('button[value=totp]').click();
      await page.locator('figure svg').waitFor();
      expect(await wrongWith(page)).toEqual([]);
      const secret = (await page.locator('code').innerText()).replaceAll(' ', '');
      await page.locator('#code').fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate());
      await page.keyboard.press('Enter');
      await page.locator('li code').first().waitFor();
      expect(await wrongWith(page)).toEqual([]);
      await page.locator('button.primary').click();
      await page.getByText('signed in').waitFor();
      await page.context().clearCookies();
      await authorize(page, mfa);
      await page.locator('#code').fill('000000');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      expect(await wrongWith(page)).toEqual([]);
      await close();
    },
  );
});
