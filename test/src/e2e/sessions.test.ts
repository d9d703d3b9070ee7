// Sessions at their edges: what ended stays ended, a new sign-in is a new session, and nobody signs in past a tenant
// or a deactivation.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { beginSignIn, callback, type ProductApp, refresh, registerProductApp, signIn } from '@reeve/local/product-app';
import { platformApi } from '@reeve/local/seed';
import { createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import * as client from 'openid-client';
import { logWith } from '../support/audit.ts';
import { signedInAs } from '../support/person.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const { auth, provisioning } = credentials.urls;
const alice = demoUser(credentials, 0);
const grace = demoUser(credentials, 2);
const dead = { error: 'invalid_grant' };

let own: TestTenant;
let app: ProductApp;

beforeAll(async () => {
  own = await freshTenant(credentials, 'sessions');
  app = await registerProductApp(own.api, credentials, own.tenant);
});

describe('a session', () => {
  test('that was terminated takes its refresh token with it, and the same browser can sign in anew', async () => {
    const first = await signIn(app, own.tenant, alice);
    await own.api.post(`${auth}/v1/tenants/${own.tenant.id}/sessions/${first.claims['sid'] as string}:terminate`);
    await expect(refresh(app, String(first.tokens.refresh_token))).rejects.toMatchObject(dead);
    await new Promise(resolve => setTimeout(resolve, 1_100));
    const second = await signIn(app, own.tenant, { ...alice, browser: first.browser });
    expect(second.claims['sid']).not.toBe(first.claims['sid']);
    expect((await refresh(app, String(second.tokens.refresh_token))).access_token).toEqual(expect.any(String));
    // The provider knows both by one id of its own; the token of the first must not come back to life with the second.
    await expect(refresh(app, String(first.tokens.refresh_token))).rejects.toMatchObject(dead);
  });

  test('emits exactly one session.revoked, whichever way it ends', async () => {
    const terminated = await signIn(app, own.tenant, alice);
    const url = `${auth}/v1/tenants/${own.tenant.id}/sessions/${terminated.claims['sid'] as string}:terminate`;
    await Promise.all([own.api.post(url), own.api.post(url), own.api.post(url)]);
    const signedOut = await signIn(app, own.tenant, alice);
    const page = await signedOut.browser.open(
      `${credentials.issuer}/session/end?id_token_hint=${String(signedOut.tokens.id_token)}`,
    );
    await signedOut.browser.submit(page, { logout: 'yes' });
    const deactivated = await signIn(app, own.tenant, grace);
    await own.api.post(`${provisioning}/v1/tenants/${own.tenant.id}/users/${deactivated.claims.sub}:deactivate`);
    const ends = [terminated, signedOut, deactivated].map(({ claims }) => claims['sid']);
    const log = await logWith(
      { ...own, credentials },
      found => ends.every(sid => found.some(({ type, target }) => type === 'session.revoked' && target.id === sid)),
      'three ends',
    );
    const revoked = ends.map(sid =>
      log
        .filter(({ type, target }) => type === 'session.revoked' && target.id === sid)
        .map(({ reason }) => reason.code),
    );
    expect(revoked).toEqual([['terminated'], ['signed_out'], ['user_deactivated']]);
  });

  test.each([
    ['with what the identity provider has said', () => `${credentials.issuer}/interaction/`],
    ['with a code that has not been used', () => callback],
  ])('gives nothing to somebody who is deactivated on the way, %s', async (_, stop) => {
    const late = await freshTenant(credentials, 'late');
    const lateApp = await registerProductApp(late.api, credentials, late.tenant);
    const { claims } = await signIn(lateApp, late.tenant, alice);
    const browser = createBrowser();
    const { url, checks } = await beginSignIn(lateApp, late.tenant);
    const login = await browser.open(url, callback);
    const pending = await browser.submit(login, alice, stop());
    expect(pending.url.href.startsWith(stop())).toBe(true);
    await late.api.post(`${provisioning}/v1/tenants/${late.tenant.id}/users/${claims.sub}:deactivate`);
    // Her earlier session has ended: auth has heard of it.
    await eventually('the end of the earlier session', async () => {
      const { items } = await late.api.get<{ items: { status: string }[] }>(
        `${auth}/v1/tenants/${late.tenant.id}/users/${claims.sub}/sessions`,
      );
      return items.every(({ status }) => status === 'revoked');
    });
    const arrived = stop() === callback ? pending : await browser.open(pending.url, callback);
    const tokens = arrived.url.href.startsWith(callback)
      ? client.authorizationCodeGrant(lateApp.configuration, arrived.url, checks)
      : Promise.reject(Object.assign(new Error('refused'), dead));
    await expect(tokens).rejects.toMatchObject(dead);
  });

  test('of a suspended tenant gives no token', async () => {
    const suspended = await freshTenant(credentials, 'suspended');
    const itsApp = await registerProductApp(suspended.api, credentials, suspended.tenant);
    const { tokens } = await signIn(itsApp, suspended.tenant, alice);
    const again = await refresh(itsApp, String(tokens.refresh_token));
    await platformApi(credentials).post(`${provisioning}/v1/tenants/${suspended.tenant.id}:suspend`);
    await eventually(
      'the suspension',
      async () =>
        (await suspended.api.send('GET', `${auth}/v1/tenants/${suspended.tenant.id}/sessions`)).status === 403,
    );
    await expect(refresh(itsApp, String(again.refresh_token))).rejects.toMatchObject(dead);
  });
});

describe('what auth knows reaches the other services, with an access token that goes on', () => {
  const { connectorConsent } = credentials.urls;
  const atConnectors = (of: TestTenant) =>
    signedInAs({ ...of, credentials }, { person: alice, role: 'tenant_admin', resource: connectorConsent });
  const statusOf = async (answer: Promise<Response>) => (await answer).status;

  test('a session that has ended, within a second', async () => {
    const person = await atConnectors(own);
    const ask = () => statusOf(person.send('GET', `${connectorConsent}/v1/me/consents`));
    expect(await ask()).toBe(200);
    await own.api.post(`${auth}/v1/tenants/${own.tenant.id}/sessions/${person.sessionId}:terminate`);
    await eventually('the end of the session', async () => (await ask()) === 401, 1_000);
  });

  test('a role that is gone, within a second', async () => {
    const person = await atConnectors(own);
    const installations = `${connectorConsent}/v1/tenants/${own.tenant.id}/installations`;
    const ask = () =>
      statusOf(person.send('POST', `${installations}:request`, { connectorId: 'calendar', scopes: [] }));
    expect(await ask()).not.toBe(403);
    const user = `${provisioning}/v1/tenants/${own.tenant.id}/users/${person.id}`;
    await own.api.send('PATCH', user, { body: { roles: ['tenant_member'] } });
    await eventually('the end of the role', async () => (await ask()) === 403, 1_000);
    // Members still see what is there.
    expect(await statusOf(person.send('GET', installations))).toBe(200);
  });

  test('a level that the tenant demands for what they do, within a second, at each that asks people', async () => {
    const strict = await freshTenant(credentials, 'strict');
    const at = `/v1/tenants/${strict.tenant.id}`;
    const { audit, webhookIngress } = credentials.urls;
    const paths = { [provisioning]: 'users', [audit]: 'audit/checkpoints', [webhookIngress]: 'webhook-endpoints' };
    const people = await Promise.all(
      Object.entries(paths).map(async ([resource, path]) => {
        const of = { person: alice, role: 'tenant_admin', resource };
        const person = await signedInAs({ ...strict, credentials }, of);
        return async () => statusOf(person.send('GET', `${resource}${at}/${path}`));
      }),
    );
    expect(await Promise.all(people.map(ask => ask()))).toEqual([200, 200, 200]);
    const actions = ['users:read', 'audit:read', 'webhooks:read'];
    const demand = (list: readonly string[]) =>
      strict.api.send('PUT', `${auth}${at}/step-up-policy`, {
        body: {
          everywhere: null,
          surfaces: [],
          actions: list.map(action => ({ action, level: 'mfa', maxAgeSeconds: null })),
          trusted: [],
        },
      });
    expect((await demand(actions)).status).toBe(200);
    for (const ask of people) await eventually('the demand', async () => (await ask()) === 401, 1_000);
    expect((await demand([])).status).toBe(200);
    for (const ask of people) await eventually('its end', async () => (await ask()) === 200, 1_000);
  });

  test('a tenant that is suspended, and one that is resumed', async () => {
    const resumed = await freshTenant(credentials, 'resumed');
    const tenant = `${provisioning}/v1/tenants/${resumed.tenant.id}`;
    const consents = `${connectorConsent}/v1/tenants/${resumed.tenant.id}/installations`;
    const ask = () => statusOf(resumed.api.send('GET', consents));
    expect(await ask()).toBe(200);
    await platformApi(credentials).post(`${tenant}:suspend`);
    await eventually('the suspension', async () => (await ask()) === 403);
    await platformApi(credentials).post(`${tenant}:resume`);
    await eventually('the end of the suspension', async () => (await ask()) === 200);
    // So can its people.
    const itsApp = await registerProductApp(resumed.api, credentials, resumed.tenant);
    expect((await signIn(itsApp, resumed.tenant, alice)).claims['tid']).toBe(resumed.tenant.id);
  });
});

describe('an application of one tenant', () => {
  test('signs in nobody of another, neither by asking for it nor by a session that is there', async () => {
    const other = await freshTenant(credentials, 'other');
    const otherApp = await registerProductApp(other.api, credentials, other.tenant);
    const here = await signIn(app, own.tenant, alice);
    // Asked for by name: the page says what it says of a name that nobody has.
    const { url } = await beginSignIn(otherApp, own.tenant);
    const asked = await createBrowser().open(url, callback);
    expect(asked.text).toContain('There is no sign-in by that name');
    // Not asked for, in a browser that is signed in to the first: a sign-in at the second is what it takes.
    const silent = await beginSignIn(otherApp, other.tenant);
    silent.url.searchParams.delete('tenant');
    const page = await here.browser.open(silent.url, callback);
    expect(page.url.href.startsWith(callback)).toBe(false);
    // The positive control: its own people get in, without the tenant being named.
    const arrived = await here.browser.submit(page, alice, callback);
    const tokens = await client.authorizationCodeGrant(otherApp.configuration, arrived.url, silent.checks);
    expect(tokens.claims()?.['tid']).toBe(other.tenant.id);
  });
});
