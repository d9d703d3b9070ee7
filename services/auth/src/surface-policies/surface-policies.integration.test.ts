// What is said of a surface, and that it holds for the sessions there: also for those that are live already.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { createBrowser, type EventReader, eventually, readEvents } from '@reeve/testing';
import { decodeJwt } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { contents } from '../contents.ts';
import { type Session, sessions } from '../sessions/session.ts';

let auth: Auth;
let store: Store;
let events: EventReader;
let tenantId: TenantId;
let console_: Application;

beforeAll(async () => {
  auth = await startAuth();
  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
  store = openStore({ uri, database, source: '/test', contents, onError: () => {} });
  events = await readEvents('reeve.auth.v1', 'reeve.revocations.v1');
}, 60_000);
afterAll(async () => {
  await events.stop();
  await store.close();
  await auth.stop();
});
beforeEach(async () => {
  auth.provider.is({ sub: newId('request') });
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  console_ = await auth.newApplication(tenantId, { surface: 'console' });
});

const usual = { idleSeconds: 1_800, absoluteSeconds: 28_800, deviceChange: 'end', providerLogout: true };
const at = (surface: string, of: TenantId | null = tenantId) =>
  of === null ? `/v1/surface-policies/${surface}` : `/v1/tenants/${of}/surface-policies/${surface}`;
async function say(surface: string, change: object, of: TenantId | null = tenantId) {
  const as = await auth.asPlatform();
  return auth.ask<Record<string, unknown>>('PUT', at(surface, of), { as, body: { ...usual, ...change } });
}
const read = async (surface: string, of: TenantId | null = tenantId) =>
  (await auth.ask<Record<string, unknown>>('GET', at(surface, of), { as: await auth.asPlatform() })).body;
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();

/** As if that had been so all the time. */
async function rewrite(sid: unknown, change: Partial<Session>): Promise<void> {
  const cause = serviceCause('auth', { correlationId: newEventId() });
  const decide = (session: Session | null) => session && { state: { ...session, ...change }, events: [] };
  await store.collection(sessions).in(tenantId).change(String(sid), decide, { cause });
}
const stored = async (sid: unknown) => (await store.collection(sessions).in(tenantId).get(String(sid)))?.state;
const endsOf = (sid: unknown) =>
  events
    .of(tenantId)
    .filter(
      ({ type, data, topic }) => type.startsWith('session.') && topic === 'reeve.auth.v1' && data.target.id === sid,
    )
    .filter(({ type }) => type !== 'session.created')
    .map(({ type, data }) => [type, data.reason.code]);
const isRefreshed = async (application: Application, token: string | undefined) =>
  (await auth.refresh(application, token ?? '')).status === 200;
/** Whether an application gets a code without the person doing anything. */
async function passes(application: Application, browser = createBrowser()): Promise<boolean> {
  return (await auth.authorize(application, { browser, prompt: 'none' })).code !== null;
}

