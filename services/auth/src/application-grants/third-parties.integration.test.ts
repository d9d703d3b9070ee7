// Applications that nobody registered: whom they reach, what a person is asked, and what ends it. Beside each refusal
// stands one who is let in.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type Id, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore } from '@reeve/store';
import {
  createBrowser,
  type EventReader,
  eventually,
  type NameServer,
  type Page,
  readEvents,
  startNameServer,
  textsIn,
  vaultKeyFile,
} from '@reeve/testing';
import { decodeJwt } from 'jose';
import { type Application, type Auth, callback as ownCallback, startAuth } from '../auth.test-support.ts';
import { contents } from '../contents.ts';
import { createAllowed } from './allowed.ts';
import { applicationGrants } from './application-grant.ts';
import { callback, startThirdParties, type ThirdParties } from './third-parties.test-support.ts';

let dns: NameServer;
let keyFile: ReturnType<typeof vaultKeyFile>;
let third: ThirdParties;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let slug: string;
let api: { id: string; resource: string };
let application: Application & { path: string };

beforeAll(async () => {
  dns = await startNameServer();
  keyFile = vaultKeyFile();
  third = await startThirdParties({ REEVE_DNS_SERVERS: dns.address, REEVE_VAULT_KEY_FILE: keyFile.path });
  ({ auth } = third);
  events = await readEvents('reeve.auth.v1', 'reeve.revocations.v1');
  await third.say([third.host]);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await third.stop();
  await dns.stop();
  keyFile.remove();
});
beforeEach(async () => {
  auth.provisioning.answers(null);
  auth.provider.is({ sub: newId('request'), email: 'ada@acme.example', name: 'Ada' });
  ({ tenantId, slug } = await third.newTenant());
  api = await third.newApi();
  application = third.publish();
});

const scope = 'openid notes:read';
const asked = (more: object = {}) => ({ tenant: slug, resource: api.resource, scope, ...more });
const errorOf = ({ url }: Page) => url.searchParams.get('error');
const refresh = (of: Application, { tokens }: { tokens: Record<string, string> }) =>
  auth.refresh(of, tokens['refresh_token'] ?? '');
const told = (type: string) => events.of(tenantId).filter(one => one.type === type);
const isAsked = ({ text }: Page) => text.includes('name="consent"');

