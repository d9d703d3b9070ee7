// Choosing the identity provider, over HTTP: by address, auth_key, tenant and connection; and that an enforced domain
// leaves no other way in.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import {
  createBrowser,
  type EventReader,
  eventually,
  type NameServer,
  readEvents,
  startNameServer,
} from '@reeve/testing';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

let dns: NameServer;
let auth: Auth;
let events: EventReader;
let as: string;

beforeAll(async () => {
  dns = await startNameServer();
  auth = await startAuth({ REEVE_DNS_SERVERS: dns.address });
  events = await readEvents('reeve.auth.v1');
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await dns.stop();
});
beforeEach(async () => {
  auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true });
  as = await auth.asPlatform();
});

type Tenant = { tenantId: TenantId; slug: string; first: Id<'connection'>; second: Id<'connection'>; app: Application };

async function newTenant(): Promise<Tenant> {
  const { tenantId, slug } = await auth.newTenant();
  const first = await auth.newConnection(tenantId, { name: 'First' });
  const second = await auth.newConnection(tenantId, { name: 'Second' });
  return { tenantId, slug, first, second, app: await auth.newApplication(tenantId) };
}

async function proven({ tenantId }: Tenant, settings: object, name = `${randomUUID()}.example`): Promise<string> {
  const path = `/v1/tenants/${tenantId}/domains`;
  const { body } = await auth.ask<{ id: string; record: { name: string; value: string } }>('POST', path, {
    as,
    body: { name, ...settings },
  });
  dns.says(body.record.name, { txt: [body.record.value] });
  const { body: verified } = await auth.ask<{ status: string }>('POST', `${path}/${body.id}:verify`, { as });
  expect(verified.status).toBe('verified');
  return name;
}

const keys = ({ tenantId }: Tenant, method: string, rest = '', body?: object) =>
  auth.ask<{ code?: string; authKey: string; connectionId: string }>(
    method,
    `/v1/tenants/${tenantId}/auth-keys${rest}`,
    { as, ...(body ? { body } : {}) },
  );
const newKey = (of: Tenant, authKey: string, connectionId: string) => keys(of, 'POST', '', { authKey, connectionId });

const explained = async ({ tenantId }: Tenant, body: object) =>
  (await auth.ask('POST', `/v1/tenants/${tenantId}/home-realm:explain`, { as, body })).body;

/** The connection whose provider the browser was sent to, at the end of a sign-in that stops there. */
async function sentTo(application: Application, parameters: object): Promise<string | undefined> {
  const { page } = await auth.authorize(application, { stopAt: auth.provider.issuer, ...parameters } as never);
  return /con_[^/]+/.exec(page.url.searchParams.get('redirect_uri') ?? '')?.[0];
}

/** An application that serves many tenants. */
const manyTenants = { id: 'reeve-consent', secret: '' } as unknown as Application;
const atMany = { redirect_uri: 'http://127.0.0.1:1/sign-in/callback' };

