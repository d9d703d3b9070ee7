// Signing in, from the application's first redirect to its tokens, and what an attacker could try in between.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type Id, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore } from '@reeve/store';
import { createBrowser, type EventReader, engines, eventually, readEvents } from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';
import { connections } from '../connections/connection.ts';
import { watchStore } from '../store-commands.test-support.ts';

const database = `auth_${randomUUID().slice(0, 8)}`;
let watched: Awaited<ReturnType<typeof watchStore>>;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let connectionId: Id<'connection'>;
let application: Application;

beforeAll(async () => {
  watched = await watchStore(engines().mongodb);
  auth = await startAuth({ MONGODB_URI: watched.url, MONGODB_DATABASE: database });
  events = await readEvents('reeve.auth.v1');
  ({ tenantId } = await auth.newTenant());
  connectionId = await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await watched.stop();
});
beforeEach(() => {
  auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true, name: 'Ada' });
  auth.provisioning.answers(null);
});

const lastAsked = () => auth.provider.asked.at(-1);
const nowSeconds = () => Math.floor(Date.now() / 1_000);
const failures = () =>
  events
    .of(tenantId)
    .filter(({ type }) => type === 'sign_in.failed')
    .map(({ data }) => data.reason.code);

describe('a sign-in', () => {
  test('ends in tokens that say who it is, where, since when and how, and is on the record', async () => {
    const { claims, tokens, browser } = await auth.signIn(application, { scope: 'openid email profile roles' });
    // Those of ours alone; between the first two it is at the identity provider.
    const path = (visited: string) => visited.replaceAll(/[\w-]{20,}/g, '…').replace(`GET ${auth.url}`, '');
    const ours = browser.visited.filter(one => one.includes(auth.url)).map(path);
    expect(ours).toEqual(['/auth', '/oidc/…/callback', '/interaction/…/return/…']);
    expect(claims).toMatchObject({
      sub: expect.stringMatching(/^usr_/),
      tid: tenantId,
      sid: expect.stringMatching(/^ses_/),
      amr: ['fed'],
      roles: ['tenant_member'],
      email: 'ada@acme.example',
    });
    expect(Number(claims['auth_time'])).toBeGreaterThan(nowSeconds() - 10);
    expect(tokens['refresh_token']).toEqual(expect.any(String));
    const sid = String(claims['sid']);
    expect((await events.seen(tenantId, 'session.created', sid)).data).toMatchObject({
      actor: { type: 'user', id: claims.sub, via: 'idp' },
      context: { sessionId: sid, connectionId, clientId: application.id },
      details: { userId: claims.sub, provider: connectionId, surface: 'application' },
    });
    expect((await events.seen(tenantId, 'sign_in.succeeded', claims.sub)).data).toMatchObject({
      details: { method: 'oidc' },
    });
  });

  test('is done once: at the same browser the next one needs no identity provider', async () => {
    const { browser, claims } = await auth.signIn(application);
    const before = auth.provider.asked.length;
    const again = await auth.signIn(application, { browser });
    expect(auth.provider.asked.length).toBe(before);
    expect(again.claims['sid']).toBe(claims['sid']);
  });

  test('asks the store no more than twenty-four times, two of them for its trace', async () => {
    const counts: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      // What is looked up once a second is looked up each time.
      await new Promise(resolve => setTimeout(resolve, 1_100));
      auth.provider.is({ sub: newId('request'), email: 'new@acme.example', email_verified: true });
      watched.take();
      await auth.signIn(application);
      counts.push(watched.take().length);
    }
    // The service also looks for events that were left behind, every few seconds: hardly in each of the three.
    expect(Math.min(...counts)).toBeGreaterThan(10);
    expect(Math.min(...counts)).toBeLessThanOrEqual(24);
  });

  test('asks which organization it is, for an application of the platform, and says the same of any that is none', async () => {
    const platformApplication = { id: 'reeve-consent', secret: '' } as unknown as Application;
    const redirect_uri = 'http://127.0.0.1:1/sign-in/callback';
    const { browser, page } = await auth.authorize(platformApplication, { redirect_uri });
    expect(page.text).toContain('Your e-mail address at work');
    const suspended = await auth.newTenant();
    // Apart from what was filled in, which is there again.
    const answers = await Promise.all(
      ['nobody-has-this', suspended.slug, '../../etc', 'ten_'].map(async tenant => {
        const { text } = await browser.submit(page, { tenant });
        return text.replace(` value="${tenant}"`, '');
      }),
    );
    const [first] = answers;
    for (const answer of answers) expect(answer).toBe(first);
    expect(first).toContain('There is no sign-in by that name');
  });

  test('of a tenant’s application is in that tenant, whatever it asks for', async () => {
    const other = await auth.newTenant();
    await auth.newConnection(other.tenantId);
    const { page } = await auth.authorize(application, { tenant: other.slug });
    expect(page.text).toContain('There is no sign-in by that name');
  });
});

