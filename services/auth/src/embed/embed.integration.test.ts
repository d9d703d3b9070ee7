// What administrators say of the embedding, and what strangers get who try it: each refusal beside its control.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { createBrowser, formOf, newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import { calculateJwkThumbprint, decodeJwt } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { scriptOf } from './script.ts';

const origin = 'https://portal.acme.example';

let auth: Auth;
let as: string;
let own: Awaited<ReturnType<typeof embedding>>;
let other: typeof own;

const settings = () => ({
  kind: 'single_page',
  surface: 'assistant',
  dpopRequired: true,
  redirectUris: [`${auth.url}/embed/callback`],
});

async function embedding(authKey: string) {
  const { tenantId, slug } = await auth.newTenant();
  const connectionId = await auth.newConnection(tenantId);
  for (const key of ['default', authKey])
    await auth.ask('POST', `/v1/tenants/${tenantId}/auth-keys`, { as, body: { authKey: key, connectionId } });
  const application = await auth.newApplication(tenantId, settings());
  const body = {
    enabled: true,
    origins: [origin],
    applicationId: application.id as string,
    resource: auth.url,
    scopes: [],
    mode: 'auto',
  };
  const set = await put(tenantId, body);
  return { tenantId, slug, application, connectionId, body, set };
}

const put = (tenantId: TenantId, body: object, headers: Record<string, string> = {}) =>
  auth.ask<{ code?: string; errors?: { field: string }[] }>('PUT', `/v1/tenants/${tenantId}/embed`, {
    as,
    body,
    headers,
  });

beforeAll(async () => {
  auth = await startAuth();
  as = await auth.asPlatform();
  own = await embedding('subsidiary');
  other = await embedding('elsewhere');
}, 60_000);
afterAll(() => auth.stop());
beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true }));

describe('an administrator', () => {
  test('says it as a whole, in the version that was seen', async () => {
    expect([own.set.status, own.set.body]).toEqual([200, own.body]);
    const read = await auth.ask('GET', `/v1/tenants/${own.tenantId}/embed`, { as });
    expect(read.body).toEqual(own.body);
    const etag = read.headers.get('etag') ?? '';
    expect((await put(own.tenantId, { ...own.body, mode: 'popup' }, { 'if-match': etag })).status).toBe(200);
    expect((await put(own.tenantId, own.body, { 'if-match': etag })).status).toBe(412);
    await put(own.tenantId, own.body);
  });

  test.each<[string, () => object]>([
    ['origins.0', () => ({ origins: ['http://portal.acme.example'] })],
    ['origins.0', () => ({ origins: ['https://portal.acme.example/'] })],
    ['origins.0', () => ({ origins: ['https://*.acme.example'] })],
    ['origins.0', () => ({ origins: ['https://x;script-src.acme.example'] })],
    ['origins.0', () => ({ origins: ['null'] })],
    ['applicationId', () => ({ applicationId: other.application.id })],
    ['applicationId', () => ({ applicationId: null })],
    ['scopes.0', () => ({ scopes: ['a b'] })],
    ['resource', () => ({ resource: 'javascript:alert(1)' })],
  ])('is told that %s is wrong', async (field, wrong) => {
    const { status, body } = await put(own.tenantId, { ...own.body, ...wrong() });
    expect([status, body.errors?.[0]?.field]).toEqual([400, field]);
  });

  test.each([
    { kind: 'web', dpopRequired: true },
    { surface: 'chat' },
    { dpopRequired: false },
    { redirectUris: ['https://x.example'] },
  ])('may not take an application that is fit for no page of others: %j', async unfit => {
    const { id } = await auth.newApplication(own.tenantId, { ...settings(), ...unfit });
    const { status, body } = await put(own.tenantId, { ...own.body, applicationId: id });
    expect([status, body.errors?.map(one => one.field)]).toEqual([400, ['applicationId']]);
  });
});

