// Two tenants with everything in them. The second tries what it knows of the first: ids, cursors, webhook secrets,
// consent pages, refresh tokens. It sees and changes nothing; beside each attempt stands the first tenant doing the
// same with success.
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  approveDemoConnector,
  consent,
  type Endpoint,
  endpointOf,
  type Installation,
} from '@reeve/local/connector-story';
import { send, signedWebhook } from '@reeve/local/partner';
import { type ProductApp, refresh, registerProductApp, type SignedIn, signIn } from '@reeve/local/product-app';
import { createBrowser } from '@reeve/testing/browser';
import { readLog } from '../support/audit.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const { auth, provisioning, connectorConsent, webhookIngress, audit } = credentials.urls;
const alice = demoUser(credentials, 0);
const grace = demoUser(credentials, 2);

type Furnished = TestTenant & {
  app: ProductApp;
  person: SignedIn;
  installation: Installation;
  endpoint: Endpoint;
  secret: string;
};

async function furnish(name: string, user: { email: string; password: string }): Promise<Furnished> {
  const own = await freshTenant(credentials, name);
  const app = await registerProductApp(own.api, credentials, own.tenant);
  const person = await signIn(app, own.tenant, user);
  const installation = await approveDemoConnector(own.api, credentials, own.tenant);
  await consent(person.browser, installation, { ...user, scopes: ['calendar.read'] });
  return { ...own, app, person, installation, ...(await endpointOf(own.api, credentials, own.tenant, installation)) };
}

let first: Furnished;
let second: Furnished;

beforeAll(async () => {
  [first, second] = [await furnish('first', alice), await furnish('second', grace)];
}, 60_000);

