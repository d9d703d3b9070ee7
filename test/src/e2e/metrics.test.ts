// What the services say of themselves on /metrics, after the main job and what goes wrong in it.
import { beforeAll, expect, test } from '@jest/globals';
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
import type { ServiceName } from '@reeve/local/system';
import { documentedMetrics, samplesOf } from '@reeve/observability/documented';
import { allQueries, seriesIn } from '@reeve/observability/queries';
import { createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';
import { type Sample, scrape, sumOf } from '../support/scrape.ts';

const credentials = runningSystem();
const alice = demoUser(credentials);
let own: TestTenant;
let app: ProductApp;
let signedIn: SignedIn;
let refreshToken: string;
/** Of each service, before anything of this file happened. */
let before: Record<ServiceName, Sample[]>;

async function scrapeAll(): Promise<Record<ServiceName, Sample[]>> {
  const names = Object.keys(credentials.metrics) as ServiceName[];
  const all = await Promise.all(names.map(async name => [name, await scrape(credentials.metrics[name])] as const));
  return Object.fromEntries(all) as Record<ServiceName, Sample[]>;
}

/** How much a counter, or what a histogram has counted, has risen since this file began. */
const rise = async (service: ServiceName, name: string, labels: Record<string, string> = {}) =>
  (sumOf(await scrape(credentials.metrics[service]), name, labels) ?? 0) - (sumOf(before[service], name, labels) ?? 0);

const rises = (service: ServiceName, name: string, labels: Record<string, string> = {}) =>
  eventually(`${name} ${JSON.stringify(labels)} of ${service}`, () => rise(service, name, labels));

beforeAll(async () => {
  before = await scrapeAll();
  own = await freshTenant(credentials, 'metrics');
  app = await registerProductApp(own.api, credentials, own.tenant);
  signedIn = await signIn(app, own.tenant, alice);
});

test('a sign-in that succeeds is counted by its kind, and by tenant and connection', async () => {
  expect(await rise('auth', 'reeve_sign_ins_total', { outcome: 'succeeded', method: 'oidc' })).toBe(1);
  const ofTenant = { tenant: own.tenant.id, connection: own.tenant.connectionId };
  expect(await rise('auth', 'reeve_sign_ins_by_connection_total', { ...ofTenant, outcome: 'succeeded' })).toBe(1);
});

test('a token that is issued, refreshed or refused is counted by its grant and by what came of it', async () => {
  const count = (grant_type: string, outcome: string) =>
    rise('auth', 'reeve_token_requests_total', { grant_type, outcome });
  expect(await count('authorization_code', 'issued')).toBe(1);
  const refreshed = await refresh(app, String(signedIn.tokens.refresh_token));
  expect(await count('refresh_token', 'issued')).toBe(1);
  await expect(refresh(app, 'of nobody')).rejects.toMatchObject({ error: 'invalid_grant' });
  expect(await count('refresh_token', 'invalid_grant')).toBe(1);
  // The name of a grant is what a stranger likes.
  const odd = await fetch(`${credentials.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${app.clientId}:${app.clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'of my own making' }),
  });
  expect(odd.status).toBe(400);
  expect(await count('other', 'unsupported_grant_type')).toBe(1);
  expect(
    sumOf(await scrape(credentials.metrics.auth), 'reeve_token_requests_total', { grant_type: 'of my own making' }),
  ).toBeNull();
  refreshToken = String(refreshed.refresh_token);
});

test('an installation is counted at each step, and what is delegated, leased and taken back', async () => {
  const installation = await approveDemoConnector(own.api, credentials, own.tenant);
  await consent(signedIn.browser, installation, { ...alice, scopes: ['calendar.read'] });
  await own.api.post(
    `${credentials.urls.connectorConsent}/v1/tenants/${own.tenant.id}/installations/${installation.id}/token`,
    { userId: signedIn.claims.sub },
  );
  for (const type of ['requested', 'approved', 'installed'])
    expect([
      type,
      await rises('connector-consent', 'reeve_outbox_published_total', { type: `installation.${type}` }),
    ]).toEqual([type, 1]);
  await rises('connector-consent', 'reeve_outbox_published_total', { type: 'delegated_token.stored' });
  await rises('connector-consent', 'reeve_outbox_published_total', { type: 'delegated_token.leased' });
  const { endpoint, secret } = await endpointOf(own.api, credentials, own.tenant, installation);
  const webhook = signedWebhook(secret, { happened: 'calendar.event.created' });
  expect((await send(endpoint.url, webhook)).status).toBe(202);
  expect((await send(endpoint.url, { ...webhook, id: 'msg_forged' })).status).toBe(401);
});

test('a webhook with a signature that is wrong is counted as that', async () => {
  const rejected = { outcome: 'rejected', reason: 'signature' };
  expect(await rise('webhook-ingress', 'reeve_ingress_deliveries_total', rejected)).toBe(1);
  expect(
    await rise('webhook-ingress', 'http_server_request_duration_count', { http_response_status_code: '202' }),
  ).toBe(1);
  await rises('webhook-ingress', 'reeve_journal_published_total');
});

test('a sign-in that fails is counted by its cause, and what a deactivation reaches by how long that took', async () => {
  const { provisioning } = credentials.urls;
  await own.api.post(`${provisioning}/v1/tenants/${own.tenant.id}/users/${signedIn.claims.sub}:deactivate`);
  await eventually('the end of the session', () =>
    refresh(app, refreshToken).then(
      () => false,
      () => true,
    ),
  );
  const browser = createBrowser();
  const { url } = await beginSignIn(app, own.tenant);
  const refused = await browser.submit(await browser.open(url, callback), alice, callback);
  expect(refused.text).toContain('user_deactivated');
  const failed = { outcome: 'failed', cause: 'user_deactivated', method: 'oidc' };
  expect(await rise('auth', 'reeve_sign_ins_total', failed)).toBe(1);
  expect(await rise('auth', 'reeve_sign_ins_by_connection_total', { tenant: own.tenant.id, outcome: 'failed' })).toBe(
    1,
  );
  for (const service of ['auth', 'connector-consent'] as const)
    await rises(service, 'reeve_consumer_delay_count', { topic: 'reeve.directory.v1' });
});

test('the audit log is counted as it is verified, and says how long a log has waited for its signature', async () => {
  await own.api.get(`${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit/verify`);
  expect(await rise('audit', 'reeve_audit_verifications_total', { by: 'verify', result: 'intact' })).toBe(1);
  expect(
    await rise('audit', 'reeve_audit_verifications_total', { by: 'checkpoint', result: 'intact' }),
  ).toBeGreaterThan(0);
  const now = await scrape(credentials.metrics.audit);
  expect(sumOf(now, 'reeve_audit_verifications_total', { result: 'broken' })).toBe(0);
  expect(sumOf(now, 'reeve_audit_checkpoint_age')).toBeGreaterThanOrEqual(0);
});

test('keys and what of connections ends are measured before anything ends', async () => {
  const now = await scrape(credentials.metrics.auth);
  for (const use of ['accessToken', 'idToken'])
    expect(sumOf(now, 'reeve_signing_key_age', { use })).toBeLessThan(86_400);
  for (const within_days of ['0', '7', '30'])
    expect(sumOf(now, 'reeve_connections_expiry_warnings_total', { what: 'certificate', within_days })).not.toBeNull();
});

test.each(['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'] as const)(
  '%s says how busy it is, and what waits',
  async service => {
    const now = await scrape(credentials.metrics[service]);
    for (const name of ['nodejs_eventloop_utilization', 'v8js_memory_heap_used', 'http_server_active_requests'])
      expect([name, sumOf(now, name)]).toEqual([name, expect.any(Number)]);
    expect(sumOf(now, 'nodejs_eventloop_delay_p99')).toBeGreaterThanOrEqual(0);
    expect(sumOf(now, 'db_client_connection_wait_time_count')).toBeGreaterThan(0);
    const states = ['idle', 'used'].map(state =>
      sumOf(now, 'db_client_connection_count', { db_client_connection_state: state }),
    );
    for (const count of states) expect(count).toBeGreaterThanOrEqual(0);
    expect(sumOf(now, 'reeve_outbox_age')).toBeLessThan(60);
  },
);

test('no metric holds an address of a person, or who somebody is', async () => {
  const all = Object.values(await scrapeAll()).flat();
  const values = all.flatMap(({ labels }) => Object.values(labels));
  expect(values).toContain(own.tenant.id);
  expect(values.filter(value => value.includes('@') && !value.startsWith('@'))).toEqual([]);
  expect(values.filter(value => /^(usr|ses|cns)_/.test(value))).toEqual([]);
  expect(String(signedIn.claims.sub)).toMatch(/^usr_/);
});

/** Of what may not have happened yet when these tests run. */
const mayNotHaveHappened = [
  'db_client_connection_timeouts_total',
  'reeve_audit_alerts_total',
  'reeve_audit_checkpoint_failures_total',
  'reeve_audit_removed_total',
  'reeve_audit_searchable_total',
  'reeve_audit_sink_delivered_total',
  'reeve_audit_sink_failures_total',
  'reeve_audit_sink_lag',
  'reeve_audit_stored_total',
  'reeve_consumer_dead_letters_total',
  'reeve_consumer_retries_total',
  'reeve_journal_recovered_total',
  'reeve_log_failures_total',
  'reeve_logout_notices_total',
  'reeve_outbox_failures_total',
  'reeve_refresh_tokens_total',
];

test('what dashboards and rules read is there, but of what has not happened', async () => {
  const measured = new Set(Object.values(await scrapeAll()).flatMap(samples => samples.map(({ name }) => name)));
  const read = new Set(allQueries().flatMap(({ expr }) => seriesIn(expr).map(({ name }) => name)));
  const wanted = [...read].filter(name => !name.startsWith('reeve:') && !mayNotHaveHappened.includes(name));
  expect(wanted.length).toBeGreaterThan(20);
  expect(wanted.filter(name => !measured.has(name))).toEqual([]);
});

test('each label is one that docs/observability.md has of its metric', async () => {
  const documented = new Map(
    documentedMetrics()
      .flatMap(samplesOf)
      .map(({ name, labels }) => [name, labels]),
  );
  const odd = Object.values(await scrapeAll())
    .flat()
    .flatMap(({ name, labels }) => {
      const known = documented.get(name);
      return known
        ? Object.keys(labels)
            .filter(label => !known.includes(label))
            .map(label => `${name}{${label}}`)
        : [];
    });
  expect([...new Set(odd)]).toEqual([]);
});

test('each metric of ours that is served is documented', async () => {
  const documented = new Set(
    documentedMetrics()
      .flatMap(samplesOf)
      .map(({ name }) => name),
  );
  const served = Object.values(await scrapeAll()).flatMap(samples => samples.map(({ name }) => name));
  expect([...new Set(served)].filter(name => name.startsWith('reeve_') && !documented.has(name))).toEqual([]);
});
