// Signing in by SAML with Keycloak, in a real browser: each reads the other's metadata, and what Reeve takes of what
// Keycloak can be told to send.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Keycloak } from '@reeve/local/keycloak';
import { callback } from '@reeve/local/product-app';
import { chromiumHint, chromiumPath } from '@reeve/testing/chromium';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';
import type { Page } from 'playwright-core';
import { runningSystem } from '../support/running-system.ts';
import { confirm, logIn } from './keycloak-page.ts';
import { ada, createRealm, type Realm } from './keycloak-realm.ts';
import { addSamlClient, descriptorUrl, type SamlWanted, samlDescriptor } from './keycloak-saml-client.ts';
import {
  type Company,
  company,
  goToSignIn,
  inChromium,
  refusals,
  serviceProviderMetadata,
  signOut,
} from './peer-sign-in.ts';
import { lackingKeycloak, runningPeers } from './running-peers.ts';

const { keycloak } = runningPeers();
const isThere = keycloak !== null && chromiumPath !== undefined;

const gcm = 'http://www.w3.org/2009/xmlenc11#aes256-gcm';
const cbc = 'http://www.w3.org/2001/04/xmlenc#aes128-cbc';
const oaep = {
  keyTransport: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  digest: 'http://www.w3.org/2000/09/xmldsig#sha1',
};