describe('the second tenant', () => {
  test('finds none of the first’s things under its own path', async () => {
    const things = ({ person, installation, endpoint }: Furnished) => [
      [provisioning, `users/${person.claims.sub}`],
      [connectorConsent, `installations/${installation.id}`],
      [connectorConsent, `installations/${installation.id}/connection`],
      [connectorConsent, `installations/${installation.id}/consents`],
      [webhookIngress, `webhook-endpoints/${endpoint.id}`],
      [webhookIngress, `webhook-endpoints/${endpoint.id}/deliveries`],
      [webhookIngress, `webhook-endpoints/${endpoint.id}/dead-letters`],
      [webhookIngress, `webhook-endpoints/${endpoint.id}/sequences`],
      [webhookIngress, `webhook-endpoints/${endpoint.id}/tallies`],
    ];
    for (const [service, path] of things(first)) {
      const own = await first.api.send('GET', `${service}/v1/tenants/${first.tenant.id}/${path}`);
      const theirs = await second.api.send('GET', `${service}/v1/tenants/${second.tenant.id}/${path}`);
      expect([path, own.status]).toEqual([path, 200]);
      const { code } = (await theirs.json()) as { code?: string };
      expect([path, theirs.status, code]).toEqual([path, 404, 'not_found']);
    }
    // Auth knows no users, but those of a session.
    const sessionsOf = (id: string) => `${auth}/v1/tenants/${id}/users/${first.person.claims.sub}/sessions`;
    expect(await second.api.get(sessionsOf(second.tenant.id))).toEqual({ items: [], nextCursor: null });
    expect(await first.api.get(sessionsOf(first.tenant.id))).toMatchObject({ items: [{}] });
  });

  test('changes none of the first’s things', async () => {
    const { id: tenantId } = second.tenant;
    const session = first.person.claims['sid'] as string;
    const attempts = [
      [provisioning, `users/${first.person.claims.sub}:deactivate`],
      [auth, `sessions/${session}:terminate`],
      [connectorConsent, `installations/${first.installation.id}:uninstall`],
      [webhookIngress, `webhook-endpoints/${first.endpoint.id}:rotate-secret`],
      [webhookIngress, `webhook-endpoints/${first.endpoint.id}:disable`],
      [auth, `sso-connections/${first.tenant.connectionId}:activate`],
    ];
    for (const [service, path] of attempts) {
      const response = await second.api.send('POST', `${service}/v1/tenants/${tenantId}/${path}`);
      expect([path, response.status]).toEqual([path, 404]);
    }
    expect(
      await second.api.send(
        'POST',
        `${connectorConsent}/v1/tenants/${tenantId}/installations/${first.installation.id}/token`,
        { body: { userId: first.person.claims.sub } },
      ),
    ).toMatchObject({ status: 404 });
    expect(
      await first.api.get(`${provisioning}/v1/tenants/${first.tenant.id}/users/${first.person.claims.sub}`),
    ).toMatchObject({ status: 'active' });
    expect(
      await first.api.get(`${connectorConsent}/v1/tenants/${first.tenant.id}/installations/${first.installation.id}`),
    ).toMatchObject({ status: 'installed' });
  });

  test('can not read on with the first’s cursors', async () => {
    for (const path of ['audit/events']) {
      const { nextCursor } = await first.api.get<{ nextCursor: string }>(
        `${audit}/v1/tenants/${first.tenant.id}/${path}?limit=2`,
      );
      const own = await first.api.send(
        'GET',
        `${audit}/v1/tenants/${first.tenant.id}/${path}?limit=2&cursor=${nextCursor}`,
      );
      const theirs = await second.api.send(
        'GET',
        `${audit}/v1/tenants/${second.tenant.id}/${path}?limit=2&cursor=${nextCursor}`,
      );
      expect([own.status, theirs.status]).toEqual([200, 400]);
      expect(await theirs.json()).toMatchObject({ code: 'cursor_invalid' });
    }
  });

  test('can not sign webhooks for the first’s endpoint with its own secret', async () => {
    expect((await send(first.endpoint.url, signedWebhook(first.secret, { by: 'the first' }))).status).toBe(202);
    expect((await send(first.endpoint.url, signedWebhook(second.secret, { by: 'the second' }))).status).toBe(401);
  });

  test('the same webhook id at both endpoints is two deliveries', async () => {
    const id = `msg_shared_${Date.now()}`;
    expect((await send(first.endpoint.url, signedWebhook(first.secret, { n: 1 }, { id }))).status).toBe(202);
    expect((await send(second.endpoint.url, signedWebhook(second.secret, { n: 2 }, { id }))).status).toBe(202);
  });

  test('a person of the second, signed in at the consent page of the first, does not get to consent', async () => {
    const installation = await approveDemoConnector(first.api, credentials, first.tenant);
    const page = await second.person.browser.open(String(installation.consentUrl));
    expect(page.text).not.toContain('Allow');
    const own = await first.person.browser.open(String(installation.consentUrl));
    expect(own.text).toContain('Allow');
    const stranger = await createBrowser().open(String(installation.consentUrl));
    expect(stranger.text).not.toContain('value="allow"');
  });

  test('can not refresh with the first’s refresh token', async () => {
    await expect(refresh(second.app, String(first.person.tokens.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect((await refresh(first.app, String(first.person.tokens.refresh_token))).access_token).toEqual(
      expect.any(String),
    );
  });

  test('a session at the first does not sign anybody in to the second', async () => {
    // Alice is signed in; asked for the second tenant she has to go to its identity provider, and becomes another user
    // there.
    const there = await signIn(second.app, second.tenant, { ...alice, browser: first.person.browser });
    expect(there.claims['tid']).toBe(second.tenant.id);
    expect(there.claims.sub).not.toBe(first.person.claims.sub);
  });

  test('neither log holds anything of the other', async () => {
    const [one, other] = [
      await readLog(first.api, credentials, first.tenant),
      await readLog(second.api, credentials, second.tenant),
    ];
    expect(JSON.stringify(one)).not.toContain(second.tenant.id);
    expect(JSON.stringify(other)).not.toContain(first.tenant.id);
    expect(one.length).toBeGreaterThan(20);
  });
});
