// Two tenants whose people come from the same identity providers: what belongs to a sign-in at one of them, brought to
// the other. After each attempt the same works at its own tenant, which shows that nothing else was wrong with it.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { type Browser, type EventReader, type Page, readEvents, type SeenEvent } from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

type Tenant = { tenantId: TenantId; slug: string; oidc: Id<'connection'>; saml: Id<'connection'>; app: Application };

let idp: SamlIdentityProvider;
let auth: Auth;
let events: EventReader;
let [own, other] = [] as unknown as [Tenant, Tenant];

async function newTenant(): Promise<Tenant> {
  const { tenantId, slug } = await auth.newTenant();
  const oidc = await auth.newConnection(tenantId);
  const bySaml = { kind: 'saml', oidc: undefined, saml: { metadataUrl: idp.metadataUrl } };
  const saml = await auth.newConnection(tenantId, bySaml);
  return { tenantId, slug, oidc, saml, app: await auth.newApplication(tenantId) };
}

beforeAll(async () => {
  idp = await startSamlIdentityProvider();
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: idp.url });
  events = await readEvents('reeve.auth.v1');
  [own, other] = [await newTenant(), await newTenant()];
  auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true });
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' } });
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await idp.stop();
});

const sessionsOf = ({ tenantId }: Tenant) =>
  events.of(tenantId).filter(({ type }: Pick<SeenEvent, 'type'>) => type === 'session.created').length;
const cameBack = (page: Page) => page.url.href.startsWith(`${callback}?code=`);
const ids = /con_[0-9a-f-]+/g;

/** Both have begun in one browser, as somebody can who belongs to both; nobody has come back yet. */
async function bothBegan(kind: 'oidc' | 'saml') {
  const stopAt = kind === 'oidc' ? `${auth.url}/oidc/` : `${idp.url}/sso`;
  const first = await auth.authorize(own.app, { connection: own[kind], stopAt });
  const second = await auth.authorize(other.app, { connection: other[kind], stopAt, browser: first.browser });
  return { browser: first.browser, ofOwn: first.page, ofOther: second.page };
}

/** What the SAML provider has the browser post. */
async function formAt({ url }: Page): Promise<Page> {
  const shown = await fetch(url);
  return { url, status: 200, headers: shown.headers, text: await shown.text() };
}

describe('nobody is signed in at another tenant', () => {
  async function refusedThere(attempt: (browser: Browser) => Promise<Page>, browser: Browser): Promise<void> {
    const before = sessionsOf(other);
    const page = await attempt(browser);
    expect(cameBack(page)).toBe(false);
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.status).toBeLessThan(500);
    expect(sessionsOf(other)).toBe(before);
  }

  test('by a code and a state', async () => {
    const { browser, ofOwn } = await bothBegan('oidc');
    const there = ofOwn.url.href.replace(ids, other.oidc);
    await refusedThere(one => one.open(there, callback), browser);
    expect(cameBack((await auth.authorize(own.app, { connection: own.oidc })).page)).toBe(true);
  });

  test('by a code with the state of a sign-in there', async () => {
    const { browser, ofOwn, ofOther } = await bothBegan('oidc');
    const mixed = new URL(ofOther.url);
    mixed.searchParams.set('code', ofOwn.url.searchParams.get('code') ?? '');
    await refusedThere(one => one.open(mixed, callback), browser);
    expect(cameBack((await auth.authorize(own.app, { connection: own.oidc })).page)).toBe(true);
  });

  test('by a code of an application here', async () => {
    const { page, verifier } = await auth.authorize(own.app, { connection: own.oidc });
    const code = page.url.searchParams.get('code') ?? '';
    const used = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier };
    expect((await auth.token(other.app, used)).status).toBe(400);
    const again = await auth.authorize(own.app, { connection: own.oidc });
    const here = { ...used, code: again.code ?? '', code_verifier: again.verifier };
    expect((await auth.token(own.app, here)).status).toBe(200);
  });

  test('by an assertion, with its own RelayState or that of a sign-in there', async () => {
    const { browser, ofOwn, ofOther } = await bothBegan('saml');
    const [form, theirs] = [await formAt(ofOwn), await formAt(ofOther)];
    const relayState = (page: Page) => /name="RelayState" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const there = { ...form, text: form.text.replace(ids, other.saml) };
    await refusedThere(one => one.submit(there, {}, callback), browser);
    const mixed = { ...there, text: there.text.replace(relayState(form), relayState(theirs)) };
    await refusedThere(one => one.submit(mixed, {}, callback), browser);
    expect(cameBack(await browser.submit(form, {}, callback))).toBe(true);
  });

  test('by what names a tenant, a connection, an auth_key or a domain there', async () => {
    const as = await auth.asPlatform();
    const body = { authKey: 'default', connectionId: other.oidc };
    await auth.ask('POST', `/v1/tenants/${other.tenantId}/auth-keys`, { as, body });
    const theirs = { ...body, authKey: 'theirs' };
    await auth.ask('POST', `/v1/tenants/${other.tenantId}/auth-keys`, { as, body: theirs });
    const named = [{ tenant: other.slug }, { connection: other.oidc }, { auth_key: 'theirs' }];
    for (const parameters of named)
      expect([parameters, cameBack((await auth.authorize(own.app, parameters)).page)]).toEqual([parameters, false]);
    expect(cameBack((await auth.authorize(other.app, { auth_key: 'theirs' })).page)).toBe(true);
  });

  test('as whoever has the same name at the same provider: they are another one', async () => {
    for (const { app, saml } of [own, other]) await auth.signIn(app, { connection: saml });
    const connectionIds = auth.provisioning.asked.slice(-2).map(({ connectionId }) => connectionId);
    expect(connectionIds).toEqual([own.saml, other.saml]);
    const tenants = auth.provisioning.asked.slice(-2).map(({ tenantId }) => tenantId);
    expect(tenants).toEqual([own.tenantId, other.tenantId]);
  });
});

describe('what a tenant sets up is its own', () => {
  test('a connection of the other is neither read, changed, tried, linked to nor set up', async () => {
    const as = await auth.asPlatform();
    const base = `/v1/tenants/${own.tenantId}`;
    const theirs = `${base}/sso-connections/${other.oidc}`;
    const link = { name: 'Eve', connectionId: other.oidc };
    const asked: [string, string, object?][] = [
      ['GET', theirs],
      ['PATCH', theirs, { name: 'mine' }],
      ['DELETE', theirs],
      ['POST', `${theirs}:activate`],
      ['POST', `${theirs}:test`],
      ['POST', `${theirs}:rehearse`, {}],
      ['POST', `${base}/auth-keys`, { authKey: 'default', connectionId: other.oidc }],
      ['POST', `${base}/domains`, { name: `${randomUUID()}.example`, connectionId: other.oidc }],
      ['POST', `${base}/setup-links`, link],
    ];
    for (const [method, path, body] of asked) {
      const { status } = await auth.ask(method, path, { as, ...(body ? { body } : {}) });
      expect([method, path, [400, 404].includes(status)]).toEqual([method, path, true]);
    }
    const there = await auth.ask('GET', `/v1/tenants/${other.tenantId}/sso-connections/${other.oidc}`, { as });
    expect(there).toMatchObject({ status: 200, body: { name: 'An identity provider', status: 'active' } });
  });
});