describe('what an application asks for', () => {
  test('reaches the identity provider: a fresh sign-in, its age, a level, a hint', async () => {
    await auth.authorize(application, {
      prompt: 'login',
      max_age: '60',
      acr_values: 'mfa',
      login_hint: 'ada@acme.example',
    });
    expect(Object.fromEntries(lastAsked() ?? [])).toMatchObject({
      prompt: 'login',
      max_age: '60',
      acr_values: 'mfa',
      login_hint: 'ada@acme.example',
    });
  });

  test('reaches it also as languages, and as the wish to choose an account; what is no language does not', async () => {
    const { browser } = await auth.signIn(application);
    const before = auth.provider.asked.length;
    auth.provider.is({ sub: 'eve' });
    const chosen = await auth.signIn(application, { browser, prompt: 'select_account', ui_locales: 'de-CH fr' });
    expect(auth.provider.asked.length).toBe(before + 1);
    expect(Object.fromEntries(lastAsked() ?? [])).toMatchObject({ prompt: 'select_account', ui_locales: 'de-CH fr' });
    expect((await auth.signIn(application, { browser })).claims.sub).toBe(chosen.claims.sub);
    await auth.authorize(application, { prompt: 'login select_account', ui_locales: '<script>' });
    expect(lastAsked()?.get('prompt')).toBe('login select_account');
    expect(lastAsked()?.has('ui_locales')).toBe(false);
  });

  test('and is between it and us, as a page of consent or none, does not', async () => {
    await auth.authorize(application, { prompt: 'consent' });
    expect(lastAsked()?.has('prompt')).toBe(false);
    const before = auth.provider.asked.length;
    const { page } = await auth.authorize(application, { prompt: 'none' });
    expect([page.url.searchParams.get('error'), auth.provider.asked.length]).toEqual(['login_required', before]);
  });

  test('is the age of the sign-in at the identity provider, and not of ours', async () => {
    auth.provider.is({ sub: 'ada', auth_time: nowSeconds() - 5 * 86_400 });
    const { claims } = await auth.signIn(application);
    expect(claims['auth_time']).toBeLessThan(nowSeconds() - 4 * 86_400);
    const { page } = await auth.authorize(application, { max_age: '3600' });
    expect(page.text).toContain('sign_in_failed');
    auth.provider.is({ sub: 'ada', auth_time: nowSeconds() - 5 });
    expect((await auth.signIn(application, { max_age: '3600' })).claims['auth_time']).toBeGreaterThan(
      nowSeconds() - 60,
    );
  });

  test('is a fresh sign-in, which an earlier one at the identity provider is not', async () => {
    auth.provider.is({ sub: 'ada', auth_time: nowSeconds() - 3_600 });
    const { page } = await auth.authorize(application, { prompt: 'login' });
    expect(page.text).toContain('sign_in_failed');
    await eventuallyFailed('authentication_too_old');
    auth.provider.is({ sub: 'ada', auth_time: nowSeconds() });
    expect((await auth.authorize(application, { prompt: 'login' })).code).not.toBeNull();
  });

  test('is consent, which is granted without a page and without an end of redirects', async () => {
    const { code, browser } = await auth.authorize(application, { prompt: 'consent', scope: 'openid offline_access' });
    expect(code).not.toBeNull();
    expect((await auth.authorize(application, { browser, prompt: 'consent' })).code).not.toBeNull();
    expect((await auth.authorize(application, { browser, prompt: 'login consent' })).code).not.toBeNull();
  });

  test('is one connection, also when somebody is signed in by another', async () => {
    const second = await auth.newConnection(tenantId, { name: 'Another' });
    const { browser, claims } = await auth.signIn(application);
    const before = auth.provider.asked.length;
    await auth.signIn(application, { browser, connection: second });
    expect(auth.provider.asked.length).toBe(before + 1);
    expect(lastAsked()?.get('redirect_uri')).toContain(second);
    expect(claims['sid']).toBeDefined();
  });

  test('is a certain person: whoever else signs in, the application gets no code for them', async () => {
    const ada = await auth.signIn(application);
    const hint = { id_token_hint: ada.tokens['id_token'] };
    expect((await auth.authorize(application, { ...hint })).code).not.toBeNull();
    auth.provider.is({ sub: 'eve' });
    const { page, code } = await auth.authorize(application, { ...hint });
    expect(code).toBeNull();
    expect(page.url.searchParams.get('error')).toBe('login_required');
  });
});