describe('the checklist', () => {
  type Answer = { works: boolean; checks: { code: string; about: string; holds: boolean | null; why: string }[] };
  const checked = async (query = '') =>
    (await auth.ask<Answer>('GET', `/v1/tenants/${own.tenantId}/embed/check${query}`, { as })).body;
  const wrong = ({ checks }: Answer) => checks.filter(({ holds }) => holds === false).map(({ code }) => code);

  test('finds nothing wrong where nothing is, and names what only a browser knows', async () => {
    const answer = await checked();
    expect([answer.works, wrong(answer)]).toEqual([true, []]);
    expect(answer.checks.filter(({ holds }) => holds === null).map(({ code }) => code)).toEqual(
      expect.arrayContaining(['redirect_uri_mismatch', 'blocked_by_csp', 'blocked_by_cors', 'cookies_blocked']),
    );
  });

  test('finds each thing that is wrong by the code of it', async () => {
    const change = (path: string, body: object) =>
      auth.ask('PATCH', `/v1/tenants/${own.tenantId}/${path}`, { as, body });
    const at = `applications/${own.application.id}`;
    await put(own.tenantId, { ...own.body, enabled: false, origins: [], scopes: ['nobody-offers-this'] });
    await change(at, { redirectUris: ['https://x.example'] });
    const over = { clientSecretExpiresAt: '2020-01-01T00:00:00.000Z' };
    await change(`sso-connections/${own.connectionId}`, { oidc: over });
    auth.provider.lies({
      answers: { '/.well-known/openid-configuration': (_, response) => response.writeHead(503).end() },
    });
    const answer = await checked();
    expect([answer.works, [...new Set(wrong(answer))].toSorted()]).toEqual([
      false,
      [
        'no_access',
        'origin_not_allowed',
        'redirect_uri_mismatch',
        'secret_expired',
        'sign_in_failed',
        'unknown_auth_key',
      ],
    ]);
    auth.provider.lies({});
    await change(`sso-connections/${own.connectionId}`, { oidc: { clientSecretExpiresAt: null } });
    await change(at, { redirectUris: settings().redirectUris });
    await put(own.tenantId, own.body);
    expect((await checked()).works).toBe(true);
  });

  test.each([
    ['ada@acme.example', 'identity_unknown', null, ['not_in_roster', true], /^It is usr_/],
    ['bob@acme.example', 'linked', null, ['not_in_roster', true], /the user who has that address/],
    ['bob@acme.example', 'created', null, ['not_in_roster', true], /a new user/],
    ['bob@acme.example', 'identity_unknown', null, ['not_in_roster', false], /none is made/],
    ['bob@acme.example', 'identity_conflict', 'domain_not_verified', ['not_in_roster', true], /domain_not_verified/],
    ['bob@acme.example', 'user_deactivated', null, ['no_access', false], /deactivated/],
  ] as const)('says of %s, of whom provisioning says %s (%p), %j', async (email, outcome, conflict, expected, why) => {
    await signedIn(await page());
    auth.provisioning.foresees(outcome, conflict);
    const { checks } = await checked(`?email=${email}`);
    const about = checks.find(one => why.test(one.why));
    expect([about?.code, about?.holds]).toEqual(expected);
    auth.provisioning.foresees('created');
  });

  test.each([
    ['ada@acme.example', 'identity_unknown', null, true, /^They are known there as usr_/],
    ['bob@acme.example', 'linked', null, true, /when they first sign in/],
    ['bob@acme.example', 'created', null, true, /when they first sign in/],
    ['bob@acme.example', 'identity_conflict', 'domain_not_verified', false, /domain_not_verified/],
    ['bob@acme.example', 'identity_unknown', null, null, /no user/],
    ['bob@acme.example', 'user_deactivated', null, null, /no user/],
  ] as const)(
    'says what ties %s to each sign-in, where provisioning says %s (%p)',
    async (email, outcome, conflict, holds, why) => {
      await signedIn(await page());
      auth.provisioning.foresees(outcome, conflict);
      const { checks, works } = await checked(`?email=${email}`);
      auth.provisioning.foresees('created');
      const rows = checks.filter(({ code }) => code === 'no_channel_identity');
      expect(rows.map(one => [one.about, one.holds])).toEqual([
        ['auth_key default', holds],
        ['auth_key subsidiary', holds],
      ]);
      expect(rows.every(one => why.test(one.why))).toBe(true);
      if (holds === false) expect(works).toBe(false);
    },
  );

  test('asks for the address of a person, where none is given', async () => {
    const { checks } = await checked();
    const rows = checks.filter(({ code }) => ['not_in_roster', 'no_channel_identity'].includes(code));
    expect(rows.map(({ about, holds }) => [about, holds])).toEqual([
      ['people', null],
      ['people', null],
    ]);
  });
});

