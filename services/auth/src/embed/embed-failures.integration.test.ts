// What fails before a connection is known: on the record of the tenant that the page names, by its code, and no more of
// it than a tenant can read. Each beside the control that nothing is there where nothing failed.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventTypes, newId, type TenantId } from '@reeve/contracts';
import { eventually, readEvents } from '@reeve/testing';
import { type Auth, startAuth } from '../auth.test-support.ts';
import { embedCodes } from './codes.ts';

const origin = 'https://portal.acme.example';
const secret = 's'.repeat(43);
const ofPage = { origin, state: secret, code_challenge: secret, dpop_jkt: secret };

let auth: Auth;
let as: string;
let log: Awaited<ReturnType<typeof readEvents>>;

beforeAll(async () => {
  auth = await startAuth();
  as = await auth.asPlatform();
  log = await readEvents('reeve.auth.v1');
}, 60_000);
afterAll(async () => {
  await log.stop();
  await auth.stop();
});

async function embedding(authKeys: readonly string[] = ['default'], more: object = {}) {
  const { tenantId, slug } = await auth.newTenant();
  const connections = [await auth.newConnection(tenantId), await auth.newConnection(tenantId, { name: 'Another' })];
  for (const authKey of authKeys)
    await auth.ask('POST', `/v1/tenants/${tenantId}/auth-keys`, {
      as,
      body: { authKey, connectionId: connections[0] },
    });
  const { id } = await auth.newApplication(tenantId, {
    kind: 'single_page',
    surface: 'assistant',
    dpopRequired: true,
    redirectUris: [`${auth.url}/embed/callback`],
  });
  const body = {
    enabled: true,
    origins: [origin],
    applicationId: id,
    resource: auth.url,
    scopes: [],
    mode: 'auto',
    ...more,
  };
  expect((await auth.ask('PUT', `/v1/tenants/${tenantId}/embed`, { as, body })).status).toBe(200);
  return { tenantId, slug, applicationId: id };
}

const failuresOf = (tenantId: TenantId) =>
  log
    .of(tenantId)
    .filter(({ type }) => type === 'embedded_sign_in.failed')
    .map(({ data }) => ({ code: data.reason.code, ...data.details }));

const asksFor = (query: Record<string, string>, from: string | null = origin) =>
  fetch(`${auth.url}/embed/config?${new URLSearchParams(query)}`, { headers: from === null ? {} : { origin: from } });

const tells = (form: Record<string, string>, from = origin) =>
  fetch(`${auth.url}/embed/failures`, { method: 'POST', headers: { origin: from }, body: new URLSearchParams(form) });

const opens = async (query: Record<string, string>, cookie?: string) =>
  fetch(`${auth.url}/embed/authorize?${new URLSearchParams(query)}`, {
    redirect: 'manual',
    headers: cookie === undefined ? {} : { cookie },
  });

test('what a page is refused is an event of its tenant, with what the page said', async () => {
  const own = await embedding();
  await asksFor({ domain: own.slug, auth_key: 'nobody' });
  await asksFor({ domain: own.slug }, 'https://elsewhere.example');
  await eventually('both', () => failuresOf(own.tenantId).length === 2);
  expect(failuresOf(own.tenantId)).toEqual([
    { code: 'unknown_auth_key', origin, authKey: 'nobody' },
    { code: 'origin_not_allowed', origin: 'https://elsewhere.example', authKey: null },
  ]);
  const [event] = log.of(own.tenantId).filter(({ type }) => type === 'embedded_sign_in.failed');
  expect(event?.data).toMatchObject({ actor: { type: 'stranger', id: null }, target: { type: 'policy', id: 'embed' } });
});

test('so are a missing key, an application without our redirect URI, and embedding that is off', async () => {
  const without = await embedding([]);
  await asksFor({ domain: without.slug });
  const lost = await embedding();
  await auth.ask('PATCH', `/v1/tenants/${lost.tenantId}/applications/${lost.applicationId}`, {
    as,
    body: { redirectUris: ['https://x.example'] },
  });
  await eventually('it counts', async () => (await asksFor({ domain: lost.slug })).status === 400);
  const off = await auth.newTenant();
  await asksFor({ domain: off.slug });
  for (const [{ tenantId }, code] of [
    [without, 'missing_auth_key'],
    [lost, 'redirect_uri_mismatch'],
    [off, 'unknown_auth_key'],
  ] as const)
    await eventually(code, () => failuresOf(tenantId).some(one => one.code === code));
});

test('so are a window that goes round in circles, and a browser that keeps no cookies', async () => {
  const own = await embedding();
  const first = await opens({ domain: own.slug, ...ofPage, mode: 'popup' });
  let cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  for (let count = 0; count < 7; count += 1) {
    const { headers } = await opens({ domain: own.slug, ...ofPage, mode: 'popup', again: '1' }, cookie);
    cookie = headers.getSetCookie()[0]?.split(';')[0] ?? '';
  }
  await opens({ domain: own.slug, again: '1' });
  await eventually('both', () => failuresOf(own.tenantId).length === 2);
  expect(failuresOf(own.tenantId)).toEqual([
    { code: 'redirect_loop', origin, authKey: null },
    { code: 'cookies_blocked', origin: null, authKey: null },
  ]);
});