describe('another person at the same browser', () => {
  test('ends the session of the one before, with its tokens', async () => {
    const ada = await auth.signIn(application);
    auth.provider.is({ sub: 'eve' });
    const eve = await auth.signIn(application, { browser: ada.browser, prompt: 'login' });
    expect(eve.claims.sub).not.toBe(ada.claims.sub);
    const revoked = await events.seen(tenantId, 'session.revoked', String(ada.claims['sid']));
    expect(revoked.data.reason.code).toBe('another_person');
    expect(await auth.refresh(application, ada.tokens['refresh_token'] ?? '')).toMatchObject({ status: 400 });
    expect(await auth.refresh(application, eve.tokens['refresh_token'] ?? '')).toMatchObject({ status: 200 });
  });
});

describe('the same person in two tabs that began before anybody was signed in', () => {
  test('has one session, which signing out ends', async () => {
    const browser = createBrowser();
    const atProvider = `${auth.provider.issuer}/authorize`;
    const begin = () => auth.authorize(application, { browser, stopAt: atProvider });
    const [one, other] = [await begin(), await begin()];
    const sids: unknown[] = [];
    for (const tab of [one, other]) {
      const { url } = await browser.open(tab.page.url, callback);
      const tokens = await auth.token(application, {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: callback,
        code_verifier: tab.verifier,
      });
      sids.push(decodeJwt(tokens.body['id_token'] ?? '')['sid']);
    }
    expect(sids[1]).toBe(sids[0]);
  });
});

