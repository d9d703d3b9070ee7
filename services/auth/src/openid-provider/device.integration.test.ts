// Devices that have no browser (RFC 8628): somebody signs in for one at another, and it gets tokens; once, for the right
// device, and by no other way than people sign in otherwise.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { type Browser, createBrowser, type Page, textsIn } from '@reeve/testing';
import { decodeJwt } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let tenantId: TenantId;
let slug: string;
let connection: Id<'connection'>;
let device: Application;

beforeAll(async () => {
  auth = await startAuth();
  ({ tenantId, slug } = await auth.newTenant());
  connection = await auth.newConnection(tenantId);
  device = await newDevice();
}, 60_000);
afterAll(() => auth.stop());
beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example' }));

const newDevice = (settings: object = {}) =>
  auth.newApplication(null, {
    kind: 'device',
    grantTypes: ['device_code', 'refresh_token'],
    redirectUris: [],
    areas: ['sessions'],
    ...settings,
  });

type Begun = { device_code: string; user_code: string; verification_uri: string; verification_uri_complete: string };

async function begin(parameters: Record<string, string> = {}, client: Application = device) {
  const form = { client_id: client.id, scope: 'openid profile', tenant: slug, ...parameters };
  const answer = await fetch(`${auth.url}/device/auth`, { method: 'POST', body: new URLSearchParams(form) });
  return { status: answer.status, body: (await answer.json()) as Begun & { error?: string; expires_in: number } };
}

const poll = (deviceCode: string, client: Application = device, more: Record<string, string> = {}) =>
  auth.token(client, {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: deviceCode,
    ...more,
  });

/** The person opens the page and types the code. */
async function type(userCode: string, browser: Browser = createBrowser()): Promise<Page> {
  const page = await browser.open(`${auth.url}/device`);
  return browser.submit(page, { user_code: userCode });
}

async function confirm(userCode: string, browser: Browser = createBrowser()): Promise<Page> {
  return browser.submit(await type(userCode, browser), { confirm: 'yes' });
}

const pending = { status: 400, body: { error: 'authorization_pending' } };

