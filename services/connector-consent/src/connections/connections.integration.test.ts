// There and back: what is sent to a third party, what it gives, and what others try at the address that people return
// to.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type TenantId } from '@reeve/contracts';
import { type Browser, callers, createBrowser, eventually, type Page } from '@reeve/testing';
import {
  approved,
  type Consenting,
  consentsOf,
  lease,
  newTenant,
  opened,
  person,
  startConnectorConsent,
} from '../connector-consent.test-support.ts';

let service: Consenting;
let tenant: { id: TenantId; slug: string };

beforeAll(async () => {
  service = await startConnectorConsent();
  tenant = await newTenant(service);
}, 60_000);
afterAll(() => service.stop());
beforeEach(() => service.thirdParty.says());

const callback = () => `${service.url}/connect/callback`;
const problemOf = ({ status, text }: Page) => [status, /class="muted">(\w+)/.exec(text)?.[1]];
const isConnected = ({ text }: Page) => text.includes('is connected');

/** As far as the address that the third party sends the browser back to. */
async function returning(who = person(tenant.id), connectorId = 'calendar') {
  const installation = await approved(service, tenant.id, { connectorId });
  const { browser, shown } = await opened(service, installation.consentUrl, { who });
  const sent = await browser.submit(shown, { scope: ['read', 'write'], answer: 'allow' }, callback());
  return { ...installation, who, browser, sent, url: sent.url };
}