describe('an answer of the identity provider', () => {
  test('counts once, however many bring it at once', async () => {
    const { browser, answer } = await returning();
    const subject = newId('request');
    auth.provider.is({ sub: subject });
    const callbackAnswer = await fetch(answer, { redirect: 'manual' });
    const target = new URL(callbackAnswer.headers.get('location') ?? '', auth.url);
    const cookie = await browser.jar.getCookieString(target.href);
    const bring = () => fetch(target, { redirect: 'manual', headers: { cookie } });
    const answers = await Promise.all([bring(), bring(), bring()]);
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['303', '400', '400']);
    expect(auth.provisioning.asked.filter(asked => asked.subject === subject)).toHaveLength(1);
  });

  test('counts once', async () => {
    const { browser } = await auth.authorize(application);
    const used = browser.visited.findLast(one => one.includes('/return/')) ?? '';
    const state = lastAsked()?.get('state') ?? '';
    const page = await browser.open(`${used.split(' ')[1]}?code=again&state=${state}`);
    expect(page.text).toContain('sign_in_expired');
  });

  test('counts at the browser that began the sign-in and at no other (login CSRF)', async () => {
    const { browser, answer } = await returning();
    const victim = await createBrowser().open(answer, callback);
    expect([victim.status, victim.text]).toEqual([400, expect.stringContaining('sign_in_expired')]);
    const honest = await browser.open(answer, callback);
    expect(honest.url.searchParams.get('code')).not.toBeNull();
  });

  test('counts at no browser that is in a sign-in of its own either (login CSRF)', async () => {
    const { browser, answer } = await returning();
    const victim = await returning();
    // The worst that could happen to the victim's cookies: they are sent to every path.
    for (const { key, value } of (await victim.browser.jar.serialize()).cookies)
      await victim.browser.jar.setCookie(`${key}=${value}; Path=/`, auth.url);
    const page = await victim.browser.open(answer, callback);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('sign_in_expired')]);
    for (const one of [victim, { browser, answer }])
      expect((await one.browser.open(one.answer, callback)).url.searchParams.get('code')).not.toBeNull();
  });

  test('counts at the callback of the connection that was asked and at no other (mix-up)', async () => {
    const other = await auth.newConnection(tenantId, { name: 'Mix-up' });
    const attacked = await returning({ connection: connectionId });
    const elsewhere = await attacked.browser.open(attacked.answer.replace(connectionId, other), callback);
    expect([elsewhere.status, elsewhere.text]).toEqual([400, expect.stringContaining('sign_in_expired')]);
    await eventuallyFailed('sign_in_expired');
    // What came to a wrong place may not be tried again, so the honest return is that of a second sign-in.
    expect((await attacked.browser.open(attacked.answer, callback)).text).toContain('sign_in_expired');
    const honest = await returning({ connection: connectionId });
    expect((await honest.browser.open(honest.answer, callback)).url.searchParams.get('code')).not.toBeNull();
  });

  test.each(['', '?state=', '?state=nonsense', '?code=c&state=..%2F..', '?state=a&state=b'])(
    'that names no sign-in (%j) leads nowhere',
    async query => {
      const page = await createBrowser().open(`${auth.url}/oidc/${connectionId}/callback${query}`);
      expect(page).toMatchObject({ status: 400, text: expect.stringContaining('sign_in_expired') });
    },
  );

  test('that refuses is shown to the person, and why to the administrator', async () => {
    auth.provider.refuses('access_denied');
    const { page } = await auth.authorize(application);
    expect(page.text).toContain('sign_in_failed');
    await eventuallyFailed('refused_by_provider');
  });

  test.each([
    ['access_denied', 'refused_by_provider', () => auth.provider.refuses('access_denied')],
    ['access_denied', 'user_deactivated', () => auth.provisioning.answers(() => 'user_deactivated')],
    ['temporarily_unavailable', 'dependency_unavailable', () => auth.provisioning.answers(() => 'internal')],
  ] as const)(
    'that ends in failure is told to the application as %s (%s), when the person goes back',
    async (...told) => {
      const [error, reason, seed] = told;
      seed();
      const { browser, page } = await auth.authorize(application, { state: 'mine' });
      const uid = /interaction\/([^/]+)/.exec(page.url.pathname)?.[1] ?? '';
      expect(page.text).toContain(`href="/interaction/${uid}/leave"`);
      const leave = (by = browser) => by.open(`${auth.url}/interaction/${uid}/leave`, callback);
      expect((await leave(createBrowser())).text).toContain('sign_in_expired');
      const back = await leave();
      expect(Object.fromEntries(back.url.searchParams)).toMatchObject({
        error,
        error_description: reason,
        state: 'mine',
      });
      expect((await leave()).text).toContain('sign_in_expired');
    },
  );

  test('is not asked for where that fails, which the application is told as well', async () => {
    const own = await auth.newTenant();
    const broken = await auth.newConnection(own.tenantId);
    const contents = { collections: [connections] };
    const store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
    const cause = serviceCause('test', { correlationId: newId('request') });
    await store
      .collection(connections)
      .in(own.tenantId)
      .change(broken, state => state && { state: { ...state, settings: {} }, events: [] }, { cause });
    await store.close();
    const { browser, page } = await auth.authorize(await auth.newApplication(own.tenantId), { state: 'mine' });
    expect([page.url.pathname, page.status]).toEqual(['/auth', 500]);
    const [path] = /\/interaction\/[^/]+\/leave/.exec(page.text) ?? [];
    const back = await browser.open(auth.url + String(path), callback);
    expect(Object.fromEntries(back.url.searchParams)).toMatchObject({ error: 'server_error', state: 'mine' });
    const failed = (one: { type: string }) => one.type === 'sign_in.failed';
    expect(events.of(own.tenantId).filter(failed)).toHaveLength(1);
  });

  test('that is still awaited cannot be left', async () => {
    const { browser, answer } = await returning();
    const [uid] = (new URL(answer).searchParams.get('state') ?? '').split('.');
    expect((await browser.open(`${auth.url}/interaction/${uid}/leave`, callback)).text).toContain('sign_in_expired');
  });

  test('by keys that it has just changed is believed', async () => {
    await auth.signIn(application);
    await auth.provider.changesItsKeys();
    expect((await auth.signIn(application)).claims.sub).toBeDefined();
  });

  test('is given to whoever proves to be us by a key, which it reads where the connection says', async () => {
    const own = await auth.newTenant();
    const oidc = { issuer: auth.provider.issuer, clientId: 'reeve', privateKeyJwt: true };
    const id = await auth.newConnection(own.tenantId, { oidc });
    await auth.signIn(await auth.newApplication(own.tenantId));
    const form = auth.provider.requests.findLast(({ path }) => path === '/token')?.form;
    const keys = createRemoteJWKSet(new URL(`${auth.url}/oidc/${id}/jwks`));
    const assertion = form?.get('client_assertion') ?? '';
    const { payload } = await jwtVerify(assertion, keys, { audience: auth.provider.issuer, subject: 'reeve' });
    expect(payload.aud).toBe(auth.provider.issuer);
    expect(form?.has('client_secret')).toBe(false);
    // Of another connection, even to the same identity provider, there is another key.
    const other = await auth.newConnection(own.tenantId, { oidc });
    const others = createRemoteJWKSet(new URL(`${auth.url}/oidc/${other}/jwks`));
    await expect(jwtVerify(assertion, others)).rejects.toThrow('no applicable key');
  });

  test('may hold claims whatever they are called, and however many: the person is signed in', async () => {
    const odd = JSON.parse(
      '{"__proto__":1,"$set":{"a":1},"a.b":{"c.d":[{"$e":1}]},"https://acme.example/r":["x"],"":1}',
    ) as object;
    const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as unknown;
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`claim ${index}`, { a: [index] }]));
    auth.provider.is({ sub: 'ada', ...odd, deep, 'nul\0': 1, within: { 'nul\0': 1 }, ...many });
    expect((await auth.signIn(application)).claims.sub).toBeDefined();
  });

  test.each([
    ['an address that is a word', { email: 'nothing' }],
    ['an address of two lines', { email: 'ada@acme.example\r\nBcc: eve@evil.example' }],
    ['an address in full-width letters', { email: 'ａｄａ@acme.example' }],
    ['an address with half a character', { email: 'ada\ud800@acme.example' }],
    ['a name with half a character', { name: 'Ada\ud800' }],
    ['a name with NUL', { name: 'Ada\0' }],
  ])('with %s is taken as saying nothing of that', async (_, odd) => {
    auth.provider.is({ sub: 'ada', ...odd });
    await auth.signIn(application);
    expect(auth.provisioning.asked.at(-1)).toMatchObject({ subject: 'ada', email: null, displayName: null });
  });

  test.each([
    ['of 100,000 characters', 'a'.repeat(100_000)],
    ['with NUL', 'ada\0'],
    ['with half a character', 'ada\ud800'],
  ])('about a subject %s is refused, and it is on the record that its claims are at fault', async (_, sub) => {
    const before = failures().length;
    const asked = auth.provisioning.asked.length;
    auth.provider.is({ sub });
    expect((await auth.authorize(application)).page.text).toContain('sign_in_failed');
    expect(auth.provisioning.asked.length).toBe(asked);
    const more = await eventually('another failure', () => failures().length > before && failures());
    expect(more.at(-1)).toBe('id_token_claims');
  });

  test.each([
    ['true', true, false, true],
    ['"true"', 'true', false, true],
    ['false', false, true, false],
    ['"false"', 'false', true, false],
    ['left out, and trusted', undefined, true, true],
    ['left out', undefined, false, false],
  ])('whose email_verified is %s is taken as that', async (_, said, trustEmail, taken) => {
    const own = await auth.newTenant();
    await auth.newConnection(own.tenantId, { trustEmail });
    auth.provider.is({
      sub: 'ada',
      email: 'ada@acme.example',
      ...(said === undefined ? {} : { email_verified: said }),
    });
    await auth.signIn(await auth.newApplication(own.tenantId));
    expect(auth.provisioning.asked.at(-1)).toMatchObject({ emailVerified: taken, domainOwned: false });
  });
});