describe('a device', () => {
  test('gets tokens of whoever has signed in for it, once, and refreshes them', async () => {
    const { status, body } = await begin({ resource: auth.url });
    expect([status, body.verification_uri]).toEqual([200, `${auth.url}/device`]);
    expect(body.user_code).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
    expect(await poll(body.device_code)).toMatchObject(pending);
    const asked = await type(body.user_code.toLowerCase().replace('-', ' '));
    expect([asked.status, textsIn(asked, 'strong'), asked.text.includes('An application')]).toEqual([
      200,
      [body.user_code],
      true,
    ]);
    expect(await poll(body.device_code)).toMatchObject(pending);
    const done = await confirm(body.user_code);
    expect([done.status, textsIn(done, 'h1')]).toEqual([200, ['The device is signed in']]);
    const tokens = await poll(body.device_code);
    expect(tokens.status).toBe(200);
    expect(decodeJwt(tokens.body['access_token'] ?? '')).toMatchObject({ tid: tenantId, client_id: device.id });
    const { sid } = decodeJwt(tokens.body['id_token'] ?? '');
    expect(await poll(body.device_code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    // Whoever comes a second time with it ends what the first one got.
    expect((await auth.refresh(device, tokens.body['refresh_token'] ?? '')).status).toBe(400);
    expect(sid).toMatch(/^ses_/);
  });

  test('is signed in until the session ends', async () => {
    const { body } = await begin({ resource: auth.url });
    await confirm(body.user_code);
    const { body: tokens } = await poll(body.device_code);
    const fresh = await auth.refresh(device, tokens['refresh_token'] ?? '');
    expect(fresh.status).toBe(200);
    const { sid } = decodeJwt(tokens['id_token'] ?? '');
    const as = await auth.asPlatform();
    await auth.ask('POST', `/v1/tenants/${tenantId}/sessions/${String(sid)}:terminate`, { as });
    expect((await auth.refresh(device, fresh.body['refresh_token'] ?? '')).status).toBe(400);
  });

  test('needs nothing but a yes of whoever is signed in at that browser already', async () => {
    const browser = createBrowser();
    const first = await begin();
    await confirm(first.body.user_code, browser);
    const second = await begin();
    const before = auth.provider.asked.length;
    await confirm(second.body.user_code, browser);
    expect(auth.provider.asked).toHaveLength(before);
    expect((await poll(second.body.device_code)).status).toBe(200);
  });

  test('can be reached by a link with the code, which asks all the same', async () => {
    const { body } = await begin();
    const page = await createBrowser().open(body.verification_uri_complete);
    expect(textsIn(page, 'strong')).toEqual([body.user_code]);
    expect(await poll(body.device_code)).toMatchObject(pending);
  });

  test('is told so where the person says no, or the provider does', async () => {
    const refused = await begin();
    const browser = createBrowser();
    const page = await browser.submit(await type(refused.body.user_code, browser), { abort: 'yes' });
    expect(page.text).toContain('The device was not signed in');
    expect(await poll(refused.body.device_code)).toMatchObject({ status: 400, body: { error: 'access_denied' } });

    const failed = await begin();
    auth.provider.refuses('access_denied');
    const shown = await confirm(failed.body.user_code, browser);
    const [leave = ''] = /\/interaction\/[^/"]+\/leave/.exec(shown.text) ?? [];
    await browser.open(new URL(leave, auth.url));
    expect(await poll(failed.body.device_code)).toMatchObject({ status: 400, body: { error: 'access_denied' } });
  });

  test('proves which it is where it can', async () => {
    const withSecret = await newDevice({ authentication: { method: 'client_secret' } });
    expect((await begin({}, withSecret)).status).toBe(401);
    const { body } = await begin({ client_secret: withSecret.secret }, withSecret);
    await confirm(body.user_code);
    expect((await poll(body.device_code, { ...withSecret, secret: '' })).status).toBe(401);
    expect((await poll(body.device_code, withSecret)).status).toBe(200);
  });

  test('is signed in at a tenant that its application serves, and by its identity provider alone', async () => {
    const other = await auth.newTenant();
    await auth.newConnection(other.tenantId);
    const serving = await newDevice({ tenants: [other.tenantId] });
    const { body } = await begin({}, serving);
    const page = await confirm(body.user_code);
    expect([page.url.pathname.startsWith('/interaction/'), page.text.includes('name="email"')]).toEqual([true, true]);
    expect(await poll(body.device_code, serving)).toMatchObject(pending);
    const right = await begin({ tenant: other.slug }, serving);
    await confirm(right.body.user_code);
    expect((await poll(right.body.device_code, serving)).status).toBe(200);
    expect(auth.provider.asked.at(-1)?.get('redirect_uri')).toContain('/oidc/con_');
    expect(connection).toMatch(/^con_/);
  });
});

describe('a code of a device', () => {
  test.each(['', 'AAAA-AAAA', 'x', '<script>', 'A'.repeat(500), '\u0000'])('%j is not known', async userCode => {
    const page = await type(userCode);
    expect([page.status, textsIn(page, '[role=alert]').length]).toEqual([400, 1]);
    expect(page.text).not.toContain('<script>alert');
  });

  test('is decided about once', async () => {
    const { body } = await begin();
    await confirm(body.user_code);
    expect((await type(body.user_code)).status).toBe(400);
    const mallory = createBrowser();
    auth.provider.is({ sub: 'mallory' });
    expect((await type(body.user_code, mallory)).status).toBe(400);
    const { body: tokens } = await poll(body.device_code);
    auth.provider.is({ sub: 'ada' });
    const { claims } = await auth.signIn(await auth.newApplication(null), { tenant: slug });
    expect(decodeJwt(tokens['id_token'] ?? '').sub).toBe(claims.sub);
  });

  test('is claimed by one of two who say at the same moment that the device is theirs', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { body } = await begin();
      const [alice, bob] = [createBrowser(), createBrowser()];
      const pages = [await type(body.user_code, alice), await type(body.user_code, bob)];
      const ended = await Promise.all(
        [alice, bob].map((browser, index) => browser.submit(pages[index] as Page, { confirm: 'yes' })),
      );
      expect(ended.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 400]);
      expect((await poll(body.device_code)).status).toBe(200);
    }
  });

  test('is taken from a form of ours alone', async () => {
    const { body } = await begin();
    const forged = await fetch(`${auth.url}/device`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ user_code: body.user_code, confirm: 'yes' }),
    });
    expect([forged.status, forged.headers.get('location')]).toEqual([302, '/device']);
    const browser = createBrowser();
    await type(body.user_code, browser);
    const text = `<form method="post" action="/device"><input type="hidden" name="xsrf" value="x"></form>`;
    const page = { url: new URL(auth.url), status: 200, text, headers: new Headers() };
    expect((await browser.submit(page, { user_code: body.user_code, confirm: 'yes' })).status).toBe(400);
    expect(await poll(body.device_code)).toMatchObject(pending);
  });

  test('of one device is of no use to another, nor is what the store calls it', async () => {
    const { body } = await begin();
    const other = await newDevice();
    await confirm(body.user_code);
    expect(await poll(body.device_code, other)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const { createHash } = await import('node:crypto');
    const inside = `by-hash:${createHash('sha256').update(body.device_code).digest('hex')}`;
    for (const forged of [inside, body.device_code.slice(0, -1), `${body.device_code}A`, body.user_code])
      expect(await poll(forged)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await poll(body.device_code)).status).toBe(200);
  });

  test('is used by one of ten that come at once', async () => {
    const { body } = await begin();
    await confirm(body.user_code);
    const answers = await Promise.all(Array.from({ length: 10 }, () => poll(body.device_code)));
    const [first, ...others] = answers.filter(({ status }) => status === 200);
    expect([first?.status, others]).toEqual([200, []]);
    const refused = answers.filter(one => one !== first);
    expect(refused.map(({ body: { error } }) => error)).toEqual(Array(9).fill('invalid_grant'));
  });

  test('is given to devices alone', async () => {
    const web = await auth.newApplication(null);
    expect((await begin({ client_secret: web.secret }, web)).body.error).toBe('invalid_request');
  });
});
