// Signing in by OpenID Connect with Keycloak, in a real browser: what Reeve makes of what Keycloak really sends, where
// the person goes, and where they stay.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Keycloak } from '@reeve/local/keycloak';
import { callback } from '@reeve/local/product-app';
import { chromiumHint, chromiumPath } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import * as client from 'openid-client';
import type { Page } from 'playwright-core';
import { runningSystem } from '../support/running-system.ts';
import { addOidcClient, type OidcClient } from './keycloak-oidc-client.ts';
import { confirm, logIn } from './keycloak-page.ts';
import { type Algorithm, ada, createRealm, type Person, type Realm } from './keycloak-realm.ts';
import { type Company, company, goToSignIn, inChromium, refusals } from './peer-sign-in.ts';
import { lackingKeycloak, runningPeers } from './running-peers.ts';

const { keycloak } = runningPeers();
const isThere = keycloak !== null && chromiumPath !== undefined;

given(isThere, keycloak === null ? lackingKeycloak : chromiumHint).describe('by Keycloak and OpenID Connect', () => {
  const credentials = runningSystem();
  const { newPerson } = inChromium();
  let realm: Realm;
  let adaAtKeycloak: string;
  let acme: Company;

  beforeAll(async () => {
    realm = await createRealm(keycloak as Keycloak);
    adaAtKeycloak = await realm.addPerson(ada);
    [acme] = await companyAtKeycloak();
  }, 60_000);

  /** A tenant whose people are those of the realm, and what it is there. */
  async function companyAtKeycloak(
    settings: { domains?: string[]; jit?: { enabled: boolean } } = {},
    wanted: { consentRequired?: boolean } = {},
    at = realm,
  ): Promise<[Company, OidcClient]> {
    const known = await addOidcClient(at, wanted);
    const oidc = { issuer: at.issuer, clientId: known.clientId, clientSecret: known.clientSecret };
    const own = await company(credentials, {
      settings: { kind: 'oidc', oidc, ...settings },
      introduce: ({ redirectUri }) => known.sendsBackTo(redirectUri),
    });
    return [own, known];
  }

  const isAtKeycloak = (page: Page) => page.url().startsWith(`${realm.issuer}/`);

  /** Somebody who is signed in nowhere yet signs in. */
  async function signInAnew(own: Company, person = ada) {
    const page = await newPerson();
    const signIn = await goToSignIn(page, own);
    await logIn(page, person);
    return { page, ...(await signIn.finish()) };
  }

  /** Signs in to an application that is no business of Reeve's, and gives when Keycloak says that this was. */
  async function signInElsewhere(page: Page, person: Person | null): Promise<number> {
    const redirectUri = `${callback}/elsewhere`;
    const { clientId, clientSecret } = await addOidcClient(realm, { redirectUris: [redirectUri] });
    const elsewhere = await client.discovery(new URL(realm.issuer), clientId, clientSecret, undefined, {
      execute: [client.allowInsecureRequests],
    });
    await page.goto(client.buildAuthorizationUrl(elsewhere, { redirect_uri: redirectUri, scope: 'openid' }).href);
    if (person) await logIn(page, person);
    await page.waitForURL(`${redirectUri}**`);
    const tokens = await client.authorizationCodeGrant(elsewhere, new URL(page.url()));
    return Number(tokens.claims()?.auth_time);
  }

  /** Times of sign-ins are whole seconds. */
  const secondsAfter = (seconds: number, count: number) =>
    new Promise(resolve => setTimeout(resolve, (seconds + count) * 1_000 - Date.now()));
  const refusalOn = (page: Page) => page.locator('body').innerText();

  describe('somebody signs in', () => {
    test('and the application learns who it is, and how and when they signed in', async () => {
      const { page, claims, tokens } = await signInAnew(acme);
      expect(claims).toMatchObject({
        iss: credentials.issuer,
        aud: acme.app.clientId,
        sub: expect.stringMatching(/^usr_/),
        tid: acme.tenant.id,
        sid: expect.stringMatching(/^ses_/),
        email: ada.email,
        name: 'Ada Lovelace',
        roles: ['tenant_member'],
        // Keycloak says its level of a password, and no methods.
        acr: '1',
        amr: ['fed'],
        auth_time: await signInElsewhere(page, null),
      });
      expect(tokens.refresh_token).toEqual(expect.any(String));
    });

    test('a second time, at another browser, and is the same user', async () => {
      const [first, second] = [await signInAnew(acme), await signInAnew(acme)];
      expect(second.claims.sub).toBe(first.claims.sub);
      expect(second.claims['sid']).not.toBe(first.claims['sid']);
    });

    test('while signed in there already, without being asked, and has signed in when they did there', async () => {
      const page = await newPerson();
      const signedInAt = await signInElsewhere(page, ada);
      const { claims } = await (await goToSignIn(page, acme)).finish();
      // Its level of a sign-in that is remembered.
      expect(claims).toMatchObject({ email: ada.email, auth_time: signedInAt, acr: '0' });
    });

    test.each<Algorithm>(['RS256', 'PS256', 'ES256', 'EdDSA'])(
      'with an ID token that is signed by %s',
      async algorithm => {
        const [own, known] = await companyAtKeycloak();
        await known.signsWith(algorithm);
        expect((await signInAnew(own)).claims).toMatchObject({ email: ada.email });
        expect(await realm.activeKeys()).toHaveProperty(algorithm);
      },
    );

    test.each(['RS256', 'ES256'] as const)('at once when a key of %s was changed a moment ago', async algorithm => {
      // Of its own, since an issuer is asked for new keys only so often.
      const rotated = await createRealm(keycloak as Keycloak);
      await rotated.addPerson(ada);
      const [own, known] = await companyAtKeycloak({}, {}, rotated);
      await known.signsWith(algorithm);
      await signInAnew(own);
      const before = (await rotated.activeKeys())[algorithm];
      await rotated.addKey(algorithm);
      expect((await rotated.activeKeys())[algorithm]).not.toBe(before);
      expect((await signInAnew(own)).claims).toMatchObject({ email: ada.email });
    });
  });

  describe('somebody who is signed in has to sign in once more', () => {
    test('where the application says prompt=login', async () => {
      const { page, claims } = await signInAnew(acme);
      await secondsAfter(Number(claims['auth_time']), 1);
      const signIn = await goToSignIn(page, acme, { prompt: 'login' });
      expect(isAtKeycloak(page)).toBe(true);
      await confirm(page, ada);
      const again = await signIn.finish();
      expect(again.claims).toMatchObject({ sub: claims.sub, sid: claims['sid'], acr: '1' });
      expect(Number(again.claims['auth_time'])).toBeGreaterThan(Number(claims['auth_time']));
      const without = await (await goToSignIn(page, acme)).finish();
      expect(without.claims['auth_time']).toBe(again.claims['auth_time']);
    });

    test('where that is longer ago than max_age, at Reeve or at Keycloak alone', async () => {
      const page = await newPerson();
      const signedInAt = await signInElsewhere(page, ada);
      const within = await (await goToSignIn(page, acme, { max_age: '600' })).finish();
      expect(within.claims['auth_time']).toBe(signedInAt);
      const stranger = await newPerson();
      await secondsAfter(await signInElsewhere(stranger, ada), 2);
      for (const tooLate of [page, stranger]) {
        const signIn = await goToSignIn(tooLate, acme, { max_age: '1' });
        expect(isAtKeycloak(tooLate)).toBe(true);
        await confirm(tooLate, ada);
        expect(Number((await signIn.finish()).claims['auth_time'])).toBeGreaterThan(signedInAt);
      }
    });
  });

  describe('nobody comes back', () => {
    test('with a wrong password; with the right one they do', async () => {
      const page = await newPerson();
      const signIn = await goToSignIn(page, acme);
      await logIn(page, { ...ada, password: 'wrong' });
      await page.getByText('Invalid username or password.').waitFor();
      expect(isAtKeycloak(page)).toBe(true);
      await logIn(page, ada);
      expect((await signIn.finish()).claims).toMatchObject({ email: ada.email });
    });

    test('who was disabled there, whether they were signed in or not; enabled again, they do', async () => {
      const { page } = await signInAnew(acme);
      await realm.changePerson(adaAtKeycloak, { enabled: false });
      const stranger = await newPerson();
      await goToSignIn(stranger, acme);
      await logIn(stranger, ada);
      await stranger.getByText('Account is disabled, contact your administrator.').waitFor();
      await goToSignIn(page, acme, { prompt: 'login' });
      expect(isAtKeycloak(page)).toBe(true);
      await realm.changePerson(adaAtKeycloak, { enabled: true });
      expect((await signInAnew(acme)).claims).toMatchObject({ email: ada.email });
    });

    test('to an address that is not registered there', async () => {
      const [own, known] = await companyAtKeycloak();
      await known.sendsBackTo('https://elsewhere.example/callback');
      const page = await newPerson();
      const signIn = await goToSignIn(page, own);
      expect([isAtKeycloak(page), signIn.status]).toEqual([true, 400]);
      expect(await refusalOn(page)).toContain('Invalid parameter: redirect_uri');
      await known.sendsBackTo(own.connection.redirectUri);
      expect((await signInAnew(own)).claims).toMatchObject({ email: ada.email });
    });
  });

  describe('Reeve refuses, and says so on its own page and on the record', () => {
    test('who says no at Keycloak; who says yes is let in', async () => {
      const [own] = await companyAtKeycloak({}, { consentRequired: true });
      const page = await newPerson();
      await goToSignIn(page, own);
      await logIn(page, ada);
      await page.getByRole('button', { name: 'No', exact: true }).click();
      expect(await refusals(page, own)).toEqual(['refused_by_provider']);
      expect(page.url()).toContain(`${credentials.issuer}/`);
      const signIn = await goToSignIn(page, own);
      await logIn(page, ada);
      await page.getByRole('button', { name: 'Yes', exact: true }).click();
      expect((await signIn.finish()).claims).toMatchObject({ email: ada.email });
    });

    test('what Keycloak does not answer for a wrong client secret; with the new one it does', async () => {
      const [own, known] = await companyAtKeycloak();
      await signInAnew(own);
      const clientSecret = await known.newSecret();
      const page = await newPerson();
      await goToSignIn(page, own);
      await logIn(page, ada);
      expect(await refusals(page, own)).toEqual(['code_exchange']);
      await own.change({ oidc: { clientSecret } });
      expect((await signInAnew(own)).claims).toMatchObject({ email: ada.email });
    });

    test('whom nobody has added, without just-in-time provisioning; once added, they are that user', async () => {
      const [own] = await companyAtKeycloak({ jit: { enabled: false }, domains: ['acme.example'] });
      const page = await newPerson();
      await goToSignIn(page, own);
      await logIn(page, ada);
      await page.getByText('identity_unknown').waitFor();
      const users = `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;
      const { id } = await own.api.post<{ id: string }>(users, { email: ada.email, displayName: 'Countess' });
      expect((await signInAnew(own)).claims).toMatchObject({ sub: id, name: 'Countess' });
      expect(await own.failures(1)).toEqual(['identity_unknown']);
    });

    test('whose address Keycloak has not verified, where somebody has it already', async () => {
      const mallory = { ...ada, username: 'mallory', email: 'grace@acme.example', firstName: 'M' };
      const [own] = await companyAtKeycloak({ domains: ['acme.example'] });
      const users = `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;
      const { id } = await own.api.post<{ id: string }>(users, { email: mallory.email });
      const atKeycloak = await realm.addPerson({ ...mallory, emailVerified: false });
      const page = await newPerson();
      await goToSignIn(page, own);
      await logIn(page, mallory);
      await page.getByText('identity_conflict').waitFor();
      expect(await own.failures(1)).toEqual(['identity_conflict']);
      await realm.changePerson(atKeycloak, { emailVerified: true });
      expect((await signInAnew(own, mallory)).claims.sub).toBe(id);
    });
  });
});