describe('a person without any hint', () => {
  test('is asked for an address, by a form that sends it nowhere where it could be read', async () => {
    const { page } = await auth.authorize(manyTenants, atMany);
    expect(page.text).toContain('<form method="post"');
    expect(page.text).toMatch(/<input id="email"[^>]*type="email"/);
  });

  test('gets to the provider of the domain, and to the same page with any other address', async () => {
    const acme = await newTenant();
    const domain = await proven(acme, { connectionId: acme.second });
    const { browser, page } = await auth.authorize(manyTenants, atMany);
    const unknown = await Promise.all(
      [
        `ada@${randomUUID()}.example`,
        'ada@sub.' + domain,
        'nonsense',
        'ada@',
        '@',
        'ada@com',
        `a@${'x'.repeat(300)}`,
      ].map(email => browser.submit(page, { email })),
    );
    // But for what was typed, which is there to be mended.
    const shown = unknown.map(({ status, text }) => [status, text.replace(/ value="[^"]*"/, '')]);
    for (const one of shown) expect(one).toEqual([200, shown[0]?.[1]]);
    const before = auth.provider.asked.length;
    await browser.submit(page, { email: `Ada@${domain.toUpperCase()}` }, `${auth.provider.issuer}/authorize`);
    await browser.submit(page, { email: `ada@${domain}` }, 'http://127.0.0.1:1/');
    expect(auth.provider.asked.length).toBe(before + 1);
    expect(auth.provider.asked.at(-1)?.get('redirect_uri')).toContain(acme.second);
    expect(auth.provider.asked.at(-1)?.get('login_hint')).toBe(`ada@${domain}`);
  });

  test('is not led by a domain that is only claimed, or turned off', async () => {
    const acme = await newTenant();
    const name = `${randomUUID()}.example`;
    await auth.ask('POST', `/v1/tenants/${acme.tenantId}/domains`, { as, body: { name, connectionId: acme.second } });
    const off = await proven(acme, { connectionId: acme.second, policy: 'off' });
    const { browser, page } = await auth.authorize(manyTenants, atMany);
    for (const domain of [name, off])
      expect((await browser.submit(page, { email: `ada@${domain}` })).text).toContain('There is no sign-in for that');
  });

  test('cannot change what the application has asked for', async () => {
    const [acme, other] = [await newTenant(), await newTenant()];
    const domain = await proven(other, { connectionId: other.first });
    const { browser } = await auth.authorize(acme.app, { stopAt: `${auth.url}/interaction` });
    const interaction = browser.visited.at(-1)?.split(' ')[1] ?? '';
    const page = {
      url: new URL(interaction),
      status: 200,
      headers: new Headers(),
      text: '<form method="post"></form>',
    };
    await browser.submit(page, { email: `ada@${domain}`, tenant: other.slug }, `${auth.provider.issuer}/authorize`);
    await auth.authorize(acme.app, { browser, stopAt: callback });
    expect(auth.provider.asked.at(-1)?.get('redirect_uri')).toContain(acme.first);
  });
});

describe('what an application names', () => {
  test.each(['connection', 'auth_key', 'login_hint', 'domain', 'tenant'])('as %s leads there', async parameter => {
    const acme = await newTenant();
    const domain = await proven(acme, { connectionId: acme.second });
    await newKey(acme, 'default', acme.first);
    await newKey(acme, 'eu', acme.second);
    const values: Record<string, [string, string]> = {
      connection: [acme.second, acme.second],
      auth_key: ['eu', acme.second],
      login_hint: [`ada@${domain}`, acme.second],
      domain: [domain, acme.second],
      tenant: [acme.slug, acme.first],
    };
    const [value, expected] = values[parameter] ?? ['', ''];
    expect(await sentTo(acme.app, { [parameter]: value })).toBe(expected);
    const tenant = parameter === 'auth_key' ? { tenant: acme.slug } : {};
    expect(await sentTo(manyTenants, { ...atMany, ...tenant, [parameter]: value })).toBe(expected);
  });

  test('of another tenant leads nowhere: neither connection, auth_key, domain nor tenant', async () => {
    const [acme, other] = [await newTenant(), await newTenant()];
    const domain = await proven(other, { connectionId: other.first, policy: 'enforced' });
    await newKey(other, 'default', other.second);
    await newKey(other, 'theirs', other.second);
    const texts = await Promise.all(
      [{ connection: other.first }, { auth_key: 'theirs' }, { tenant: other.slug }].map(
        async parameters => (await auth.authorize(acme.app, parameters)).page.text,
      ),
    );
    for (const text of texts) expect(text).toContain('There is no sign-in by that name');
    expect(await sentTo(acme.app, { login_hint: `ada@${domain}` })).toBe(acme.first);
    expect(await sentTo(acme.app, { domain })).toBe(acme.first);
  });

  test('is heeded for somebody who is signed in by another connection', async () => {
    const acme = await newTenant();
    await newKey(acme, 'default', acme.first);
    await newKey(acme, 'eu', acme.second);
    const { browser } = await auth.signIn(acme.app, { auth_key: 'default' });
    const before = auth.provider.asked.length;
    await auth.signIn(acme.app, { browser, auth_key: 'default' });
    expect(auth.provider.asked.length).toBe(before);
    await auth.signIn(acme.app, { browser, auth_key: 'eu' });
    expect(auth.provider.asked.at(-1)?.get('redirect_uri')).toContain(acme.second);
  });
});

describe('an auth_key', () => {
  test('is created, read, changed and deleted, with default first and last', async () => {
    const acme = await newTenant();
    expect((await newKey(acme, 'eu', acme.first)).body.code).toBe('auth_key_default');
    expect((await newKey(acme, 'default', acme.first)).status).toBe(201);
    expect((await newKey(acme, 'eu', acme.second)).status).toBe(201);
    // The same once more may be a retry; something else is none.
    expect((await newKey(acme, 'eu', acme.second)).status).toBe(201);
    expect((await newKey(acme, 'eu', acme.first)).body.code).toBe('auth_key_taken');
    expect((await keys(acme, 'PATCH', '/eu', { connectionId: acme.first })).body.connectionId).toBe(acme.first);
    expect((await keys(acme, 'GET', '/eu')).body).toMatchObject({ authKey: 'eu', connectionId: acme.first });
    expect((await keys(acme, 'DELETE', '/default')).body.code).toBe('auth_key_default');
    expect((await keys(acme, 'DELETE', '/eu')).status).toBe(204);
    expect((await keys(acme, 'DELETE', '/default')).status).toBe(204);
    expect((await keys(acme, 'GET', '/eu')).status).toBe(404);
    expect((await newKey(acme, 'default', acme.second)).status).toBe(201);
    for (const type of ['auth_key.created', 'auth_key.updated', 'auth_key.deleted'] as const)
      expect((await events.seen(acme.tenantId, type, 'eu')).data.details).toHaveProperty('connectionId');
  });

  test.each(['EU', 'e u', '', 'é', 'a'.repeat(41), '../x', 'eu-west'])('may not be called %j', async authKey => {
    const acme = await newTenant();
    const { status, body } = await newKey(acme, authKey, acme.first);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('authKey')]);
  });

  test('names a connection of its own tenant and no other', async () => {
    const [acme, other] = [await newTenant(), await newTenant()];
    const { status, body } = await newKey(acme, 'default', other.first);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('connectionId')]);
  });
});