describe('the page that asks', () => {
  test('says who asks, for what, where it leads and as whom, and lets the application have that', async () => {
    const { browser, page, verifier } = await third.authorize(application, asked({ scope: `${scope} email` }));
    const { host } = new URL(third.server.origin);
    expect(page.status).toBe(200);
    expect(textsIn(page, 'strong')).toEqual([host, 'notes.example']);
    expect(textsIn(page, 'q')).toEqual(['Notes for everybody']);
    expect(textsIn(page, 'li')).toEqual([
      'Read your notes notes:read',
      'that you are you, by an identifier of your account',
      'your e-mail address',
    ]);
    expect(page.text).toContain(`ada@acme.example, at ${slug}`);
    expect(page.text).not.toContain('<script');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const { url } = await third.answer(browser, page, 'yes');
    const { status, body } = await third.exchange(application, { code: url.searchParams.get('code'), verifier });
    expect(status).toBe(200);
    const claims = decodeJwt(body['access_token'] ?? '');
    expect(claims).toMatchObject({ aud: api.resource, tid: tenantId, scope: 'notes:read', surface: 'third_party' });
    expect(claims).toMatchObject({ client_id: application.id, grant_id: expect.stringMatching(/^gra_/) });
    expect(body).not.toHaveProperty('error');
    await eventually('it is on the record', () => told('grant.consented').length === 1);
    expect(told('grant.consented')[0]?.data).toMatchObject({
      actor: { type: 'user', id: claims.sub },
      target: { id: claims['grant_id'] },
      details: { clientId: application.id, resource: api.resource, scopes: ['openid', 'email', 'notes:read'] },
    });
  });

  test('is not shown for what is allowed already; it is for more, where that is asked, and elsewhere', async () => {
    const { browser } = await third.allow(application, asked());
    const again = (more: object) => third.authorize(application, { browser, ...asked(more) });
    expect((await again({})).code).toEqual(expect.any(String));
    expect((await again({ prompt: 'none' })).code).toEqual(expect.any(String));
    const more = { scope: `${scope} notes:write` };
    expect(errorOf((await again({ ...more, prompt: 'none' })).page)).toBe('consent_required');
    expect(isAsked((await again(more)).page)).toBe(true);
    expect(isAsked((await again({ prompt: 'consent' })).page)).toBe(true);
    const other = await third.newApi();
    expect(isAsked((await again({ resource: other.resource })).page)).toBe(true);
    const another = third.publish();
    expect(isAsked((await third.authorize(another, { browser, ...asked() })).page)).toBe(true);
    await third.allow(application, { browser, ...asked(more) });
    expect((await again(more)).code).toEqual(expect.any(String));
    expect((await again({})).code).toEqual(expect.any(String));
  });

  test('is not shown where nobody may be asked', async () => {
    const { page } = await third.authorize(application, asked({ prompt: 'none' }));
    expect(errorOf(page)).toBe('login_required');
    const own = await auth.newApplication(tenantId);
    const { browser } = await auth.signIn(own);
    expect(errorOf((await third.authorize(application, { browser, ...asked({ prompt: 'none' }) })).page)).toBe(
      'consent_required',
    );
  });

  test('takes no for an answer, which the application gets, and is on the record', async () => {
    const { browser, page } = await third.authorize(application, asked());
    const { url } = await third.answer(browser, page, 'no');
    expect([url.origin + url.pathname, url.searchParams.get('error')]).toEqual([callback, 'access_denied']);
    expect(isAsked((await third.authorize(application, { browser, ...asked() })).page)).toBe(true);
    await eventually('it is on the record', () => told('grant.refused').length === 1);
    expect(told('grant.consented')).toEqual([]);
  });

  test('warns of a program on this computer, and asks each time, since any program can be it', async () => {
    const redirectUri = 'http://127.0.0.1:4711/callback';
    const local = third.publish({ redirect_uris: ['http://127.0.0.1/callback'] });
    const { browser, page } = await third.authorize(local, { redirectUri, ...asked() });
    expect(page.text).toContain('a program on your own computer (127.0.0.1:4711)');
    expect((await third.answer(browser, page, 'yes', redirectUri)).url.searchParams.get('code')).not.toBeNull();
    expect(isAsked((await third.authorize(local, { browser, redirectUri, ...asked() })).page)).toBe(true);
  });

  test('shows what a stranger says as text, whatever it is', async () => {
    const name = '<script>alert(1)</script>\u202e"&\u0007 Reeve';
    const { page } = await third.authorize(third.publish({ client_name: name }), asked());
    expect(page.text).not.toContain('<script>alert');
    expect(textsIn(page, 'q')).toEqual(['<script>alert(1)</script>"& Reeve']);
  });

  test.each(['en', 'de', 'fr', 'es', 'ja'])('is there in %s', async language => {
    const { page } = await third.authorize(application, asked({ ui_locales: language }));
    expect(page.text).toContain(`<html lang="${language}"`);
    expect(isAsked(page)).toBe(true);
  });
});