describe('a policy', () => {
  test('is what Reeve says, then the platform, then the tenant', async () => {
    expect(await read('console')).toMatchObject({ surface: 'console', ...usual, setBy: 'reeve' });
    const surface = `s${newEventId().slice(0, 8)}`;
    await say(surface, { idleSeconds: 600 }, null);
    expect(await read(surface)).toMatchObject({ idleSeconds: 600, setBy: 'platform' });
    expect((await say(surface, { idleSeconds: 300 })).body).toMatchObject({ idleSeconds: 300, setBy: 'tenant' });
    const as = await auth.asPlatform();
    const { body } = await auth.ask<{ items: { surface: string }[] }>(
      'GET',
      `/v1/tenants/${tenantId}/surface-policies`,
      { as },
    );
    const names = body.items.map(one => one.surface);
    expect(names).toEqual(expect.arrayContaining(['api', 'assistant', 'console', 'dashboard', 'mobile', surface]));
    // Another tenant is told nothing of it.
    const other = await auth.newTenant();
    expect(await read(surface, other.tenantId)).toMatchObject({ idleSeconds: 600, setBy: 'platform' });
    expect((await auth.ask('DELETE', at(surface), { as })).status).toBe(204);
    expect(await read(surface)).toMatchObject({ idleSeconds: 600, setBy: 'platform' });
    expect((await auth.ask('DELETE', at(surface), { as })).status).toBe(404);
  });

  test.each([
    [{ idleSeconds: 3_600 }, 'idleSeconds'],
    [{ idleSeconds: 1 }, 'idleSeconds'],
    [{ absoluteSeconds: 86_400 }, 'absoluteSeconds'],
    [{ deviceChange: 'ignore' }, 'deviceChange'],
    [{ deviceChange: 'never' }, 'deviceChange'],
    [{ providerLogout: 'yes' }, 'providerLogout'],
    [{ more: 1 }, 'more'],
  ])('of a tenant cannot be %j', async (change, field) => {
    const { status, body } = await say('console', change);
    expect([status, body]).toMatchObject([400, { code: 'input_invalid', errors: [{ field }] }]);
    expect((await say('console', {})).status).toBe(200);
  });

  test('is for a surface that an application can have', async () => {
    expect(await say('No%20Surface', {})).toMatchObject({ status: 400, body: { errors: [{ field: 'surface' }] } });
  });

  test('honours If-Match, and each change is on the record', async () => {
    const as = await auth.asPlatform();
    const body = { ...usual, idleSeconds: 600 };
    const ask = (match: string) => auth.ask('PUT', at('console'), { as, body, headers: { 'if-match': match } });
    expect((await ask('"7"')).status).toBe(412);
    expect((await say('console', {})).headers.get('etag')).toBe('"1"');
    expect((await ask('"1"')).status).toBe(200);
    const told = () => events.of(tenantId).filter(({ type }) => type === 'policy.updated');
    await eventually('both changes', () => told().length === 2);
    expect(told()[1]?.data).toMatchObject({ target: { id: 'surface/console' }, details: { changed: ['idleSeconds'] } });
  });
});

describe('a session', () => {
  test('that is not used is over, once, with its refresh tokens', async () => {
    const { claims, tokens, browser } = await auth.signIn(console_);
    expect(await passes(console_, browser)).toBe(true);
    await rewrite(claims['sid'], { lastSeenAt: ago(1_801), overAt: ago(1) });
    expect(await isRefreshed(console_, tokens['refresh_token'])).toBe(false);
    expect(await passes(console_, browser)).toBe(false);
    await eventually('its end', () => endsOf(claims['sid']).length > 0, 15_000);
    expect(endsOf(claims['sid'])).toEqual([['session.expired', 'idle']]);
    const revoked = () => events.of(tenantId).filter(({ topic, id }) => topic === 'reeve.revocations.v1' && id !== '');
    await eventually('those who verify by themselves are told', () => revoked().length > 0);
    expect(await stored(claims['sid'])).toMatchObject({ status: 'expired' });
  });

  test('that is used goes on, up to its longest time', async () => {
    const { claims, tokens } = await auth.signIn(console_);
    await rewrite(claims['sid'], { lastSeenAt: ago(1_700), overAt: ago(-100) });
    const { status, body } = await auth.refresh(console_, tokens['refresh_token'] ?? '');
    expect(status).toBe(200);
    expect(Date.parse((await stored(claims['sid']))?.overAt ?? '')).toBeGreaterThan(Date.now() + 1_700_000);
    await rewrite(claims['sid'], { createdAt: ago(28_801), overAt: ago(1) });
    expect(await isRefreshed(console_, body['refresh_token'])).toBe(false);
    await eventually('its end', () => endsOf(claims['sid']).length > 0, 15_000);
    expect(endsOf(claims['sid'])).toEqual([['session.expired', 'expired']]);
  });

  test('gives no access token that counts longer than the session', async () => {
    const { claims, tokens } = await auth.signIn(console_, { resource: auth.url });
    await rewrite(claims['sid'], { createdAt: ago(28_740) });
    const { body } = await auth.token(console_, {
      grant_type: 'refresh_token',
      refresh_token: tokens['refresh_token'] ?? '',
      resource: auth.url,
    });
    const { exp = 0, iat = 0 } = decodeJwt(body['access_token'] ?? '');
    expect(exp - iat).toBeLessThanOrEqual(60);
  });

  test('that is live is over as soon as its policy says so, and not before', async () => {
    const [one, other] = [await auth.signIn(console_), await auth.signIn(await auth.newApplication(tenantId))];
    for (const { claims } of [one, other]) await rewrite(claims['sid'], { createdAt: ago(3_600) });
    expect(await passes(console_, one.browser)).toBe(true);
    await say('console', { absoluteSeconds: 3_000 });
    await eventually('its end', () => endsOf(one.claims['sid']).length > 0);
    expect(endsOf(one.claims['sid'])).toEqual([['session.expired', 'expired']]);
    expect(await passes(console_, one.browser)).toBe(false);
    expect(endsOf(other.claims['sid'])).toEqual([]);
  });

  test('does not count at an application of a stricter surface, whose people sign in anew', async () => {
    const dashboard = await auth.newApplication(tenantId, { surface: 'dashboard' });
    const { claims, browser } = await auth.signIn(dashboard);
    expect(await passes(console_, browser)).toBe(true);
    await rewrite(claims['sid'], { createdAt: ago(30_000), signedInAt: ago(30_000) });
    expect([await passes(console_, browser), await passes(dashboard, browser)]).toEqual([false, true]);
    await auth.signIn(console_, { browser });
    expect([await passes(console_, browser), await passes(dashboard, browser)]).toEqual([true, true]);
  });
});