describe('whoever returns from the third party', () => {
  test('is the one that it was sent to, in the same browser, and once', async () => {
    const { browser, url } = await returning();
    const other = await returning();
    // Somebody of the same tenant with a session of their own, and somebody without.
    expect(problemOf(await other.browser.open(url))).toEqual([410, 'consent_expired']);
    service.issuer.signsIn(person(tenant.id));
    expect(problemOf(await createBrowser().open(url))).toEqual([410, 'consent_expired']);
    // They took nothing from its owner.
    expect(isConnected(await browser.open(url))).toBe(true);
    expect(problemOf(await browser.open(url))).toEqual([410, 'consent_expired']);
    expect(isConnected(await other.browser.open(other.url))).toBe(true);
  });

  test('is not somebody of another tenant', async () => {
    const elsewhere = await newTenant(service);
    const { browser } = await opened(service, (await approved(service, elsewhere.id)).consentUrl, {
      who: person(elsewhere.id),
    });
    const { url, browser: owner } = await returning();
    service.issuer.signsIn(person(elsewhere.id));
    expect(problemOf(await browser.open(url))).toEqual([400, 'sign_in_failed']);
    expect(isConnected(await owner.open(url))).toBe(true);
  });

  test.each([
    ['no state', (url: URL) => url.searchParams.delete('state')],
    ['a state that nobody was given', (url: URL) => url.searchParams.set('state', 'a'.repeat(43))],
    ['a state twice', (url: URL) => url.searchParams.append('state', 'a')],
  ])('with %s is told what a stranger is told, and begins no sign-in', async (_, change) => {
    const { browser, url } = await returning();
    const before = service.issuer.asked.length;
    const changed = new URL(url);
    change(changed);
    for (const one of [browser, createBrowser()])
      expect(problemOf(await one.open(changed))).toEqual([410, 'consent_expired']);
    expect(service.issuer.asked.length).toBe(before);
    expect(isConnected(await browser.open(url))).toBe(true);
  });

  test.each([
    ['a code that is not theirs', (url: URL) => url.searchParams.set('code', 'code-1')],
    ['a code twice', (url: URL) => url.searchParams.append('code', 'code-1')],
    ['no code', (url: URL) => url.searchParams.delete('code')],
    ['the name of another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
  ])('with %s is connected to nothing', async (_, change) => {
    const { browser, url, path } = await returning();
    change(url);
    expect(problemOf(await browser.open(url))).toEqual([400, 'sign_in_failed']);
    const connection = await service.ask('GET', `${path}/connection`, { as: callers.tenantClient(tenant.id) });
    expect(connection.body).toEqual({ state: 'not_connected', tokens: [] });
    expect(isConnected(await openReturned())).toBe(true);
  });

  test('signs in again when they were deactivated meanwhile', async () => {
    const stays = await returning();
    const { who, browser, url } = await returning();
    const details = { email: null, source: 'admin', cause: 'requested' };
    await service.announcer.announce(
      tenant.id,
      event('user.deactivated', { id: who.sub, because: 'requested', details }),
    );
    await asksToSignIn(browser, (await approved(service, tenant.id)).consentUrl);
    expect((await browser.open(url, service.issuer.url)).url.origin).toBe(service.issuer.url);
    expect(isConnected(await stays.browser.open(stays.url))).toBe(true);
  });

  test('finds the connector uninstalled meanwhile, and is connected to nothing', async () => {
    const { browser, url, path, who } = await returning();
    await service.ask('POST', `${path}:uninstall`, { as: callers.tenantClient(tenant.id) });
    await eventually('the end of the consent', async () =>
      (await consentsOf(service, tenant.id, path)).every(({ status }) => status === 'revoked'),
    );
    expect(problemOf(await browser.open(url))).toEqual([410, 'consent_expired']);
    expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
  });
});

describe('what a third party answers', () => {
  test('is, when its person said no there, that nothing was connected', async () => {
    service.thirdParty.says({ returns: { error: 'access_denied' } });
    const { browser, url, path } = await returning();
    expect((await browser.open(url)).text).toContain('Nothing was connected');
    expect(await consentsOf(service, tenant.id, path)).toMatchObject([{ status: 'denied' }]);
  });

  test.each([
    ['an error of its own', { returns: { error: 'server_error' } }],
    ['no token', { token: { access_token: undefined } }],
    ['a refusal', { tokenStatus: 400, token: { error: 'invalid_grant' } }],
    ['more than was consented to', { token: { scope: 'read write admin' } }],
    ['no scope at all', { token: { scope: '' } }],
    ['scopes that are blank', { token: { scope: '  ' } }],
    ['a token that needs a proof with each request', { token: { token_type: 'DPoP' } }],
    ['a token of a type that nobody knows', { token: { token_type: 'mac' } }],
    ['a token that says no type', { token: { token_type: undefined } }],
    ['an end that is no number', { token: { expires_in: 'soon' } }],
    ['an end that is negative', { token: { expires_in: -1 } }],
    ['an end that is a list', { token: { expires_in: [] } }],
  ])('%s connects nothing', async (_, said) => {
    service.thirdParty.says(said);
    const { browser, url, path } = await returning();
    expect(problemOf(await browser.open(url))).toEqual([400, 'sign_in_failed']);
    const connection = await service.ask('GET', `${path}/connection`, { as: callers.tenantClient(tenant.id) });
    expect(connection.body).toEqual({ state: 'not_connected', tokens: [] });
  });

  test.each([
    ['huge', 1e300, 365 * 86_400],
    ['more than a year', 400 * 86_400, 365 * 86_400],
    ['a fraction', 59.9, 59],
    ['nothing', 0, 0],
    ['a text of digits', '60', 60],
  ])('an end that is %s is kept as a moment within a year', async (_, expires_in, seconds) => {
    service.thirdParty.says({ token: { expires_in } });
    const { browser, url, path, who } = await returning();
    const before = Date.now();
    expect(isConnected(await browser.open(url))).toBe(true);
    const { expiresAt } = (await lease(service, tenant.id, { path, who })).body;
    const late = Date.parse(String(expiresAt)) - before - seconds * 1_000;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(5_000);
  });

  test('is no end where it says none, and the scopes that were asked for where it names none', async () => {
    service.thirdParty.says({ token: { expires_in: undefined } });
    const { browser, url, path, who } = await returning();
    await browser.open(url);
    const { body } = await lease(service, tenant.id, { path, who });
    expect(body).toMatchObject({ expiresAt: null, scopes: ['read', 'write'] });
  });

  test('is, when it gives access to nothing, told to the person', async () => {
    service.thirdParty.says({ token: { scope: '' } });
    expect((await openReturned()).text).toContain('gave access to nothing');
  });

  test('may say the type of its token in other letters', async () => {
    service.thirdParty.says({ token: { token_type: 'BEARER' } });
    expect(isConnected(await openReturned())).toBe(true);
  });

  test('may take its time', async () => {
    service.thirdParty.says({ meanwhile: () => new Promise(resolve => setTimeout(resolve, 300)) });
    expect(isConnected(await openReturned())).toBe(true);
  });

  test('of fewer scopes is kept, and what is missing is told', async () => {
    service.thirdParty.says({ token: { scope: 'read' } });
    const { browser, url, path } = await returning();
    await browser.open(url);
    const connection = await service.ask('GET', `${path}/connection`, { as: callers.tenantClient(tenant.id) });
    expect(connection.body).toMatchObject({
      state: 'connected',
      tokens: [{ status: 'stored', grantedScopes: ['read'], missingScopes: ['write'] }],
    });
  });

  test('about itself, when it leads to other hosts than the catalogue names, is not followed there', async () => {
    service.thirdParty.says({ discovery: { token_endpoint: 'https://evil.example/token' } });
    const { sent, path } = await returning(person(tenant.id), 'elsewhere');
    expect(problemOf(sent)).toEqual([503, 'dependency_unavailable']);
    expect(sent.headers.get('retry-after')).toBe('30');
    service.thirdParty.says();
    const later = await returning(person(tenant.id), 'elsewhere');
    expect(isConnected(await later.browser.open(later.url))).toBe(true);
    expect(
      (await service.ask<{ status: string }>('GET', path, { as: callers.tenantClient(tenant.id) })).body.status,
    ).toBe('approved');
  });
});

async function openReturned(): Promise<Page> {
  const { browser, url } = await returning();
  return browser.open(url);
}

const asksToSignIn = (browser: Browser, url: string) =>
  eventually('the sign-in', async () => (await browser.open(url, service.issuer.url)).status === 0);