describe('an answer counts', () => {
  const submit = (browser: ReturnType<typeof createBrowser>, page: Page, fields: Record<string, string>) =>
    browser.submit({ ...page, text: `<form method="post" action="${page.url.pathname}"></form>` }, fields, callback);
  const requestIn = ({ text }: Page) => /name="request" value="([^"]+)"/.exec(text)?.[1] ?? '';

  test('to the form that was shown, and to no other', async () => {
    const { browser, page } = await third.authorize(application, asked());
    const other = await third.authorize(application, { browser, ...asked({ scope: `${scope} notes:write` }) });
    for (const request of ['', 'x', requestIn(other.page)])
      expect(isAsked(await submit(browser, page, { consent: 'yes', request }))).toBe(true);
    // That of another attempt.
    expect(isAsked(await submit(browser, other.page, { consent: 'yes', request: requestIn(page) }))).toBe(true);
    const good = await submit(browser, other.page, { consent: 'yes', request: requestIn(other.page) });
    expect(good.url.searchParams.get('code')).not.toBeNull();
  });

  test('of the browser that was asked, and of the person', async () => {
    const { browser, page } = await third.authorize(application, asked());
    const eve = createBrowser();
    expect((await eve.submit(page, { consent: 'yes' }, callback)).status).toBe(400);
    auth.provider.is({ sub: newId('request') });
    await auth.signIn(await auth.newApplication(tenantId), { browser, prompt: 'login' });
    expect((await third.answer(browser, page, 'yes')).status).toBe(400);
    expect(told('grant.consented')).toEqual([]);
    const again = await third.authorize(application, { browser, ...asked() });
    expect((await third.answer(browser, again.page, 'yes')).url.searchParams.get('code')).not.toBeNull();
  });
});

describe('such an application gets', () => {
  test('access to an API without being told who the person is, as assistants ask for it', async () => {
    const given = await third.allow(application, asked({ scope: 'notes:read notes:write' }));
    const { tokens, page } = given;
    expect(textsIn(page, 'li')).toEqual(['Read your notes notes:read', 'notes:write']);
    expect(tokens).not.toHaveProperty('id_token');
    expect(decodeJwt(tokens['access_token'] ?? '')['scope']).toBe('notes:read notes:write');
    const fresh = await refresh(application, given);
    expect(decodeJwt(fresh.body['access_token'] ?? '')['scope']).toBe('notes:read notes:write');
  });

  test('nothing where it asks for nothing', async () => {
    for (const nothing of ['', 'notes:admin'])
      expect(errorOf((await third.authorize(application, asked({ scope: nothing }))).page)).toBe('access_denied');
  });

  test('nothing of Reeve, nor of an API that has not opened itself, nor what it has not opened', async () => {
    const refused = async (more: object) => errorOf((await third.authorize(application, asked(more))).page);
    expect(await refused({ resource: auth.url })).toBe('invalid_target');
    const closed = await third.newApi({ thirdPartyScopes: [], applications: 'all' });
    expect(await refused({ resource: closed.resource })).toBe('invalid_target');
    expect(await refused({ scope: 'openid roles' })).toBe('invalid_scope');
    expect(await refused({ resource: [api.resource, closed.resource] as never })).toBe('invalid_target');
    const claims = JSON.stringify({ userinfo: { roles: null } });
    const browser = createBrowser();
    await auth.signIn(await auth.newApplication(tenantId), { browser });
    expect(errorOf((await third.authorize(application, { browser, ...asked({ claims }) })).page)).toBe(
      'invalid_request',
    );
    const { tokens } = await third.allow(application, { browser, ...asked({ scope: `${scope} notes:admin` }) });
    expect(tokens['scope']).not.toContain('notes:admin');
    expect(decodeJwt(tokens['access_token'] ?? '')['scope']).toBe('notes:read');
  });

  test('without an API, what the person has said it may know, and no token that anybody else takes', async () => {
    const { tokens } = await third.allow(application, { tenant: slug, scope: 'openid email' });
    const me = await fetch(`${auth.url}/me`, { headers: { authorization: `Bearer ${tokens['access_token']}` } });
    const said = (await me.json()) as object;
    expect(said).toMatchObject({ email: 'ada@acme.example' });
    expect(said).not.toHaveProperty('roles');
    expect(said).not.toHaveProperty('name');
    expect((await auth.ask('GET', '/v1/me/sessions', { as: tokens['access_token'] ?? '' })).status).toBe(401);
    const as = await auth.asPlatform();
    const path = `/v1/tenants/${tenantId}/application-grants`;
    const { body } = await auth.ask<{ items: { id: string }[] }>('GET', path, { as });
    await auth.ask('DELETE', `${path}/${body.items[0]?.id}`, { as });
    const after = await fetch(`${auth.url}/me`, { headers: { authorization: `Bearer ${tokens['access_token']}` } });
    expect(after.status).toBe(401);
  });

  test.each([
    ['client_credentials', { scope: 'notes:read' }],
    ['urn:ietf:params:oauth:grant-type:device_code', { device_code: 'x' }],
    ['urn:ietf:params:oauth:grant-type:token-exchange', { subject_token: 'x', subject_token_type: 'y' }],
  ])('nothing by %s', async (grant, more) => {
    const greedy = third.publish({ grant_types: ['authorization_code', 'refresh_token', grant] });
    const { body } = await auth.token(greedy, { grant_type: grant, resource: api.resource, ...more });
    expect(body['error_description']).toBe('requested grant type is not allowed for this client');
    expect((await third.allow(greedy, asked())).tokens['access_token']).toEqual(expect.any(String));
  });

  test('no code without PKCE, and none for another address than its document has', async () => {
    const plain = await third.authorize(application, asked({ code_challenge: '', code_challenge_method: '' }));
    expect(errorOf(plain.page)).toBe('invalid_request');
    const redirectUri = 'https://evil.example/callback';
    const { page } = await third.authorize(application, { redirectUri, ...asked() });
    expect([page.status, page.url.href.startsWith(auth.url)]).toEqual([400, true]);
  });

  test('no answer about the tokens of others', async () => {
    const own = await auth.newApplication(tenantId);
    const { tokens } = await auth.signIn(own);
    const body = new URLSearchParams({ token: tokens['refresh_token'] ?? '', client_id: application.id });
    const answer = await fetch(`${auth.url}/token/introspection`, { method: 'POST', body });
    expect(await answer.json()).toEqual({ active: false });
  });

  test('no page of ours that calls it by its own name, and no sign-out of its own', async () => {
    const { page } = await third.authorize(application, asked({ connection: newId('connection') }));
    expect(page.text).not.toContain('Notes for everybody');
  });
});