describe('a page', () => {
  const config = async (query: Record<string, string>, from: string | null = origin) => {
    const response = await fetch(`${auth.url}/embed/config?${new URLSearchParams(query)}`, {
      headers: from === null ? {} : { origin: from },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('is told what it needs, and that is nothing of its tenant', async () => {
    const { status, body } = await config({ domain: own.slug, auth_key: 'subsidiary' });
    expect([status, body]).toEqual([
      200,
      { clientId: own.application.id, issuer: auth.url, resource: auth.url, mode: 'auto' },
    ]);
    expect((await config({ domain: own.slug })).status).toBe(200);
  });

  test('learns by no key whose it is: unknown, another tenant’s, and of a tenant that is none are answered alike', async () => {
    const told = await Promise.all([
      config({ domain: own.slug, auth_key: 'nobody' }),
      config({ domain: own.slug, auth_key: 'elsewhere' }),
      config({ domain: 'nobody-has-this', auth_key: 'default' }),
      config({ auth_key: 'default' }),
    ]);
    const plain = told.map(({ status, body }) => ({ status, body: { ...body, traceId: null } }));
    expect(new Set(plain.map(one => JSON.stringify(one))).size).toBe(1);
    expect(plain[0]).toMatchObject({ status: 400, body: { code: 'unknown_auth_key' } });
    expect((await config({ domain: other.slug, auth_key: 'elsewhere' })).status).toBe(200);
  });

  test.each(['https://evil.example', 'https://portal.acme.example.evil.example', 'null', null])(
    'of the origin %s is refused',
    async from => {
      expect((await config({ domain: own.slug }, from)).body).toMatchObject({ code: 'origin_not_allowed' });
    },
  );

  test('is asked for a key where there are several sign-ins and none is the usual one', async () => {
    const { tenantId, slug } = await auth.newTenant();
    await auth.newConnection(tenantId);
    const { id } = await auth.newApplication(tenantId, settings());
    await put(tenantId, { ...own.body, applicationId: id });
    expect((await config({ domain: slug })).status).toBe(200);
    await auth.newConnection(tenantId);
    expect((await config({ domain: slug })).body).toMatchObject({ code: 'missing_auth_key' });
  });
});

const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
const secret = () => randomBytes(32).toString('base64url');

/** A page's own part, as reeve.js makes it. */
async function page(key?: ProviderKey) {
  const keys = key ?? (await newProviderKey('ES256'));
  const { kty, crv, x, y } = keys.jwk;
  const [state, verifier] = [secret(), secret()];
  const jkt = await calculateJwkThumbprint(keys.jwk);
  const parameters = { origin, state, code_challenge: hash(verifier), dpop_jkt: jkt };
  const prove = (nonce?: string) =>
    signedBy(
      keys,
      {
        jti: randomUUID(),
        iat: Math.floor(Date.now() / 1_000),
        htm: 'POST',
        htu: `${auth.url}/token`,
        ...(nonce ? { nonce } : {}),
      },
      { typ: 'dpop+jwt', jwk: { kty, crv, x, y }, kid: undefined },
    );
  return { state, verifier, jkt, parameters, prove };
}
type PageOwn = Awaited<ReturnType<typeof page>>;

const addressOf = (query: Record<string, string>) =>
  new URL(`${auth.url}/embed/authorize?${new URLSearchParams(query)}`);
const authorize = (query: Record<string, string>, stopAt?: string) => createBrowser().open(addressOf(query), stopAt);

/** As the window goes on by itself, once the page that has opened it has said so. */
async function begun(query: Record<string, string>, browser = createBrowser()) {
  const asking = await browser.open(addressOf(query));
  return formOf(asking, '/embed/authorize') ? browser.submit(asking, {}) : asking;
}

async function pickUp(state: string, { domain = own.slug, from = origin }: { domain?: string; from?: string } = {}) {
  const response = await fetch(`${auth.url}/embed/pick-up`, {
    method: 'POST',
    headers: { origin: from },
    body: new URLSearchParams({ domain, state }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function redeem(
  code: string,
  { prove, verifier }: PageOwn,
  {
    domain = own.slug,
    from = origin,
    client = own.application,
  }: { domain?: string; from?: string; client?: Application } = {},
) {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: `${auth.url}/embed/callback`,
    code_verifier: verifier,
    client_id: client.id,
    resource: auth.url,
  };
  const ask = async (nonce?: string) =>
    fetch(`${auth.url}/token?domain=${domain}`, {
      method: 'POST',
      headers: { origin: from, dpop: await prove(nonce) },
      body: new URLSearchParams(form),
    });
  const first = await ask();
  const answer = first.status === 200 ? first : await ask(first.headers.get('dpop-nonce') ?? undefined);
  return {
    status: answer.status,
    allowed: answer.headers.get('access-control-allow-origin'),
    body: (await answer.json()) as Record<string, string>,
  };
}

async function signedIn(of: PageOwn) {
  const shown = await begun({ domain: own.slug, auth_key: 'subsidiary', mode: 'popup', ...of.parameters });
  expect(shown.text).toContain('You are signed in');
  return shown;
}
const codeIn = (text: string) => (JSON.parse(text) as { code: string }).code;

describe('a sign-in for a page', () => {
  test('hands over a code once, to that page alone, which is bound to its key', async () => {
    const own_ = await page();
    expect((await pickUp(own_.state)).status).toBe(204);
    await signedIn(own_);
    expect((await pickUp(own_.state, { from: 'https://evil.example' })).status).toBe(403);
    expect((await pickUp(secret())).status).toBe(204);
    const picked = await pickUp(own_.state);
    expect([picked.status, picked.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    expect((await pickUp(own_.state)).status).toBe(204);
    const { status, body, allowed } = await redeem(codeIn(picked.text), own_);
    expect([status, allowed, body['token_type']]).toEqual([200, origin, 'DPoP']);
    expect(decodeJwt(body['access_token'] ?? '')).toMatchObject({ tid: own.tenantId, cnf: { jkt: own_.jkt } });
  });

  test('gives a code that is worth nothing to whoever has stolen it, key or verifier of their own', async () => {
    const [own_, thief] = [await page(), await page()];
    for (const stolen of [
      { ...own_, prove: thief.prove },
      { ...own_, verifier: thief.verifier },
    ]) {
      await signedIn(own_);
      const { text } = await pickUp(own_.state);
      expect(await redeem(codeIn(text), stolen)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    await signedIn(own_);
    expect((await redeem(codeIn((await pickUp(own_.state)).text), own_)).status).toBe(200);
  });

  test('is read by pages of the tenant alone', async () => {
    const own_ = await page();
    for (const [of, allowed] of [
      [{ from: 'https://evil.example' }, null],
      [{ domain: 'nobody-has-this' }, null],
      [{}, origin],
    ] as const) {
      await signedIn(own_);
      expect((await redeem(codeIn((await pickUp(own_.state)).text), own_, of)).allowed).toBe(allowed);
    }
  });

  test('begins for no other origin, comes back to no other, and with nothing that we have not sealed', async () => {
    const { parameters } = await page();
    const refused = async (query: Record<string, string>) =>
      /<dd class="muted">(\w+)/.exec((await authorize(query)).text)?.[1];
    const common = { domain: own.slug, ...parameters };
    expect(await refused({ ...common, origin: 'https://evil.example' })).toBe('origin_not_allowed');
    const back = { mode: 'redirect', return_to: 'https://evil.example/x' };
    const left = async (query: Record<string, string>, from = origin) => {
      const text = Object.entries(query).map(
        ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
      );
      const form = `<form method="post" action="${auth.url}/embed/authorize">${text.join('')}</form>`;
      const at = { url: new URL(from), status: 200, text: form, headers: new Headers() };
      return createBrowser().submit(at, {}, `${origin}/x`);
    };
    const codeOf = ({ text }: { text: string }) => /<dd class="muted">(\w+)/.exec(text)?.[1];
    expect(codeOf(await left({ ...common, ...back }))).toBe('origin_not_allowed');
    expect(codeOf(await left({ ...common, mode: 'redirect' }))).toBe('input_invalid');
    const goodWay = { ...common, mode: 'redirect', return_to: `${origin}/x` };
    // Led there by a link, or by a page of somebody else's: what came of it would go wherever that page leads.
    for (const from of ['https://evil.example', auth.url])
      expect(codeOf(await left(goodWay, from))).toBe('origin_not_allowed');
    expect((await createBrowser().open(addressOf(goodWay), `${origin}/x`)).url.origin).toBe(auth.url);
    const { state, ...without } = common;
    expect(state).toHaveLength(43);
    expect(await refused(without)).toBe('input_invalid');
    const forged = Buffer.from(JSON.stringify({ domain: own.slug, page: null, returnTo: 'https://evil.example' }));
    for (const state of ['', 'x', `${forged.toString('base64url')}.${secret()}`]) {
      const at = new URL(`${auth.url}/embed/callback?${new URLSearchParams({ code: 'x', iss: auth.url, state })}`);
      expect((await createBrowser().open(at)).text).toContain('sign_in_expired');
    }
    const arrived = await left(goodWay);
    expect([arrived.url.origin, arrived.url.search]).toEqual([origin, '']);
    expect(new URLSearchParams(arrived.url.hash.slice(1)).get('reeve_state')).toBe(parameters.state);
  });

  test('leads to the sign-in that the auth_key names, and says so in five languages where there is none', async () => {
    const shown = (auth_key: string, ui_locales: string) => authorize({ domain: own.slug, auth_key, ui_locales });
    expect((await shown('subsidiary', 'en')).text).toContain('You are signed in');
    const titles = await Promise.all(['en', 'de', 'fr', 'es', 'ja'].map(locale => shown('nobody', locale)));
    expect(new Set(titles.map(({ text }) => /<h1>(.*?)<\/h1>/.exec(text)?.[1])).size).toBe(5);
    expect(titles.every(({ text, status }) => status === 400 && text.includes('unknown_auth_key'))).toBe(true);
  });

  test('is no more where the administrator has turned it off', async () => {
    const own_ = await page();
    await put(own.tenantId, { ...own.body, enabled: false });
    expect((await authorize({ domain: own.slug, ...own_.parameters })).text).toContain('unknown_auth_key');
    await put(own.tenantId, own.body);
    await signedIn(own_);
  });
});

describe('whoever begins a sign-in for themselves, and leads somebody else into it,', () => {
  const at = (own_: PageOwn, more: object = {}) => ({ domain: own.slug, mode: 'popup', ...own_.parameters, ...more });
  const isLeft = async ({ state }: PageOwn) => (await pickUp(state)).status === 200;

  test('gets nothing by a link: the window waits for the page that has opened it', async () => {
    for (const mode of ['popup', 'iframe', 'auto', undefined]) {
      const [thief, victim] = [await page(), createBrowser()];
      const { mode: _, ...without } = at(thief);
      const shown = await victim.open(addressOf(mode === undefined ? without : { ...without, mode }));
      expect([mode, shown.text.includes('You are signed in'), await isLeft(thief)]).toEqual([mode, false, false]);
    }
    const own_ = await page();
    await signedIn(own_);
    expect(await isLeft(own_)).toBe(true);
  });

  test('gets nothing by a form of a page of their own, or of the tenant’s', async () => {
    const thief = await page();
    const form = await createBrowser().open(addressOf(at(thief)));
    for (const from of ['https://evil.example', origin, `${auth.url.replace('127.0.0.1', 'localhost')}`]) {
      const victim = createBrowser();
      const sent = await victim.submit({ ...form, text: absolute(form.text), url: new URL(from) }, {});
      expect([from, sent.status, await isLeft(thief)]).toEqual([from, 403, false]);
    }
    const browser = createBrowser();
    await browser.submit(await browser.open(addressOf(at(thief))), {});
    expect(await isLeft(thief)).toBe(true);
  });

  test('gets nothing by going the first half of the way alone', async () => {
    const [thief, thiefsBrowser, victim] = [await page(), createBrowser(), createBrowser()];
    const asking = await thiefsBrowser.open(addressOf(at(thief)));
    const half = await thiefsBrowser.submit(asking, {}, `${auth.url}/auth`);
    expect(half.url.pathname).toBe('/auth');
    const shown = await victim.open(half.url);
    expect([shown.text.includes('sign_in_expired'), await isLeft(thief)]).toEqual([true, false]);
    // Also where the victim is in the middle of one of their own.
    const own_ = await page();
    await begun(at(own_), victim);
    expect(await isLeft(own_)).toBe(true);
    await victim.open(half.url);
    expect(await isLeft(thief)).toBe(false);
    // The control: the one browser goes all of the way.
    await thiefsBrowser.open(half.url);
    expect(await isLeft(thief)).toBe(true);
  });

  test('gets nothing by a state that they have read, with a key or verifier of their own, for another tenant or application', async () => {
    const [own_, thief, victim] = [await page(), await page(), createBrowser()];
    const done = await begun(at(own_), victim);
    const sealed = done.url.searchParams.get('state') ?? '';
    expect([done.url.pathname, (await pickUp(own_.state)).status]).toEqual(['/embed/callback', 200]);
    const ask = (more: Record<string, string>) => {
      const said = {
        client_id: own.application.id,
        redirect_uri: `${auth.url}/embed/callback`,
        response_type: 'code',
        scope: 'openid',
        state: sealed,
        tenant: own.slug,
        code_challenge: own_.parameters.code_challenge,
        code_challenge_method: 'S256',
        dpop_jkt: own_.parameters.dpop_jkt,
        resource: auth.url,
        ...more,
      };
      return victim.open(new URL(`${auth.url}/auth?${new URLSearchParams(said)}`));
    };
    const codeLeft = async () => (await pickUp(own_.state)).text.includes('"code"');
    for (const forged of [
      { code_challenge: thief.parameters.code_challenge, dpop_jkt: thief.parameters.dpop_jkt },
      { code_challenge: thief.parameters.code_challenge },
      { dpop_jkt: thief.parameters.dpop_jkt },
      { tenant: other.slug },
      { client_id: other.application.id, tenant: other.slug },
      { state: `${sealed}x` },
    ]) {
      await ask(forged);
      expect([forged, await codeLeft()]).toEqual([forged, false]);
    }
    // The control: the very request, of which the code is worth nothing but to the page.
    await ask({});
    expect(await codeLeft()).toBe(true);
  });
});

describe('a page that waits', () => {
  const at = (own_: PageOwn, more: object = {}) => ({ domain: own.slug, mode: 'popup', ...own_.parameters, ...more });
  const heard = async ({ state }: PageOwn) => {
    const { status, text } = await pickUp(state);
    return status === 200 ? (JSON.parse(text) as Record<string, unknown>) : null;
  };
  const refused = async <T>(work: () => Promise<T>) => {
    auth.provisioning.answers(() => 'identity_unknown');
    try {
      return await work();
    } finally {
      auth.provisioning.answers(null);
    }
  };

  test('hears of a failure when it is shown, and by the origin that has begun alone', async () => {
    const own_ = await page();
    const shown = await refused(() => begun(at(own_)));
    expect(shown.text).toContain('identity_unknown');
    expect((await pickUp(own_.state, { from: 'https://evil.example' })).status).toBe(403);
    expect(await heard(own_)).toEqual({ error: 'not_in_roster', cause: 'identity_unknown' });
    expect(await heard(own_)).toBeNull();
    // Whoever goes back to the page is told the same, as ever.
    const browser = createBrowser();
    const again = await page();
    const failed = await refused(() => begun(at(again), browser));
    await browser.open(new URL(/href="([^"]*\/leave)"/.exec(failed.text)?.[1] ?? '', auth.url));
    expect(await heard(again)).toEqual({ error: 'not_in_roster', cause: 'identity_unknown' });
  });

  test('hears nothing of somebody who was led into a sign-in that another browser has begun', async () => {
    const [thief, thiefsBrowser, victim] = [await page(), createBrowser(), createBrowser()];
    const asking = await thiefsBrowser.open(addressOf(at(thief)));
    const half = await thiefsBrowser.submit(asking, {}, `${auth.url}/auth`);
    const shown = await refused(() => victim.open(half.url));
    expect([shown.text.includes('identity_unknown'), await heard(thief)]).toEqual([true, null]);
    // The control: the browser that has begun.
    await refused(() => thiefsBrowser.open(half.url));
    expect(await heard(thief)).toMatchObject({ error: 'not_in_roster' });
  });

  test('hears what was wrong before a sign-in began, if it is one of the tenant’s', async () => {
    const [own_, stranger] = [await page(), await page()];
    await authorize(at(own_, { auth_key: 'nobody' }));
    expect(await heard(own_)).toEqual({ error: 'unknown_auth_key', cause: null });
    for (const of of [
      { origin: 'https://evil.example' },
      { origin: 'https://evil.example', auth_key: 'nobody' },
      { domain: 'nobody-has-this' },
    ])
      await authorize(at(stranger, of));
    expect(await heard(stranger)).toBeNull();
    expect((await pickUp(stranger.state, { from: 'https://evil.example' })).status).toBe(403);
  });

  test('and was left has a way back, which says what was wrong, to its own origin alone', async () => {
    const own_ = await page();
    const left = async (more: Record<string, string>, from = origin) => {
      const fields = { ...at(own_), mode: 'redirect', return_to: `${origin}/x?y=1`, auth_key: 'nobody', ...more };
      const response = await fetch(`${auth.url}/embed/authorize`, {
        method: 'POST',
        headers: { origin: from },
        body: new URLSearchParams(fields),
      });
      const [, href] = /<a class="button primary" href="([^"]*)"/.exec(await response.text()) ?? [];
      return href?.replaceAll('&amp;', '&');
    };
    expect(await left({})).toBe(
      `${origin}/x?y=1#${new URLSearchParams({ reeve_error: 'unknown_auth_key', reeve_state: own_.state })}`,
    );
    expect(await left({ return_to: 'https://evil.example/x' })).toBeUndefined();
    expect(await left({ return_to: 'https://evil.example/x', origin: 'https://evil.example' })).toBeUndefined();
    expect(await left({}, 'https://evil.example')).toBeUndefined();
    expect(await left({ domain: 'nobody-has-this' })).toBeUndefined();
  });
});

/** As another site would have it. */
const absolute = (text: string) => text.replace('action="/', `action="${auth.url}/`);

test('signing out takes the refresh token of the page, and ends nothing for anybody else’s', async () => {
  const own_ = await page();
  await signedIn(own_);
  const { body } = await redeem(codeIn((await pickUp(own_.state)).text), own_);
  const { sid } = decodeJwt(body['access_token'] ?? '');
  const out = (token: string, domain: string) =>
    fetch(`${auth.url}/embed/sign-out`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ domain, token }),
    });
  const statusNow = async () =>
    (await auth.ask<{ status: string }>('GET', `/v1/tenants/${own.tenantId}/sessions/${String(sid)}`, { as })).body
      .status;
  // Another tenant’s page, a text that is no token, one that was cut.
  for (const [token, domain] of [
    [body['refresh_token'] ?? '', other.slug],
    ['x', own.slug],
    [(body['refresh_token'] ?? '').slice(0, -1), own.slug],
  ] as const)
    expect((await out(token, domain)).status).toBe(204);
  expect(await statusNow()).toBe('live');
  expect((await out(body['refresh_token'] ?? '', own.slug)).status).toBe(204);
  expect(await statusNow()).not.toBe('live');
});

describe('what may be framed', () => {
  const headersOf = async (path: string) => (await fetch(auth.url + path, { redirect: 'manual' })).headers;
  const ancestors = (headers: Headers) =>
    /frame-ancestors ([^;]*)/.exec(headers.get('content-security-policy') ?? '')?.[1];

  test('is the button, by pages of the tenant, and nothing else', async () => {
    const { parameters } = await page();
    const query = new URLSearchParams({ domain: own.slug, ...parameters });
    const framed = await headersOf(`/embed/frame?${query}`);
    expect([ancestors(framed), framed.get('x-frame-options')]).toEqual([origin, null]);
    query.set('origin', 'https://evil.example');
    for (const path of [
      `/embed/frame?${query}`,
      '/embed/authorize?domain=x',
      '/embed/help',
      '/interaction/x',
      '/account',
    ]) {
      const headers = await headersOf(path);
      expect([path, ancestors(headers), headers.get('x-frame-options')]).toEqual([path, "'none'", 'DENY']);
    }
  });
});

describe('the script', () => {
  test('is at an address of its version with the hash that is told, and for pages of any origin', async () => {
    const { items } = (await (await fetch(`${auth.url}/embed/versions`)).json()) as {
      items: { version: string; url: string; integrity: string }[];
    };
    for (const { version, url, integrity } of items) {
      const response = await fetch(url);
      const text = Buffer.from(await response.arrayBuffer());
      expect(integrity).toBe(`sha384-${createHash('sha384').update(text).digest('base64')}`);
      expect(text.equals(scriptOf(version))).toBe(true);
      expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
    }
    expect((await fetch(`${auth.url}/embed/reeve/0.0.0/reeve.js`)).status).toBe(404);
    expect((await fetch(`${auth.url}/embed/reeve/..%2f..%2fpackage/reeve.js`)).status).toBe(404);
  });
});