test('so is a page that is left again and again, and the way back tells it', async () => {
  const own = await embedding();
  const fields = { domain: own.slug, ...ofPage, mode: 'redirect', return_to: `${origin}/x` };
  let [cookie, answer] = ['', null as Response | null];
  for (let count = 0; count < 8; count += 1) {
    answer = await fetch(`${auth.url}/embed/authorize`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin, ...(cookie === '' ? {} : { cookie }) },
      body: new URLSearchParams(fields),
    });
    expect(answer.status).toBe(count < 7 ? 303 : 400);
    cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  }
  const back = `${origin}/x#${new URLSearchParams({ reeve_error: 'redirect_loop', reeve_state: secret })}`;
  expect((await answer?.text())?.replaceAll('&amp;', '&')).toContain(`href="${back}"`);
  await eventually('it is there', () => failuresOf(own.tenantId).length === 1);
  expect(failuresOf(own.tenantId)).toEqual([{ code: 'redirect_loop', origin, authKey: null }]);
});

test('what a browser alone knows is told by the page, of the tenant’s origins, and of what is listed', async () => {
  const own = await embedding();
  const form = { domain: own.slug, auth_key: 'default', code: 'popup_blocked' };
  expect((await tells(form)).status).toBe(204);
  expect((await tells(form, 'https://evil.example')).status).toBe(403);
  expect((await tells({ ...form, domain: 'nobody-has-this' })).status).toBe(400);
  for (const wrong of [{ code: 'not_in_roster' }, { code: 'x' }, { more: '1' }])
    expect((await tells({ ...form, ...wrong })).status).toBe(400);
  await eventually('both', () => failuresOf(own.tenantId).length === 2);
  expect(failuresOf(own.tenantId)).toEqual([
    { code: 'popup_blocked', origin, authKey: 'default' },
    { code: 'origin_not_allowed', origin: 'https://evil.example', authKey: null },
  ]);
});

test('an application that may not have the API, of which no connection knows, is told as well', async () => {
  const { tenantId, slug } = await embedding(['default'], { resource: 'https://nobody.example' });
  // Somebody is led there without a page that waits.
  const { headers } = await opens({ domain: slug });
  const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const onward = await opens({ domain: slug, again: '1' }, cookie);
  const answer = await fetch(onward.headers.get('location') ?? '', { redirect: 'manual' });
  await fetch(answer.headers.get('location') ?? '');
  await eventually('it is there', () => failuresOf(tenantId).some(({ code }) => code === 'no_access'));
});

test('a stranger cannot fill the log: a hundred at once are three events, and the checklist counts them', async () => {
  const own = await embedding();
  await Promise.all(
    Array.from({ length: 100 }, (_, count) => asksFor({ domain: own.slug, auth_key: `nobody${count}` })),
  );
  type Checks = { checks: { code: string; why: string }[] };
  await eventually('all are counted', async () => {
    const { body } = await auth.ask<Checks>('GET', `/v1/tenants/${own.tenantId}/embed/check`, { as });
    return body.checks.some(({ code, why }) => code === 'unknown_auth_key' && why.includes('Met 100 times'));
  });
  await asksFor({ domain: own.slug }, 'https://elsewhere.example');
  await eventually('the next', () => failuresOf(own.tenantId).some(({ code }) => code === 'origin_not_allowed'));
  const told = failuresOf(own.tenantId).filter(({ code }) => code === 'unknown_auth_key');
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual(3);
});

test('what somebody pleases to send is not on the record, and a tenant that is none has no event', async () => {
  const own = await embedding();
  await asksFor({ domain: own.slug, auth_key: '<script>' }, 'https://evil.example/with/a/path');
  const nobody = newId('tenant');
  for (const domain of [nobody, 'nobody-has-this']) await asksFor({ domain });
  await eventually('the one', () => failuresOf(own.tenantId).length === 1);
  expect(failuresOf(own.tenantId)).toEqual([{ code: 'unknown_auth_key', origin: null, authKey: null }]);
  expect(failuresOf(nobody)).toEqual([]);
});

test('each code is a reason of an event, but where there is no network or a session is over', () => {
  const own: readonly string[] = eventTypes['embedded_sign_in.failed'].reasons;
  // These are `sign_in.failed`, with a connection.
  const atConnections = ['wrong_idp', 'secret_expired', 'certificate_expired', 'not_in_roster', 'no_channel_identity'];
  const without = ['session_over', 'offline'];
  expect([...own, ...atConnections, ...without].toSorted()).toEqual(Object.keys(embedCodes).toSorted());
});

test('the checklist has a row for each code that an administrator can do something about', async () => {
  const own = await embedding();
  type Checks = { checks: { code: string }[] };
  for (const query of ['', '?email=ada@acme.example']) {
    const { body } = await auth.ask<Checks>('GET', `/v1/tenants/${own.tenantId}/embed/check${query}`, { as });
    const codes = new Set([...body.checks.map(({ code }) => code), 'session_over', 'offline']);
    expect([...codes].toSorted()).toEqual(Object.keys(embedCodes).toSorted());
  }
});
