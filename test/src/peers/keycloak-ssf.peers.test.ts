// Shared Signals from Keycloak: what it really sends when somebody is signed out there, and which sessions end by it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Keycloak } from '@reeve/local/keycloak';
import { callback } from '@reeve/local/product-app';
import { chromiumHint, chromiumPath } from '@reeve/testing/chromium';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';
import * as client from 'openid-client';
import type { Page } from 'playwright-core';
import { type AuditEvent, logWith } from '../support/audit.ts';
import { runningSystem } from '../support/running-system.ts';
import { addOidcClient, type OidcClient } from './keycloak-oidc-client.ts';
import { logIn } from './keycloak-page.ts';
import { ada, createRealm, type Person, type Realm } from './keycloak-realm.ts';
import { addReceiver, letTransmit } from './keycloak-ssf-receiver.ts';
import { type Company, company, goToSignIn, inChromium } from './peer-sign-in.ts';
import { lackingKeycloak, runningPeers } from './running-peers.ts';
import { type Pushed, type SignalRelay, startSignalRelay } from './signal-relay.ts';

const { keycloak } = runningPeers();
const isThere = keycloak !== null && chromiumPath !== undefined;
const grace: Person = { ...ada, username: 'grace', email: 'grace@acme.example', firstName: 'Grace' };

