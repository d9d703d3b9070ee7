// One person with two ways of signing in, through every service: linked by themselves, and unlinked by an
// administrator, which ends what began by it.
import { beforeAll, expect, test } from '@jest/globals';
import { beginSignIn, callback, type ProductApp, refresh, registerProductApp, signIn } from '@reeve/local/product-app';
import { platformApi } from '@reeve/local/seed';
import { type Browser, createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import * as client from 'openid-client';
import { logWith } from '../support/audit.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
type Identities = { items: { id: string; connectionId: string; isFirst: boolean }[] };

let own: TestTenant;
let app: ProductApp;
let second: string;

beforeAll(async () => {
  own = await freshTenant(credentials, 'linking');
  app = await registerProductApp(own.api, credentials, own.tenant);
  const connections = `${credentials.urls.auth}/v1/tenants/${own.tenant.id}/sso-connections`;
  const { oidc: issuer, clientId, clientSecret } = credentials.demoIdp;
  const made = await platformApi(credentials).post<{ id: string }>(
    connections,
    { name: 'Another directory', kind: 'oidc', oidc: { issuer, clientId, clientSecret }, jit: { enabled: false } },
    { headers: { 'Reeve-Reason': 'a second connection' } },
  );
  second = made.id;
  await own.api.post(`${connections}/${second}:activate`);
}, 60_000);

/** By the second connection; where a page asks, `answers` it. */
async function come(person: { email: string; password: string }, browser: Browser, more: Record<string, string> = {}) {
  const { url, checks } = await beginSignIn(app, own.tenant, { connection: second, ...more });
  const login = await browser.open(url, callback);
  const page = await browser.submit(login, person, callback);
  const finish = async (at = page) => {
    const tokens = await client.authorizationCodeGrant(app.configuration, at.url, checks);
    return { tokens, claims: tokens.claims() };
  };
  return { page, finish };
}

test('a person links another way of signing in, is the same user by it, and no more once it is unlinked', async () => {
  const [alice, bob] = [demoUser(credentials, 0), demoUser(credentials, 1)];
  const { browser, claims } = await signIn(app, own.tenant, alice);
  const stranger = await come(bob, createBrowser());
  expect(stranger.page.text).toContain('identity_unknown');

  const asked = await come(bob, browser, { link: 'true' });
  expect(asked.page.text).toContain(alice.email);
  const end = await browser.submit(asked.page, { link: 'yes' }, callback);
  expect((await asked.finish(end)).claims?.sub).toBe(claims.sub);

  const elsewhere = createBrowser();
  const again = await (await come(bob, elsewhere)).finish();
  expect(again.claims?.sub).toBe(claims.sub);

  const identities = `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users/${claims.sub}/identities`;
  const { items } = await own.api.get<Identities>(identities);
  const linked = items.find(({ connectionId }) => connectionId === second);
  await own.api.send('DELETE', `${identities}/${linked?.id}`, {});
  await eventually('the session that began by it is over', async () =>
    refresh(app, again.tokens.refresh_token ?? '').then(
      () => false,
      () => true,
    ),
  );
  expect((await come(bob, createBrowser())).page.text).toContain('identity_unknown');
  expect((await signIn(app, own.tenant, alice)).claims.sub).toBe(claims.sub);

  const log = await logWith(
    { ...own, credentials },
    found => ['identity.unlinked', 'session.revoked'].every(type => found.some(one => one.type === type)),
    'a link and its end',
  );
  const byPerson = log.find(({ type, reason }) => type === 'identity.linked' && reason.code === 'by_person');
  expect(byPerson?.actor).toMatchObject({ type: 'user', id: claims.sub });
}, 60_000);