describe('a session whose browser turns out to be another one', () => {
  /** Whose cookie it was is at another device now. */
  async function stolen(surface: string, deviceChange: string) {
    await say(surface, { deviceChange, idleSeconds: 600, absoluteSeconds: 3_600 });
    const application = await auth.newApplication(tenantId, { surface });
    const { claims, browser, tokens } = await auth.signIn(application);
    const own = await stored(claims['sid']);
    const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';
    expect(own?.userAgent).not.toBe(userAgent);
    expect(await passes(application, browser)).toBe(true);
    await rewrite(claims['sid'], { userAgent });
    return { application, claims, browser, refreshToken: tokens['refresh_token'] };
  }

  test('goes on where the policy says nothing of it', async () => {
    const { application, browser, claims } = await stolen('dashboard', 'ignore');
    expect(await passes(application, browser)).toBe(true);
    expect(endsOf(claims['sid'])).toEqual([]);
  });

  test('has the person sign in once more where the policy says so, once', async () => {
    const { application, browser, claims, refreshToken } = await stolen('mobile', 'sign_in');
    expect(await passes(application, browser)).toBe(false);
    expect(await isRefreshed(application, refreshToken)).toBe(true);
    const again = await auth.signIn(application, { browser });
    expect(again.claims['sid']).toBe(claims['sid']);
    expect(await passes(application, browser)).toBe(true);
  });

  test('is treated as the stricter says of where it began and where it is used', async () => {
    const { browser, claims } = await stolen('dashboard', 'ignore');
    expect(await passes(console_, browser)).toBe(false);
    await eventually('its end', () => endsOf(claims['sid']).length > 0);
    expect(endsOf(claims['sid'])).toEqual([['session.revoked', 'device_changed']]);
  });

  test('ends where the policy says so', async () => {
    const { application, browser, claims, refreshToken } = await stolen('console', 'end');
    expect(await passes(application, browser)).toBe(false);
    await eventually('its end', () => endsOf(claims['sid']).length > 0);
    expect(endsOf(claims['sid'])).toEqual([['session.revoked', 'device_changed']]);
    expect(await isRefreshed(application, refreshToken)).toBe(false);
    const again = await auth.signIn(application, { browser });
    expect(again.claims['sid']).not.toBe(claims['sid']);
  });
});
