// A tenant's name and logo, and who gets to see them: by a page nobody learns who is a tenant here.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Browser, type EventReader, readEvents } from '@reeve/testing';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

const acme = { displayName: 'Acme & Söhne', logoUrl: 'https://logos.acme.example/logo.svg' };
/** Of the product's own, for people of every tenant. */
const ofPlatform = { id: 'reeve-consent', secret: '' } as unknown as Application;
const redirect_uri = 'http://127.0.0.1:1/sign-in/callback';

let auth: Auth;
let events: EventReader;
beforeAll(async () => {
  auth = await startAuth({ REEVE_PRODUCT_NAME: 'Chatter' });
  events = await readEvents('reeve.auth.v1');
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});
beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true }));

const pathOf = (tenantId: string) => `/v1/tenants/${tenantId}/branding`;

async function branded(body: unknown = acme) {
  const tenant = await auth.newTenant();
  const as = await auth.asPlatform();
  const set = await auth.ask<Record<string, unknown>>('PUT', pathOf(tenant.tenantId), { as, body });
  return { ...tenant, as, set };
}

type Shown = Awaited<ReturnType<Browser['open']>>;
const policyOf = ({ headers }: Shown) => headers.get('content-security-policy');
const titleOf = ({ text }: Shown) => /<title>(.*)<\/title>/.exec(text)?.[1];

function expectBrand(shown: Shown) {
  expect(titleOf(shown)).toMatch(/ · Acme &amp; Söhne · Chatter$/);
  expect(shown.text).toContain(`<img src="${acme.logoUrl}" alt="Acme &amp; Söhne"`);
  expect(policyOf(shown)).toContain(' img-src https://logos.acme.example;');
}

function expectNoBrand(shown: Shown) {
  expect(titleOf(shown)).toMatch(/^[^·]+ · Chatter$/);
  expect(shown.text).not.toMatch(/Acme|<img/);
  expect(policyOf(shown)).not.toContain('img-src');
}

describe('the branding of a tenant', () => {
  test('is nothing at first, is set as a whole, and is told of', async () => {
    const { tenantId } = await auth.newTenant();
    const as = await auth.asPlatform();
    const before = await auth.ask('GET', pathOf(tenantId), { as });
    expect([before.status, before.body]).toEqual([200, { displayName: null, logoUrl: null }]);
    const set = await auth.ask('PUT', pathOf(tenantId), { as, body: acme });
    expect([set.status, set.body]).toEqual([200, acme]);
    expect((await auth.ask('GET', pathOf(tenantId), { as })).body).toEqual(acme);
    const told = await events.seen(tenantId, 'branding.updated', tenantId);
    expect(told.data).toMatchObject({ details: acme, actor: { id: auth.platform.id } });
    const none = { displayName: null, logoUrl: null };
    expect((await auth.ask('PUT', pathOf(tenantId), { as, body: none })).body).toEqual(none);
  });

  test('is changed in the version that was seen, and in no other', async () => {
    const { tenantId, as, set } = await branded();
    const etag = set.headers.get('etag') ?? '';
    const change = (version: string, displayName: string) =>
      auth.ask('PUT', pathOf(tenantId), { as, body: { ...acme, displayName }, headers: { 'if-match': version } });
    expect((await change(etag, 'One')).status).toBe(200);
    expect((await change(etag, 'Two')).status).toBe(412);
    expect((await auth.ask('GET', pathOf(tenantId), { as })).body).toMatchObject({ displayName: 'One' });
  });

  test.each([
    ['logoUrl', { logoUrl: 'javascript:alert(1)' }],
    ['logoUrl', { logoUrl: 'data:image/png;base64,AAAA' }],
    ['logoUrl', { logoUrl: 'http://logos.acme.example/logo.svg' }],
    ['logoUrl', { logoUrl: 'https://x;script-src.acme.example/logo.svg' }],
    ['displayName', { displayName: 'Acme \u202egnp.exe' }],
    ['displayName', { displayName: 'x'.repeat(10_000) }],
    ['displayName', { displayName: null }],
  ])('is refused with the name of the field: %s of %j', async (field, wrong) => {
    const { set } = await branded({ ...acme, ...wrong });
    expect([set.status, set.body]).toEqual([
      400,
      expect.objectContaining({ code: 'input_invalid', errors: [expect.objectContaining({ field })] }),
    ]);
  });
});

