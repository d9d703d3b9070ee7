// The main job, from a sign-in to the audit log that proves it, over HTTP against the running system.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type FormatName, formats, verifyLines } from '@reeve/audit-log';
import { approveDemoConnector, consent, endpointOf } from '@reeve/local/connector-story';
import { send, signedWebhook } from '@reeve/local/partner';
import {
  beginSignIn,
  callback,
  type ProductApp,
  refresh,
  registerProductApp,
  type SignedIn,
  signIn,
} from '@reeve/local/product-app';
import { createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import { type AuditEvent, asLines, auditKeys, exportLines, logWith } from '../support/audit.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const alice = demoUser(credentials);

const typesOf = (log: AuditEvent[], chain: string) =>
  log.filter(record => record.chain.startsWith(`${chain}/`)).map(({ type }) => type);

describe('the story', () => {
  let own: TestTenant;
  let app: ProductApp;
  let signedIn: SignedIn;
  let refreshToken: string;
  let log: AuditEvent[];

  beforeAll(async () => {
    own = await freshTenant(credentials, 'story');
    app = await registerProductApp(own.api, credentials, own.tenant);
  });

  test('a person signs in through the company’s identity provider with PKCE, state and nonce, and is created on the way', async () => {
    signedIn = await signIn(app, own.tenant, alice);
    expect(signedIn.browser.visited).toContain(`GET ${credentials.demoIdp.oidc}/auth`);
    expect(signedIn.claims).toMatchObject({
      iss: credentials.issuer,
      aud: app.clientId,
      tid: own.tenant.id,
      email: alice.email,
      roles: ['tenant_member'],
    });
    expect(signedIn.claims['sid']).toMatch(/^ses_/);
    const users = await own.api.get<{ items: { id: string; email: string; source: string }[] }>(
      `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`,
    );
    expect(users.items).toEqual([
      expect.objectContaining({ id: signedIn.claims.sub, email: alice.email, source: 'jit' }),
    ]);
  });

  test('the refresh token is rotated', async () => {
    const refreshed = await refresh(app, String(signedIn.tokens.refresh_token));
    expect(refreshed.refresh_token).not.toBe(signedIn.tokens.refresh_token);
    refreshToken = String(refreshed.refresh_token);
  });

  test('a person consents to a connector, with granular scopes and without signing in again, and it is installed', async () => {
    const installation = await approveDemoConnector(own.api, credentials, own.tenant);
    const { shown, end } = await consent(signedIn.browser, installation, { ...alice, scopes: ['calendar.read'] });
    expect(shown.text).toContain('It will not be able to: See your password.');
    expect(end.text).toContain('Demo Calendar is connected');
    const base = `${credentials.urls.connectorConsent}/v1/tenants/${own.tenant.id}/installations/${installation.id}`;
    expect(await own.api.get(`${base}`)).toMatchObject({ status: 'installed', consentUrl: null });
    expect(await own.api.get(`${base}/connection`)).toMatchObject({
      state: 'connected',
      tokens: [{ grantedScopes: ['calendar.read'], missingScopes: [] }],
    });
    expect(await own.api.get(`${base}/consents`)).toMatchObject({
      items: [
        {
          scopes: ['calendar.read'],
          status: 'granted',
          text: expect.stringContaining('See the events in your calendar'),
        },
      ],
    });
    expect(await own.api.post(`${base}/token`, { userId: signedIn.claims.sub })).toMatchObject({
      accessToken: expect.any(String),
    });

    const { endpoint, secret } = await endpointOf(own.api, credentials, own.tenant, installation);
    const webhook = signedWebhook(secret, { happened: 'calendar.event.created' });
    const first = await send(endpoint.url, webhook);
    expect(first.status).toBe(202);
    const again = await send(endpoint.url, webhook);
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual(await first.json());
    const forged = await send(endpoint.url, { ...webhook, id: 'msg_forged' });
    expect(forged.status).toBe(401);
    expect(forged.headers.get('content-type')).toContain('application/problem+json');
    const otherBody = await send(
      endpoint.url,
      signedWebhook(secret, { happened: 'something else' }, { id: webhook.id }),
    );
    expect(otherBody.status).toBe(409);
  });

  test('deactivating the person ends session, refresh token and consent within seconds', async () => {
    const { provisioning, auth } = credentials.urls;
    await own.api.post(`${provisioning}/v1/tenants/${own.tenant.id}/users/${signedIn.claims.sub}:deactivate`);
    await eventually('the end of the session', async () => {
      const { items } = await own.api.get<{ items: { status: string }[] }>(
        `${auth}/v1/tenants/${own.tenant.id}/users/${signedIn.claims.sub}/sessions`,
      );
      return items.length > 0 && items.every(({ status }) => status === 'revoked');
    });
    await expect(refresh(app, refreshToken)).rejects.toMatchObject({ error: 'invalid_grant' });
    const browser = createBrowser();
    const { url } = await beginSignIn(app, own.tenant);
    const login = await browser.open(url, callback);
    const refused = await browser.submit(login, alice, callback);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('user_deactivated');
  });

  test('the audit log holds exactly what happened, in order', async () => {
    log = await logWith(
      { ...own, credentials },
      found =>
        found.some(({ type }) => type === 'delegated_token.revoked') &&
        found.some(({ type }) => type === 'sign_in.failed') &&
        found.filter(({ type }) => type === 'delivery.rejected').length === 2,
      'the end of the story',
    );
    expect(typesOf(log, 'reeve.auth.v1')).toEqual([
      'connection.created',
      'connection.activated',
      'client.created',
      'client.created',
      'sign_in.succeeded',
      'session.created',
      'session.revoked',
      'sign_in.failed',
    ]);
    expect(typesOf(log, 'reeve.directory.v1')).toEqual([
      'tenant.created',
      'user.created',
      'role.assigned',
      'identity.linked',
      'user.deactivated',
    ]);
    expect(typesOf(log, 'reeve.connector.v1')).toEqual([
      'installation.requested',
      'installation.approved',
      'consent.granted',
      'delegated_token.stored',
      'installation.installed',
      'delegated_token.leased',
      'consent.revoked',
      'delegated_token.revoked',
    ]);
    expect(typesOf(log, 'reeve.webhook.v1')).toEqual([
      'endpoint.created',
      'endpoint.secret_rotated',
      'delivery.accepted',
      'delivery.duplicated',
      'delivery.rejected',
      'delivery.rejected',
    ]);
    const revoked = log.find(({ type }) => type === 'session.revoked');
    const deactivated = log.find(({ type }) => type === 'user.deactivated');
    expect(revoked).toMatchObject({ causationId: deactivated?.eventId, reason: { code: 'user_deactivated' } });
    expect(log.find(({ type }) => type === 'sign_in.succeeded')).toMatchObject({
      actor: { type: 'user', id: signedIn.claims.sub },
      context: {
        ip: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
        userAgent: 'Reeve demo browser',
        sessionId: signedIn.claims['sid'],
        connectionId: own.tenant.connectionId,
      },
    });
  });

  test('no record holds a secret, a token or an assertion', () => {
    const text = JSON.stringify(log);
    for (const secret of [
      signedIn.tokens.access_token,
      signedIn.tokens.id_token,
      refreshToken,
      app.clientSecret,
      credentials.demoIdp.clientSecret,
      alice.password,
    ]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toMatch(/whsec_|eyJ[\w-]{10,}\./);
  });

  test.each(Object.keys(formats) as FormatName[])(
    'the %s export verifies offline, and one flipped character is found',
    async name => {
      const lines = await exportLines(own.api, credentials, own.tenant, name);
      const given = { format: formats[name], keys: await auditKeys(credentials) };
      const records = lines.length - (formats[name].header === undefined ? 1 : 2);
      expect(await verifyLines(asLines(lines), given)).toMatchObject({ records, finding: null });
      const index = lines.findIndex(line => line.includes('user.deactivated'));
      const flipped = lines.map((line, at) =>
        at === index
          ? line.replace('"failure"', '"success"').replace(alice.email, alice.email.replace('a', 'e'))
          : line,
      );
      expect((await verifyLines(asLines(flipped), given)).finding).toMatchObject({ line: index + 1 });
    },
  );
});