given(isThere, keycloak === null ? lackingKeycloak : chromiumHint).describe('security events of Keycloak', () => {
  const credentials = runningSystem();
  const { newPerson } = inChromium();
  let realm: Realm;
  let adaAtKeycloak: string;
  let acme: Company;
  let relay: SignalRelay;

  beforeAll(async () => {
    realm = await createRealm(keycloak as Keycloak);
    await letTransmit(realm);
    adaAtKeycloak = await realm.addPerson(ada);
    await realm.addPerson(grace);
    const [own, known] = await companyAtKeycloak();
    acme = own;
    relay = await startSignalRelay();
    relay.handsOnTo(urlOf(acme));
    await addReceiver(realm, known, {
      url: `${relay.url}/events`,
      // For the name that Reeve has there, since the URL is the relay's.
      attributes: { 'ssf.streamAudience': known.clientId },
      events: ['CaepSessionRevoked', 'CaepCredentialChange'],
    });
  }, 60_000);
  afterAll(() => relay.stop());

  const urlOf = ({ connection }: Company) => `${credentials.issuer}/signals/${connection.id}`;

  async function companyAtKeycloak(): Promise<[Company, OidcClient]> {
    const own = await addOidcClient(realm);
    const oidc = { issuer: realm.issuer, clientId: own.clientId, clientSecret: own.clientSecret };
    const settings = { kind: 'oidc', oidc };
    return [await company(credentials, { settings, introduce: it => own.sendsBackTo(it.redirectUri) }), own];
  }

  /** At a browser of their own. */
  async function signIn(person: Person, own = acme) {
    const page = await newPerson();
    const going = await goToSignIn(page, own);
    await logIn(page, person);
    const { tokens, claims } = await going.finish();
    const refreshToken = String(tokens.refresh_token);
    return {
      page,
      sid: claims['sid'] as string,
      // By introspection, which uses nothing up.
      isOver: async () => !(await client.tokenIntrospection(own.app.configuration, refreshToken)).active,
      refresh: () => client.refreshTokenGrant(own.app.configuration, refreshToken),
    };
  }
  type SignedIn = Awaited<ReturnType<typeof signIn>>;

  const areOver = (all: SignedIn[]) => Promise.all(all.map(one => one.isOver()));
  const signOutAll = () => realm.admin.ask('POST', `/users/${adaAtKeycloak}/logout`);

  /** At another application, which says where they go then: Keycloak 26.7.3 fails to tell of others (#51571). */
  async function signOutElsewhere(page: Page): Promise<void> {
    const { clientId, change } = await addOidcClient(realm);
    await change({ attributes: { 'post.logout.redirect.uris': callback } });
    const query = new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: callback });
    await page.goto(`${realm.issuer}/protocol/openid-connect/logout?${query}`);
    await page.getByRole('button', { name: 'Logout' }).click();
    await page.waitForURL(`${callback}**`);
  }

  /** What has come since then, when there are as many. */
  const comeSince = (before: number, count: number): Promise<Pushed[]> =>
    eventually(`${count} security events`, () => {
      const since = relay.pushed.slice(before);
      return since.length >= count ? since : null;
    });

  /** By the log of the tenant: each time that one of them ended, in the order in which they are given. */
  async function endsOf(all: SignedIn[]) {
    const endsIn = (log: AuditEvent[]) =>
      all.flatMap(({ sid }) => log.filter(({ type, target }) => type === 'session.revoked' && target.id === sid));
    const where = { api: acme.api, credentials, tenant: acme.tenant };
    const log = await logWith(where, found => endsIn(found).length >= all.length, 'the ends of sessions');
    return endsIn(log).map(({ target, actor, reason }) => ({ sid: target.id, by: actor.id, why: reason.code }));
  }
  const bySignal = ({ sid }: SignedIn) => ({ sid, by: acme.connection.id, why: 'provider_signal' });

  test('an administrator signs somebody out there, and all of their sessions are over within a second', async () => {
    const all = [await signIn(ada), await signIn(ada)];
    const other = await signIn(grace);
    const before = relay.pushed.length;
    const began = performance.now();
    await signOutAll();
    await eventually('the end of both', async () => (await areOver(all)).every(Boolean), 5_000);
    const over = performance.now();
    const [event, ...more] = await comeSince(before, 1);
    expect(event).toMatchObject({
      event: 'session-revoked',
      subject: { user: { iss: realm.issuer, sub: adaAtKeycloak }, session: { id: 'ALL' } },
      status: 202,
    });
    expect(more).toEqual([]);
    expect(over - Number(event?.cameAt)).toBeLessThan(1_000);
    expect(over - began).toBeLessThan(5_000);
    for (const one of all) await expect(one.refresh()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await other.refresh()).access_token).toEqual(expect.any(String));
    expect(await endsOf(all)).toEqual(all.map(bySignal));
  });

  test('somebody signs out at another application, and what began at that browser is over, and no more', async () => {
    const [here, elsewhere, other] = [await signIn(ada), await signIn(ada), await signIn(grace)];
    const before = relay.pushed.length;
    await signOutElsewhere(here.page);
    expect(await comeSince(before, 1)).toMatchObject([
      { event: 'session-revoked', subject: { user: { sub: adaAtKeycloak } }, status: 202 },
    ]);
    expect(await areOver([here, elsewhere, other])).toEqual([true, false, false]);
    expect(await endsOf([here])).toEqual([bySignal(here)]);
    await goToSignIn(here.page, acme);
    expect(here.page.url()).toContain(`${realm.issuer}/`);
  });

  test('an event whose answer is lost comes again, and is answered as before', async () => {
    const one = await signIn(ada);
    const before = relay.pushed.length;
    relay.losesNextAnswer();
    await signOutAll();
    const [first] = await comeSince(before, 1);
    expect(await one.isOver()).toBe(true);
    expect(await comeSince(before, 2)).toMatchObject([{ status: 202 }, { jti: first?.jti, status: 202 }]);
    expect(await endsOf([one])).toEqual([bySignal(one)]);
  });

  test('nobody is signed out by a new password there, nor by what Keycloak does not send', async () => {
    const one = await signIn(ada);
    const before = relay.pushed.length;
    for (const enabled of [false, true]) await realm.changePerson(adaAtKeycloak, { enabled });
    for (const { id } of await realm.admin.ask<{ id: string }[]>('GET', `/users/${adaAtKeycloak}/sessions`))
      await realm.admin.ask('DELETE', `/sessions/${id}`);
    const password = { type: 'password', value: ada.password, temporary: false };
    await realm.admin.ask('PUT', `/users/${adaAtKeycloak}/reset-password`, password);
    expect(await comeSince(before, 1)).toMatchObject([{ event: 'credential-change', status: 202 }]);
    expect(await one.isOver()).toBe(false);
    await signOutAll();
    expect((await comeSince(before, 2)).map(({ event }) => event)).toEqual(['credential-change', 'session-revoked']);
    expect(await one.isOver()).toBe(true);
  });

  test('“Verify” says whether it was set up right; then it is so without anybody between, and by address', async () => {
    const [own, there] = await companyAtKeycloak();
    const url = urlOf(own);
    const withoutAudience = await addReceiver(realm, there, { url, attributes: { 'ssf.streamAudience': '' } });
    expect(await withoutAudience.verifies()).toBe(false);
    await withoutAudience.remove();
    const receiver = await addReceiver(realm, there, { url, attributes: { 'ssf.userSubjectFormat': 'email' } });
    expect(await receiver.verifies()).toBe(true);
    const [one, other] = [await signIn(ada, own), await signIn(grace, own)];
    await signOutAll();
    await eventually('the end', () => one.isOver(), 5_000);
    expect(await other.isOver()).toBe(false);
  });
});