describe('a domain', () => {
  test('is spoken for by the connection that the platform gave it to, and by no other', async () => {
    const own = await auth.newTenant();
    const speaker = await auth.newConnection(own.tenantId, { domains: ['acme.example'] });
    const other = await auth.newConnection(own.tenantId, { name: 'A second provider' });
    const app = await auth.newApplication(own.tenantId);
    auth.provider.is({ sub: 'ada', email: 'Ada@ACME.example', email_verified: true });
    await auth.signIn(app, { connection: speaker });
    expect(auth.provisioning.asked.at(-1)).toMatchObject({ domainOwned: true });
    await auth.signIn(app, { connection: other });
    expect(auth.provisioning.asked.at(-1)).toMatchObject({ domainOwned: false });
    auth.provider.is({ sub: 'ada', email: 'ada@evil.acme.example', email_verified: true });
    await auth.signIn(app, { connection: speaker });
    expect(auth.provisioning.asked.at(-1)).toMatchObject({ domainOwned: false });
  });
});

describe('provisioning', () => {
  test.each(['user_deactivated', 'identity_conflict', 'identity_unknown'] as const)(
    'that answers %s signs nobody in, and it is on the record',
    async code => {
      auth.provisioning.answers(() => code);
      const { page } = await auth.authorize(application);
      expect(page.text).toContain(code);
      await eventuallyFailed(code);
    },
  );

  test('that does not know our newest key yet is asked again, and nobody is told that they may not', async () => {
    const answer = { userId: newId('user'), email: null, displayName: null, roles: [], created: false };
    let asked = 0;
    auth.provisioning.answers(() => {
      asked += 1;
      return asked < 3 ? 'token_invalid' : answer;
    });
    expect((await auth.authorize(application)).code).not.toBeNull();
    expect(asked).toBe(3);
    auth.provisioning.answers(() => 'token_invalid');
    const { page } = await auth.authorize(application);
    expect([page.status, page.text.includes('dependency_unavailable')]).toEqual([503, true]);
    auth.provisioning.answers(null);
  });

  test('may have heard of a change while the person was on the way: it counts in the session that begins', async () => {
    const userId = newId('user');
    const before = { userId, email: null, displayName: null, roles: ['tenant_admin'], created: false };
    auth.provisioning.answers(() => before);
    const about = { id: userId, because: 'requested' } as const;
    const roles = { before: { userId, role: 'tenant_admin' }, after: { userId, role: 'tenant_auditor' } };
    await auth.announce(tenantId, event('role.unassigned', { ...about, details: roles.before }));
    await auth.announce(tenantId, event('role.assigned', { ...about, details: roles.after }));
    const group = newId('group');
    await auth.announce(tenantId, event('membership.added', { id: group, because: 'requested', details: { userId } }));
    await new Promise(resolve => setTimeout(resolve, 1_000));
    const { claims } = await auth.signIn(application, { scope: 'openid roles groups' });
    expect(claims).toMatchObject({ roles: ['tenant_auditor'], groups: [group] });
    const details = { email: null, source: 'admin', cause: 'requested' };
    await auth.announce(tenantId, event('user.deactivated', { ...about, details }));
    await new Promise(resolve => setTimeout(resolve, 1_000));
    expect((await auth.authorize(application)).page.text).toContain('user_deactivated');
  });
});

/** A browser that has been at the identity provider, and where it is sent back to with the answer. */
async function returning(parameters: Record<string, string> = {}) {
  const { browser, page } = await auth.authorize(application, {
    ...parameters,
    stopAt: `${auth.provider.issuer}/authorize`,
  });
  const left = await fetch(page.url, { redirect: 'manual' });
  return { browser, answer: left.headers.get('location') ?? '' };
}

async function eventuallyFailed(reason: string): Promise<void> {
  await eventually(`a failure at ${reason}`, () => failures().includes(reason));
}