describe('an explanation', () => {
  test('names the connection and the rule, as a sign-in goes', async () => {
    const [acme, other] = [await newTenant(), await newTenant()];
    const domain = await proven(acme, { connectionId: acme.second });
    const found = (connectionId: string, rule: string) => ({ outcome: 'connection', connectionId, rule });
    expect(await explained(acme, {})).toEqual(found(acme.first, 'first_connection'));
    expect(await explained(acme, { email: `ada@${domain}` })).toEqual(found(acme.second, 'domain_offered'));
    expect(await explained(acme, { domain, connection: acme.first })).toEqual(found(acme.first, 'connection_named'));
    expect(await explained(acme, { authKey: 'none' })).toMatchObject({ outcome: 'refused', rule: 'auth_key_unknown' });
    expect(await explained(acme, { clientId: manyTenants.id })).toEqual(found(acme.first, 'first_connection'));
    for (const clientId of [newId('client'), other.app.id])
      expect(await explained(acme, { clientId })).toMatchObject({ code: 'not_found' });
  });
});

describe('an enforced domain', () => {
  async function enforcing(settings: object = {}) {
    const acme = await newTenant();
    const domain = await proven(acme, { connectionId: acme.second, policy: 'enforced', ...settings });
    const email = `ada@${domain}`;
    auth.provider.is({ sub: 'ada', email, email_verified: true });
    return { acme, domain, email };
  }
  const failures = ({ tenantId }: Tenant) =>
    events
      .of(tenantId)
      .filter(({ type }) => type === 'sign_in.failed')
      .map(({ data }) => data.reason.code);

  test('lets its people in by its connection', async () => {
    const { acme, email } = await enforcing();
    expect((await auth.signIn(acme.app, { login_hint: email })).claims['email']).toBe(email);
  });

  test.each([
    ['without a hint', {}],
    ['by another connection', { connection: 'first' }],
    ['by a hint of another domain', { login_hint: 'ada@elsewhere.example' }],
  ])('lets nobody in another way: %s', async (_, parameters) => {
    const { acme } = await enforcing();
    const named = 'connection' in parameters ? { connection: acme.first } : parameters;
    const { page } = await auth.authorize(acme.app, named);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('domain_enforced')]);
    await eventually('the refusal', () => failures(acme).includes('domain_enforced'));
  });

  test('lets nobody in whose address it is here, whatever the provider says', async () => {
    const { acme, email } = await enforcing();
    auth.provisioning.answers(({ subject }) => ({
      userId: `usr_${randomUUID()}`,
      email,
      displayName: subject,
      roles: [],
      created: false,
    }));
    auth.provider.is({ sub: 'ada' });
    const { page } = await auth.authorize(acme.app, { connection: acme.first });
    auth.provisioning.answers(null);
    expect(page.text).toContain('domain_enforced');
  });

  test('has nothing linked to its people by which they could not sign in', async () => {
    const { acme, email } = await enforcing();
    const { browser } = await auth.signIn(acme.app, { login_hint: email });
    auth.provider.is({ sub: 'ada-elsewhere', email: 'ada@elsewhere.example', email_verified: true });
    const links = () => auth.provisioning.asked.filter(request => 'userId' in request).length;
    const before = links();
    const { page } = await auth.authorize(acme.app, { browser, connection: acme.first, link: 'true' });
    expect([page.status, page.text.includes('domain_enforced'), links()]).toEqual([403, true, before]);
    // By the domain's own connection nothing stands in the way.
    const { page: asked } = await auth.authorize(acme.app, { browser, connection: acme.second, link: 'true' });
    expect([asked.status, asked.text.includes('ada@elsewhere.example')]).toEqual([200, true]);
  });

  test('ends every way of going on with a session that began otherwise', async () => {
    const acme = await newTenant();
    const domain = `${randomUUID()}.example`;
    auth.provider.is({ sub: 'ada', email: `ada@${domain}`, email_verified: true });
    const { browser, tokens } = await auth.signIn(acme.app, { connection: acme.first });
    await proven(acme, { connectionId: acme.second, policy: 'enforced' }, domain);
    await new Promise(resolve => setTimeout(resolve, 1_100));
    expect((await auth.refresh(acme.app, tokens['refresh_token'] ?? '')).body).toMatchObject({
      error: 'invalid_grant',
    });
    const introspected = await fetch(`${auth.url}/token/introspection`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${acme.app.id}:${acme.app.secret}`)}` },
      body: new URLSearchParams({ token: tokens['access_token'] ?? '' }),
    });
    expect(await introspected.json()).toEqual({ active: false });
    const silent = await auth.authorize(acme.app, { browser, prompt: 'none' });
    expect(silent.page.url.searchParams.get('error')).toBe('login_required');
    // And the way that is left is open.
    expect((await auth.signIn(acme.app, { browser, login_hint: `ada@${domain}` })).claims['email']).toContain(domain);
  });

  test('has exceptions for certain addresses, and each use of one is told', async () => {
    const { acme, domain, email } = await enforcing();
    const path = `/v1/tenants/${acme.tenantId}/domains`;
    const { body } = await auth.ask<{ items: { id: string }[] }>('GET', path, { as });
    const change = (breakGlass: string[]) =>
      auth.ask('PATCH', `${path}/${body.items[0]?.id}`, { as, body: { breakGlass } });
    expect((await change(['eve@elsewhere.example'])).status).toBe(400);
    expect((await change([email.toUpperCase()])).status).toBe(200);
    const { claims, tokens } = await auth.signIn(acme.app, { connection: acme.first });
    await events.seen(acme.tenantId, 'sign_in.break_glass_used', claims.sub);
    expect((await auth.refresh(acme.app, tokens['refresh_token'] ?? '')).status).toBe(200);
    auth.provider.is({ sub: 'eve', email: `eve@${domain}`, email_verified: true });
    const { page } = await auth.authorize(acme.app, { browser: createBrowser(), connection: acme.first });
    expect(page.text).toContain('domain_enforced');
  });
});
