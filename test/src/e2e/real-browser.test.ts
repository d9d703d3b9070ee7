// The pages in a real browser, which applies what a scripted client ignores: content security policies, cookies'
// attributes, the keyboard.
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { approveDemoConnector, endpointOf } from '@reeve/local/connector-story';
import { beginSignIn, callback, registerProductApp } from '@reeve/local/product-app';
import { type Browser, chromiumHint, chromiumPath, openChromium, type Page } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { demoUser, freshTenant, runningSystem } from '../support/running-system.ts';

const credentials = runningSystem();
const [alice, grace] = [demoUser(credentials, 0), demoUser(credentials, 2)];

given(chromiumPath !== undefined, chromiumHint).describe('in a real browser', () => {
  let browser: Browser;
  let page: Page;
  const refusals: string[] = [];
  // The application's callback.
  const application = createServer((_, response) => response.end('signed in'));

  beforeAll(async () => {
    application.listen(new URL(callback).port);
    browser = await openChromium();
    page = await (await browser.newContext({ viewport: { width: 360, height: 640 } })).newPage();
    page.on('console', message => {
      if (message.text().includes('Content Security Policy')) refusals.push(message.text());
    });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    application.closeAllConnections();
    application.close();
  });

  async function logIn({ email, password }: { email: string; password: string }) {
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
  }

  test('a person consents by keyboard alone, in a small window, and the connector is connected', async () => {
    const own = await freshTenant(credentials, 'browser');
    const installation = await approveDemoConnector(own.api, credentials, own.tenant);
    await page.goto(String(installation.consentUrl));
    await logIn(alice);
    await page.getByRole('heading', { name: 'Connect Demo Calendar?' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await page.getByLabel('Add and change events in your calendar').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Demo Calendar is connected' }).waitFor();
    await endpointOf(own.api, credentials, own.tenant, installation);
    const connection = `${credentials.urls.connectorConsent}/v1/tenants/${own.tenant.id}/installations/${installation.id}/connection`;
    expect(await own.api.get(connection)).toMatchObject({ tokens: [{ grantedScopes: ['calendar.read'] }] });
    expect(refusals).toEqual([]);
  }, 60_000);

  test('a newcomer signs in with what the demo login page says, and it fits a small window', async () => {
    const own = await freshTenant(credentials, 'browser');
    const app = await registerProductApp(own.api, credentials, own.tenant);
    const { url } = await beginSignIn(app, own.tenant);
    url.searchParams.set('prompt', 'login');
    await page.goto(url.href);
    const [email, password] = await page
      .getByRole('listitem')
      .filter({ hasText: 'Bob' })
      .locator('code')
      .allInnerTexts();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await logIn({ email: 'bob@acme.example', password: 'wrong' });
    expect(await page.getByRole('alert').innerText()).toBe('Address or password is wrong.');
    await logIn({ email: String(email), password: String(password) });
    await page.waitForURL(`${callback}**`);
    expect(new URL(page.url()).searchParams.get('code')).toEqual(expect.any(String));
  }, 60_000);

  test('somebody else signs in to another tenant in the same browser', async () => {
    const own = await freshTenant(credentials, 'browser');
    const app = await registerProductApp(own.api, credentials, own.tenant);
    const { url } = await beginSignIn(app, own.tenant);
    url.searchParams.set('prompt', 'login');
    await page.goto(url.href);
    await logIn(grace);
    await page.waitForURL(`${callback}**`);
    expect(new URL(page.url()).searchParams.get('code')).toEqual(expect.any(String));
    expect(refusals).toEqual([]);
  }, 60_000);
});
