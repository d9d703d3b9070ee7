// A customer's admin with nothing but a link and Keycloak's own console: the values that the page gives are those that
// Keycloak takes, and what is wrong at Keycloak is named by the test sign-in.
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Keycloak } from '@reeve/local/keycloak';
import { registerProductApp } from '@reeve/local/product-app';
import { platformApi, type Tenant, tenantApi } from '@reeve/local/seed';
import { chromiumHint, chromiumPath } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import type { Page } from 'playwright-core';
import { runningSystem } from '../support/running-system.ts';
import { addOidcClient } from './keycloak-oidc-client.ts';
import { logIn } from './keycloak-page.ts';
import { ada, createRealm, type Realm } from './keycloak-realm.ts';
import { addSamlClient, descriptorUrl, type SamlWanted } from './keycloak-saml-client.ts';
import { goToSignIn, inChromium } from './peer-sign-in.ts';
import { lackingKeycloak, runningPeers } from './running-peers.ts';

const { keycloak } = runningPeers();
const isThere = keycloak !== null && chromiumPath !== undefined;

given(isThere, keycloak === null ? lackingKeycloak : chromiumHint).describe('a set-up link and Keycloak', () => {
  const credentials = runningSystem();
  const { newPerson } = inChromium();
  let realm: Realm;

  beforeAll(async () => {
    realm = await createRealm(keycloak as Keycloak);
    await realm.addPerson(ada);
  }, 60_000);

  /** The page of a link of a new tenant, at which a guide is chosen. */
  async function opened(guide: 'keycloak-oidc' | 'keycloak-saml') {
    const platform = platformApi(credentials);
    const slug = `setup-${randomBytes(5).toString('hex')}`;
    const tenant = await platform.post<Tenant>(`${credentials.urls.provisioning}/v1/tenants`, { slug, name: slug });
    const api = await tenantApi(credentials, tenant);
    const links = `${credentials.urls.auth}/v1/tenants/${tenant.id}/setup-links`;
    const { url } = await api.post<{ url: string }>(links, { name: 'Ada' });
    const page = await newPerson();
    await page.goto(url);
    await page.locator('#guide').selectOption(guide);
    await page.getByRole('button', { name: 'Continue' }).click();
    return { page, tenant, api };
  }

  const sendForm = (page: Page, name: string) => page.locator(`form[action$="/${name}"] button`).first().click();
  const outcomes = (page: Page) => page.locator('.checks strong').allInnerTexts();
  const valueOf = (page: Page, label: string) => page.getByLabel(label, { exact: true }).inputValue();

  async function tested(page: Page, isAsked = true): Promise<void> {
    await sendForm(page, 'test');
    if (isAsked) await logIn(page, ada);
    await page.waitForURL(/#test$/);
    await page.locator('.checks').waitFor();
  }

  async function withOidcClient() {
    const set = await opened('keycloak-oidc');
    const known = await addOidcClient(realm);
    await known.sendsBackTo(await valueOf(set.page, 'Valid redirect URIs'));
    await set.page.locator('#issuer').fill(realm.issuer);
    await set.page.locator('#clientId').fill(known.clientId);
    await set.page.locator('#clientSecret').fill(known.clientSecret);
    await sendForm(set.page, 'settings');
    await set.page.getByText('These settings are saved').waitFor();
    return { ...set, known };
  }

  async function withSamlClient(wanted: SamlWanted = {}) {
    const set = await opened('keycloak-saml');
    const metadataUrl = await valueOf(set.page, 'Client ID');
    await addSamlClient(realm, await (await fetch(metadataUrl)).text(), wanted);
    await set.page.locator('#metadataUrl').fill(descriptorUrl(realm));
    await sendForm(set.page, 'settings');
    await set.page.getByText('These settings are saved').waitFor();
    return set;
  }

  test.each([
    ['OpenID Connect', withOidcClient],
    ['SAML', withSamlClient],
  ] as const)('set up %s by the page alone: tested, activated, and somebody signs in', async (_, setUp) => {
    const { page, tenant, api } = await setUp();
    await tested(page);
    expect(new Set(await outcomes(page))).toEqual(new Set(['holds']));
    expect(await page.locator('main').innerText()).toContain(ada.email);
    await sendForm(page, 'activate');
    await page.getByText('It is active').waitFor();
    const app = await registerProductApp(api, credentials, tenant);
    const person = await newPerson();
    const signIn = await goToSignIn(person, { app, tenant });
    await logIn(person, ada);
    expect((await signIn.finish()).claims).toMatchObject({ email: ada.email, tid: tenant.id });
  });

  describe('name what is wrong at Keycloak', () => {
    const failing: [string, string, string, () => Promise<{ page: Page }>][] = [
      [
        'a secret that was replaced there',
        'client_secret_wrong',
        'It took the client ID and secret, and gave tokens: does not hold',
        async () => {
          const set = await withOidcClient();
          await set.known.newSecret();
          return set;
        },
      ],
      [
        'a signature that is not made',
        'saml_unsigned',
        'Its signature holds: does not hold',
        () => withSamlClient({ signs: 'nothing' }),
      ],
      [
        'an assertion that is encrypted by what is not taken',
        'saml_algorithm',
        'The answer can be read: does not hold',
        () => withSamlClient({ encryptsBy: { cipher: 'http://www.w3.org/2001/04/xmlenc#aes128-cbc' } }),
      ],
    ];

    test.each(failing)('%s is %s', async (_, cause, check, setUp) => {
      const { page } = await setUp();
      await tested(page);
      const text = await page.locator('main').innerText();
      expect([text.includes(cause), text.includes(check)]).toEqual([true, true]);
      expect(await page.locator('form[action$="/activate"]').count()).toBe(0);
    });

    test('keys that were rotated there are a certificate that is not known, until they are read again', async () => {
      const rotated = await createRealm(keycloak as Keycloak);
      await rotated.addPerson(ada);
      const before = realm;
      realm = rotated;
      const { page } = await withSamlClient();
      await rotated.addKey('RS256');
      await tested(page);
      expect(await page.locator('main').innerText()).toContain('saml_certificate_unknown');
      await sendForm(page, 'settings');
      await tested(page, false);
      expect(new Set(await outcomes(page))).toEqual(new Set(['holds']));
      realm = before;
    });
  });
});