given(isThere, keycloak === null ? lackingKeycloak : chromiumHint).describe('by Keycloak and SAML', () => {
  const credentials = runningSystem();
  const { newPerson } = inChromium();
  let realm: Realm;

  beforeAll(async () => {
    realm = await createRealm(keycloak as Keycloak);
    await realm.addPerson(ada);
  }, 60_000);

  /** A tenant whose people are those of the realm; `unsolicitedUrl` is where they begin at Keycloak. */
  async function companyAtKeycloak(wanted: SamlWanted = {}, saml: object = {}) {
    let unsolicitedUrl = '';
    const own = await company(credentials, {
      settings: { kind: 'saml', saml: { metadataUrl: descriptorUrl(realm), ...saml } },
      async introduce(connection) {
        const metadata = await serviceProviderMetadata(credentials, connection);
        ({ unsolicitedUrl } = await addSamlClient(realm, metadata, wanted));
      },
    });
    return { ...own, unsolicitedUrl };
  }

  async function signInAnew(own: Company) {
    const page = await newPerson();
    const signIn = await goToSignIn(page, own);
    await logIn(page, ada);
    return { page, ...(await signIn.finish()) };
  }

  /** Somebody who is not let in, and why. */
  async function refusedAnew(own: Company): Promise<string[]> {
    const page = await newPerson();
    await goToSignIn(page, own);
    await logIn(page, ada);
    return refusals(page, own);
  }

  const isAtKeycloak = (page: Page) => page.url().startsWith(`${realm.issuer}/`);

  describe('somebody signs in', () => {
    test.each(['assertion', 'response', 'both'] as const)('with what is signed: %s', async signs => {
      const own = await companyAtKeycloak({ signs });
      const { claims } = await signInAnew(own);
      expect(claims).toMatchObject({
        sub: expect.stringMatching(/^usr_/),
        tid: own.tenant.id,
        email: ada.email,
        name: 'Ada Lovelace',
        amr: ['fed'],
        acr: 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified',
      });
      expect(Number(claims['auth_time'])).toBeGreaterThan(Date.now() / 1_000 - 60);
      expect((await signInAnew(own)).claims.sub).toBe(claims.sub);
    });

    test.each([
      ['AES-256-GCM', { encryptsBy: { cipher: gcm, ...oaep } }],
      ['what Keycloak takes where nothing is said', { encryptsBy: {} }],
      ['AES-128-CBC, in a response that is signed', { signs: 'both', encryptsBy: { cipher: cbc, ...oaep } }],
    ] as [string, SamlWanted][])('with an assertion that is encrypted by %s', async (_, wanted) => {
      const own = await companyAtKeycloak(wanted, { wantEncrypted: true });
      expect((await signInAnew(own)).claims).toMatchObject({ email: ada.email });
    });

    test('by metadata that an administrator has copied', async () => {
      const metadataXml = await samlDescriptor(realm);
      const own = await companyAtKeycloak({}, { metadataUrl: undefined, metadataXml });
      expect((await signInAnew(own)).claims).toMatchObject({ email: ada.email });
    });

    test('once more, where the application says prompt=login', async () => {
      const own = await companyAtKeycloak();
      const { page, claims } = await signInAnew(own);
      const signIn = await goToSignIn(page, own, { prompt: 'login' });
      expect(isAtKeycloak(page)).toBe(true);
      await confirm(page, ada);
      expect((await signIn.finish()).claims).toMatchObject({ sub: claims.sub, sid: claims['sid'] });
    });

    test('who begins at Keycloak, where that is allowed, by way of the application', async () => {
      const own = await companyAtKeycloak({ startsByItself: true });
      const page = await newPerson();
      await page.goto(own.unsolicitedUrl);
      await logIn(page, ada);
      expect(await refusals(page, own)).toEqual(['unsolicited']);
      const initiateLoginUri = `${new URL(callback).origin}/begin`;
      const { clientId } = own.app;
      await own.api.patch(`${credentials.urls.auth}/v1/tenants/${own.tenant.id}/clients/${clientId}`, {
        initiateLoginUri,
      });
      await own.change({ saml: { allowIdpInitiated: true, idpInitiatedClientId: clientId } });
      await page.goto(own.unsolicitedUrl);
      await page.waitForURL(`${initiateLoginUri}?**`);
      const connection = String(new URL(page.url()).searchParams.get('connection'));
      expect(connection).toBe(own.connection.id);
      expect((await (await goToSignIn(page, own, { connection })).finish()).claims).toMatchObject({ email: ada.email });
    });
  });

  describe('nobody is let in', () => {
    test('by what is not signed', async () => {
      expect(await refusedAnew(await companyAtKeycloak({ signs: 'nothing' }))).toEqual(['saml_signature']);
    });

    test('by what is not encrypted, where that is wanted', async () => {
      expect(await refusedAnew(await companyAtKeycloak({}, { wantEncrypted: true }))).toEqual(['saml_encryption']);
    });

    test('by a cipher that does not notice changes, where no signature does', async () => {
      const wanted: SamlWanted = { encryptsBy: { cipher: cbc, ...oaep } };
      expect(await refusedAnew(await companyAtKeycloak(wanted, { wantEncrypted: true }))).toEqual(['saml_algorithm']);
    });

    test('whose request is not signed as Keycloak knows us', async () => {
      const other = await companyAtKeycloak();
      const metadata = await serviceProviderMetadata(credentials, other.connection);
      const [, foreign] = /X509Certificate>([^<]+)</.exec(metadata) ?? [];
      const own = await companyAtKeycloak({ requestsSignedBy: String(foreign) });
      const page = await newPerson();
      await goToSignIn(page, own);
      await page.getByText('Invalid requester').waitFor();
      expect(isAtKeycloak(page)).toBe(true);
    });

    test('by a key that Keycloak has changed, until its metadata are read again', async () => {
      const own = await companyAtKeycloak();
      await signInAnew(own);
      await realm.addKey('RS256');
      expect(await refusedAnew(own)).toEqual(['saml_signature']);
      await own.change({ saml: { metadataUrl: descriptorUrl(realm) } });
      expect((await signInAnew(own)).claims).toMatchObject({ email: ada.email });
    });
  });

  describe('the session ends', () => {
    const sessionsOf = (own: Company, userId: string) =>
      own.api.get<{ items: { status: string }[] }>(
        `${credentials.urls.auth}/v1/tenants/${own.tenant.id}/users/${userId}/sessions`,
      );

    test('at Keycloak as well, when somebody signs out at the application', async () => {
      const own = await companyAtKeycloak({ signs: 'both' });
      const { page } = await signInAnew(own);
      await signOut(page, credentials);
      const signIn = await goToSignIn(page, own);
      expect(isAtKeycloak(page)).toBe(true);
      await logIn(page, ada);
      expect((await signIn.finish()).claims).toMatchObject({ email: ada.email });
    });

    test('at Reeve as well, when somebody signs out at Keycloak', async () => {
      const own = await companyAtKeycloak({ signs: 'both' });
      const { page, claims } = await signInAnew(own);
      await page.goto(`${realm.issuer}/protocol/openid-connect/logout`);
      await page.getByRole('button', { name: 'Logout' }).click();
      await page.getByRole('heading', { name: 'You are logged out' }).waitFor();
      await eventually('the end of the session', async () => {
        const { items } = await sessionsOf(own, claims.sub);
        return items.every(({ status }) => status === 'revoked');
      });
    });
  });
});