describe('what is allowed ends', () => {
  const path = (id: unknown) => `/v1/tenants/${tenantId}/application-grants/${String(id)}`;
  const grantOf = ({ tokens }: { tokens: Record<string, string> }) =>
    decodeJwt(tokens['access_token'] ?? '')['grant_id'];
  const notGood = { status: 400, body: { error: 'invalid_grant' } };

  test('when an administrator withdraws it: tokens at once, and those who verify by themselves are told', async () => {
    const [one, other] = [await third.allow(application, asked()), await third.allow(third.publish(), asked())];
    const as = await auth.asPlatform();
    const listed = await auth.ask<{ items: { id: string }[] }>('GET', path('').slice(0, -1), { as });
    expect(listed.body.items.map(({ id }) => id)).toEqual([grantOf(other), grantOf(one)]);
    const fresh = await refresh(application, one);
    expect(fresh.status).toBe(200);
    expect((await auth.ask('DELETE', path(grantOf(one)), { as })).status).toBe(204);
    expect(await auth.refresh(application, fresh.body['refresh_token'] ?? '')).toMatchObject(notGood);
    expect((await auth.ask('DELETE', path(grantOf(one)), { as })).status).toBe(404);
    const revoked = () => events.of(tenantId).filter(({ type }) => type === 'grant.revoked');
    await eventually('they are told', () => revoked().length === 1);
    expect(revoked()[0]?.data).toMatchObject({ kind: 'grant', id: grantOf(one) });
    await eventually('it is on the record', () => told('grant.withdrawn').length === 1);
    expect(isAsked((await third.authorize(application, { browser: one.browser, ...asked() })).page)).toBe(true);
  });

  async function opaqueToken(more: object = {}) {
    const asking = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const opaque = await third.newApi({ format: 'opaque', introspectedBy: [asking.id], ...more });
    const given = await third.allow(application, asked({ resource: opaque.resource, scope: `${scope} notes:write` }));
    const introspect = async (at = auth.url) => {
      const body = new URLSearchParams({ token: given.tokens['access_token'] ?? '' });
      const headers = { authorization: `Basic ${btoa(`${asking.id}:${asking.secret}`)}` };
      const answer = await fetch(`${at}/token/introspection`, { method: 'POST', headers, body });
      return (await answer.json()) as Record<string, unknown>;
    };
    return { ...given, id: opaque.id, introspect };
  }

  test('an opaque token is inactive when the API has closed a scope of it, until it is narrower', async () => {
    const { id, introspect, ...given } = await opaqueToken();
    expect(await introspect()).toMatchObject({ active: true, scope: 'notes:read notes:write' });
    const body = { thirdPartyScopes: ['notes:read'] };
    await auth.ask('PATCH', `/v1/resource-servers/${id}`, { as: await auth.asPlatform(), body });
    await eventually('it is known', async () => (await introspect())['active'] === false);
    const fresh = await refresh(application, given);
    expect(fresh).toMatchObject({ status: 200, body: { scope: expect.not.stringContaining('notes:write') } });
  });

  test('an opaque token is looked up without a word to the server of its application', async () => {
    const { introspect } = await opaqueToken();
    const other = await startAuth({
      MONGODB_DATABASE: auth.config.MONGODB_DATABASE,
      REEVE_VAULT_KEY_FILE: keyFile.path,
      REEVE_ALLOWED_PRIVATE_ORIGINS: third.server.origin,
    });
    const before = third.server.asked(application.path);
    third.server.answers(application.path, 'silence');
    const answers = await Promise.all(Array.from({ length: 3 }, () => introspect(other.url)));
    for (const answer of answers) expect(answer).toMatchObject({ active: true, client_id: application.id });
    expect(third.server.asked(application.path)).toBe(before);
    await third.say(['elsewhere.example']);
    await eventually('the host is known to be taken no more', async () => !(await introspect(other.url))['active']);
    await third.say([third.host]);
    await other.stop();
  });

  test('an opaque token is inactive, and tells nothing of the person', async () => {
    const { introspect } = await opaqueToken();
    const good = await introspect();
    expect(good).toMatchObject({ active: true, client_id: application.id, scope: 'notes:read notes:write' });
    await auth.ask('DELETE', path(good['grant_id']), { as: await auth.asPlatform() });
    expect(await introspect()).toEqual({ active: false });
  });

  test('also when the person agrees once more at that moment: what is agreed to then is another one', async () => {
    const { tokens } = await third.allow(application, asked());
    const id = grantOf({ tokens });
    const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
    const store = openStore({ uri, database, source: '/test', contents, onError: () => {} });
    const all = store.collection(applicationGrants);
    const cause = serviceCause('auth', { correlationId: newEventId() });
    const own = all.in(tenantId);
    const found = await own.get(String(id));
    if (!found) throw new Error('there is no such grant');
    // Between the look for it and the change of it.
    const getByUnique: typeof own.getByUnique = async (...by) => {
      const before = await own.getByUnique(...by);
      const asPlatform = await auth.asPlatform();
      if (before) expect((await auth.ask('DELETE', path(id), { as: asPlatform })).status).toBe(204);
      return before;
    };
    const allowed = createAllowed({ grants: { ...all, in: () => ({ ...own, getByUnique }) }, clock: store.clock });
    const { redirectUris, consentedAt: _, ...state } = found.state;
    await allowed.agree(tenantId, { ...state, redirectUri: redirectUris[0] ?? '' }, cause);
    await store.close();
    expect(await refresh(application, { tokens })).toMatchObject(notGood);
    const listed = await auth.ask<{ items: { id: string }[] }>('GET', path('').slice(0, -1), {
      as: await auth.asPlatform(),
    });
    expect(listed.body.items.map(one => one.id)).toEqual([expect.not.stringMatching(String(id))]);
  });

  test('when the person withdraws it on their page, and nobody else can', async () => {
    const { browser, tokens } = await third.allow(application, asked());
    const id = grantOf({ tokens });
    const page = await browser.open(`${auth.url}/account`);
    expect(textsIn(page, 'li strong')).toEqual(expect.arrayContaining([new URL(application.id).host]));
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const form = { ...page, text: `<form method="post" action="/account"></form>` };
    expect((await browser.submit(form, { csrf: 'x', end: String(id) })).status).toBe(403);
    auth.provider.is({ sub: newId('request') });
    const eve = await auth.signIn(await auth.newApplication(tenantId));
    const ofEve = await eve.browser.open(`${auth.url}/account`);
    const csrfOfEve = /name="csrf" value="([^"]+)"/.exec(ofEve.text)?.[1] ?? '';
    expect((await eve.browser.submit(form, { csrf: csrfOfEve, end: String(id) })).status).toBe(404);
    expect((await refresh(application, { tokens })).status).toBe(200);
    const after = await browser.submit(form, { csrf, end: String(id) });
    expect([after.status, after.text.includes(String(id))]).toEqual([200, false]);
    expect(await refresh(application, { tokens })).toMatchObject(notGood);
  });

  test('by the API of the person, who sees their own', async () => {
    const { tokens, browser } = await third.allow(application, asked());
    const own = await auth.newApplication(tenantId, { areas: null, authentication: { method: 'client_secret' } });
    const mine = await auth.signIn(own, { browser, resource: auth.url });
    const as = mine.tokens['access_token'] ?? '';
    const { body } = await auth.ask<{ items: { id: string }[] }>('GET', '/v1/me/application-grants', { as });
    expect(body.items).toEqual([expect.objectContaining({ id: grantOf({ tokens }), resource: api.resource })]);
    const other = `/v1/me/application-grants/${newId('grant')}`;
    expect((await auth.ask('DELETE', other, { as })).status).toBe(404);
    const deleted = await auth.ask('DELETE', `/v1/me/application-grants/${String(grantOf({ tokens }))}`, { as });
    expect(deleted.status).toBe(204);
    expect(await refresh(application, { tokens })).toMatchObject(notGood);
  });

  test.each([
    ['the tenant takes none of its host', () => third.say([], tenantId), notGood],
    ['the API has closed itself', () => closeApi(), { status: 400, body: { error: 'invalid_target' } }],
    [
      'the API has closed what it had',
      () => closeApi(['notes:write']),
      { status: 400, body: { error: 'invalid_target' } },
    ],
    ['the person is deactivated', () => personIs('user.deactivated'), notGood],
    ['the person is gone', () => personIs('user.deleted'), notGood],
  ])('when %s', async (_, end, refused) => {
    const given = await third.allow(application, asked());
    userId = String(decodeJwt(given.tokens['access_token'] ?? '').sub);
    const fresh = await refresh(application, given);
    expect(fresh.status).toBe(200);
    await end();
    const token = fresh.body['refresh_token'] ?? '';
    await eventually('it is over', async () => (await auth.refresh(application, token)).status !== 200);
    expect(await auth.refresh(application, token)).toMatchObject(refused);
  });

  let userId: string;
  async function closeApi(thirdPartyScopes: string[] = []) {
    const as = await auth.asPlatform();
    await auth.ask('PATCH', `/v1/resource-servers/${api.id}`, { as, body: { thirdPartyScopes } });
  }
  async function personIs(type: 'user.deactivated' | 'user.deleted') {
    const details = { email: null, source: 'scim', cause: 'requested' };
    await auth.announce(tenantId, event(type, { id: userId as Id<'user'>, because: 'requested', details }));
  }

  test('when the session of it ends, in that session', async () => {
    const given = await third.allow(application, asked());
    const as = await auth.asPlatform();
    const { sid } = decodeJwt(given.tokens['access_token'] ?? '');
    await auth.ask('POST', `/v1/tenants/${tenantId}/sessions/${String(sid)}:terminate`, { as });
    expect(await refresh(application, given)).toMatchObject(notGood);
    // What was allowed is so in the next one.
    expect((await third.authorize(application, asked())).code).toEqual(expect.any(String));
  });

  test('when the organization demands another way of signing in', async () => {
    const domain = `${newEventId()}.example`;
    auth.provider.is({ sub: newId('request'), email: `ada@${domain}`, email_verified: true });
    const given = await third.allow(application, asked());
    const fresh = await refresh(application, given);
    expect(fresh.status).toBe(200);
    const as = await auth.asPlatform();
    const connectionId = await auth.newConnection(tenantId, { name: 'Another' });
    const path = `/v1/tenants/${tenantId}/domains`;
    type Claimed = { id: string; record: { name: string; value: string } };
    const claim = { name: domain, connectionId, policy: 'enforced' };
    const { body } = await auth.ask<Claimed>('POST', path, { as, body: claim });
    dns.says(body.record.name, { txt: [body.record.value] });
    await auth.ask('POST', `${path}/${body.id}:verify`, { as });
    const token = fresh.body['refresh_token'] ?? '';
    await eventually('it is over', async () => (await auth.refresh(application, token)).status !== 200);
    expect(await auth.refresh(application, token)).toMatchObject(notGood);
  });

  test('when the platform takes none of its host, and comes back where it does again', async () => {
    const given = await third.allow(application, asked());
    await third.say([]);
    const { body, status } = await refresh(application, given);
    expect([status, body['error']]).toEqual([401, 'invalid_client']);
    await third.say([third.host]);
    expect((await refresh(application, given)).status).toBe(200);
  });

  test('when a tenant is a stranger to it: it is not there for its people, whoever has signed in', async () => {
    const closed = await third.newTenant([]);
    const { page } = await third.authorize(application, { ...asked(), tenant: closed.slug });
    expect(errorOf(page)).toBe('access_denied');
    expect((await third.authorize(application, asked())).page.status).toBe(200);
  });
});