describe('a page', () => {
  test('of a tenant’s own application shows it, errors among them', async () => {
    const { tenantId } = await branded();
    const application = await auth.newApplication(tenantId);
    expectBrand((await auth.authorize(application)).page);
    await auth.newConnection(tenantId);
    auth.provider.refuses('access_denied');
    const failed = (await auth.authorize(application)).page;
    expect(failed.text).toContain('sign_in_failed (refused)');
    expectBrand(failed);
  });

  test('shows a name that is markup as the text that it is', async () => {
    const { tenantId } = await branded({ displayName: '<img src=x onerror=alert(1)>', logoUrl: null });
    const { page } = await auth.authorize(await auth.newApplication(tenantId));
    expect(page.text).toContain('<bdi>&lt;img src=x onerror=alert(1)&gt;</bdi>');
    expect(page.text).not.toContain('<img');
  });

  test('of an application for all tenants shows it where the application names the tenant', async () => {
    const { tenantId, slug } = await branded();
    for (const tenant of [tenantId, slug])
      expectBrand((await auth.authorize(ofPlatform, { redirect_uri, tenant })).page);
    expectNoBrand((await auth.authorize(ofPlatform, { redirect_uri, tenant: 'nobody-has-this' })).page);
  });

  test('shows it to nobody who has typed the tenant, or an address: not there, and not when it fails', async () => {
    const { tenantId, slug } = await branded();
    const { browser, page } = await auth.authorize(ofPlatform, { redirect_uri });
    expectNoBrand(page);
    expectNoBrand(await browser.submit(page, { tenant: slug }));
    await auth.newConnection(tenantId);
    auth.provider.refuses('access_denied');
    const failed = await browser.submit(page, { tenant: slug });
    expect(failed.text).toContain('sign_in_failed (refused)');
    expectNoBrand(failed);
  });

  test('is not another tenant’s', async () => {
    const [other, { slug }] = [await auth.newTenant(), await branded()];
    const application = await auth.newApplication(other.tenantId);
    expectNoBrand((await auth.authorize(application, { tenant: slug })).page);
  });
});

describe('the language of a page', () => {
  const langOf = ({ text }: Shown) => /<html lang="(\w+)"/.exec(text)?.[1];

  test('is the one that the application asks for, also of an error', async () => {
    const { tenantId } = await branded();
    const application = await auth.newApplication(tenantId);
    const asked = (ui_locales: string) => auth.authorize(application, { ui_locales }).then(({ page }) => page);
    expect([await asked('de-CH en'), await asked('nl ja'), await asked('nl')].map(langOf)).toEqual(['de', 'ja', 'en']);
    await auth.newConnection(tenantId);
    auth.provider.refuses('access_denied');
    const failed = await asked('de-CH en');
    expect(failed.text).toContain('<html lang="de"');
    expect(failed.text).toContain('Ihre Organisation hat Sie nicht angemeldet');
  });

  test('is one that the browser accepts otherwise, and English for what is no language', async () => {
    const accepting = async (language: string) => {
      const response = await fetch(`${auth.url}/nowhere`, {
        headers: { accept: 'text/html', 'accept-language': language },
      });
      return /<html lang="(\w+)"/.exec(await response.text())?.[1];
    };
    expect(await Promise.all(['es-MX,en;q=0.5', 'nl, fr;q=0.5', '*', '"><x', ',;q=,'].map(accepting))).toEqual([
      'es',
      'fr',
      'en',
      'en',
      'en',
    ]);
  });
});