describe('what it says of itself changes', () => {
  /** As if its document had said something else when the person agreed. */
  async function saidOtherwise({ tokens }: { tokens: Record<string, string> }): Promise<void> {
    const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
    const store = openStore({ uri, database, source: '/test', contents, onError: () => {} });
    const cause = serviceCause('auth', { correlationId: newEventId() });
    const id = String(decodeJwt(tokens['access_token'] ?? '')['grant_id']);
    await store
      .collection(applicationGrants)
      .in(tenantId)
      .change(id, grant => grant && { state: { ...grant, documentSha256: 'other' }, events: [] }, { cause });
    await store.close();
  }

  test('and the person is asked again, for what it asks for now alone', async () => {
    const given = await third.allow(application, asked({ scope: `${scope} notes:write` }));
    const { browser } = given;
    await saidOtherwise(given);
    const again = (more: object = {}) => third.authorize(application, { browser, ...asked(more) });
    expect(errorOf((await again({ prompt: 'none' })).page)).toBe('consent_required');
    // Who it is has not changed: what was given goes on as far as it was.
    const fresh = await refresh(application, given);
    expect(fresh.status).toBe(200);
    await third.allow(application, { browser, ...asked() });
    expect((await again({ prompt: 'none' })).code).toEqual(expect.any(String));
    expect(isAsked((await again({ scope: `${scope} notes:write` })).page)).toBe(true);
    expect((await auth.refresh(application, fresh.body['refresh_token'] ?? '')).status).toBe(400);
  });
});

test('the applications of the product are not asked about', async () => {
  const own = await auth.newApplication(null);
  const { page } = await auth.authorize(own, { tenant: slug, prompt: 'consent' });
  expect([page.url.href.startsWith(ownCallback), page.url.searchParams.get('error')]).toEqual([true, null]);
});
