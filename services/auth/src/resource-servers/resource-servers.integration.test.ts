// APIs of the product: which tokens are issued for them, to whom, what they say, and who may ask about them.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type Id, newId, platformTenantId, type TenantId } from '@reeve/contracts';
import { type EventReader, eventually, readEvents } from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let slug: string;
let application: Application;
let api: Application;

beforeAll(async () => {
  auth = await startAuth();
  events = await readEvents('reeve.auth.v1');
  ({ tenantId, slug } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(null);
  api = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});
beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example', name: 'Ada' }));

type Answer = { id: string; code?: string; errors?: { field: string }[]; identifier: string; items?: { id: string }[] };
const path = (id = '') => `/v1/resource-servers${id === '' ? '' : `/${id}`}`;
const ask = async (method: string, url: string, body?: object, headers: Record<string, string> = {}) =>
  auth.ask<Answer>(method, url, { as: await auth.asPlatform(), headers, ...(body ? { body } : {}) });

let count = 0;
async function newApi(settings: object = {}): Promise<{ id: string; resource: string }> {
  count += 1;
  const identifier = `https://api${count}.myproduct.example`;
  const scopes = [{ name: 'messages:read' }, { name: 'messages:write' }];
  const { status, body } = await ask('POST', path(), { name: 'Messages', identifier, scopes, ...settings });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { id: body.id, resource: identifier };
}

const signIn = (resource: string, more: object = {}) =>
  auth.signIn(application, { tenant: slug, resource, scope: 'openid messages:read', ...more });

async function introspected(as: Application, token = ''): Promise<Record<string, unknown>> {
  const answer = await fetch(`${auth.url}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${as.id}:${as.secret}`)}` },
    body: new URLSearchParams({ token }),
  });
  return (await answer.json()) as Record<string, unknown>;
}

describe('a token for an API of the product', () => {
  test.each(['ES256', 'RS256'])('is a JWT of RFC 9068, signed by %s, for that API alone', async algorithm => {
    const { resource } = await newApi({ algorithm, tokenSeconds: 120 });
    const { tokens, claims } = await signIn(resource);
    const keys = createRemoteJWKSet(new URL(`${auth.url}/jwks`));
    const { payload } = await jwtVerify(tokens['access_token'] ?? '', keys, {
      issuer: auth.url,
      audience: resource,
      typ: 'at+jwt',
      algorithms: [algorithm],
      requiredClaims: ['exp', 'iat', 'jti', 'client_id'],
    });
    expect(payload).toMatchObject({
      sub: claims.sub,
      client_id: application.id,
      tid: tenantId,
      sid: claims['sid'],
      scope: 'messages:read',
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(120);
    for (const name of ['email', 'name', 'roles', 'areas']) expect(payload).not.toHaveProperty(name);
    // Nor is it one for us.
    expect((await auth.ask('GET', '/v1/me/sessions', { as: tokens['access_token'] ?? '' })).status).toBe(401);
  });

  test('says of a person what the API wants to know', async () => {
    const { resource } = await newApi({ claims: ['email', 'name', 'roles'] });
    const { tokens } = await signIn(resource);
    expect(decodeJwt(tokens['access_token'] ?? '')).toMatchObject({
      email: 'ada@acme.example',
      email_verified: false,
      name: 'Ada',
      roles: ['tenant_member'],
    });
  });

  test('says the groups of now to an API that wants to know them, and to no other', async () => {
    const userId = newId('user');
    const [support, sales] = [newId('group'), newId('group')];
    const held = { email: null, displayName: null, roles: [], groups: [support], created: false };
    auth.provisioning.answers(() => ({ userId, ...held }));
    auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
    const [{ resource }, { resource: other }] = [await newApi({ claims: ['groups'] }), await newApi()];
    const scope = 'openid groups offline_access messages:read';
    const { tokens, claims } = await signIn(resource, { scope });
    const unasked = await signIn(other, { scope });
    auth.provisioning.answers(null);
    const groupsIn = (token = '') => decodeJwt(token)['groups'];
    expect(claims['groups']).toEqual([support]);
    expect([groupsIn(tokens['access_token']), groupsIn(unasked.tokens['access_token'])]).toEqual([
      [support],
      undefined,
    ]);
    const change = (type: 'membership.added' | 'membership.removed', id: Id<'group'>) =>
      auth.announce(tenantId, event(type, { id, because: 'requested', details: { userId } }));
    await change('membership.added', sales);
    await change('membership.removed', support);
    let next = tokens['refresh_token'] ?? '';
    await eventually('the groups of now', async () => {
      const { body } = await auth.refresh(application, next);
      next = body['refresh_token'] ?? '';
      return String(groupsIn(body['access_token'])) === sales && String(groupsIn(body['id_token'])) === sales;
    });
  });

  test('has the scopes that are asked for and may be, when it is issued and when it is refreshed', async () => {
    const { id, resource } = await newApi();
    const both = { scope: 'openid messages:read messages:write delete:everything' };
    const { tokens } = await signIn(resource, both);
    const scopeOf = (token = '') => decodeJwt(token)['scope'];
    expect(scopeOf(tokens['access_token'])).toBe('messages:read messages:write');
    const narrowed = [{ clientId: application.id, scopes: ['messages:read'] }];
    expect((await ask('PATCH', path(id), { applications: narrowed })).status).toBe(200);
    const fresh = await auth.refresh(application, tokens['refresh_token'] ?? '');
    expect(scopeOf(fresh.body['access_token'])).toBe('messages:read');
    await ask('PATCH', path(id), { applications: [] });
    expect(await auth.refresh(application, fresh.body['refresh_token'] ?? '')).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    });
  });

  test('is what an application gets that names none and has it as its own', async () => {
    const { resource } = await newApi();
    const usual = await auth.newApplication(null, { defaultResource: resource });
    const { tokens } = await auth.signIn(usual, { tenant: slug, scope: 'openid messages:read' });
    expect(decodeJwt(tokens['access_token'] ?? '')).toMatchObject({ aud: resource, scope: 'messages:read' });
    const fresh = await auth.refresh(usual, tokens['refresh_token'] ?? '');
    expect(decodeJwt(fresh.body['access_token'] ?? '')['aud']).toBe(resource);
    const machine = await auth.newApplication(null, {
      kind: 'machine',
      grantTypes: ['client_credentials'],
      redirectUris: [],
      defaultResource: resource,
    });
    const { body } = await auth.token(machine, {
      grant_type: 'client_credentials',
      scope: `messages:write tenant:${slug}`,
    });
    expect(decodeJwt(body['access_token'] ?? '')).toMatchObject({ aud: resource, tid: tenantId, sub: machine.id });
  });

  test('has the scopes that its application is registered with, where a request names none', async () => {
    const { resource } = await newApi();
    const own = (defaultScopes?: string[]) =>
      auth.newApplication(null, { defaultResource: resource, ...(defaultScopes ? { defaultScopes } : {}) });
    const tokensOf = async (usual: Application, scope = ''): Promise<Record<string, string | null>> => {
      const { code, verifier, page } = await auth.authorize(usual, { tenant: slug, scope });
      if (code === null) return { error: page.url.searchParams.get('error') };
      const given = { code, redirect_uri: callback, code_verifier: verifier };
      return (await auth.token(usual, { grant_type: 'authorization_code', ...given })).body;
    };
    const said = ({ access_token: token = '' }: Record<string, string | null>) => decodeJwt(String(token));
    const usual = await own(['messages:read']);
    const tokens = await tokensOf(usual);
    expect(said(tokens)).toMatchObject({ aud: resource, scope: 'messages:read' });
    expect(tokens).not.toHaveProperty('id_token');
    expect(said((await auth.refresh(usual, String(tokens['refresh_token']))).body)['scope']).toBe('messages:read');
    expect(said(await tokensOf(usual, 'messages:write'))['scope']).toBe('messages:write');
    // Nor more than it may ask for.
    expect(said(await tokensOf(await own(['messages:read', 'other:all'])))['scope']).toBe('messages:read');
    expect(await tokensOf(await own())).toEqual({ error: 'access_denied' });
  });

  test('of a tenant’s own machine is of that tenant, whether it says so or not', async () => {
    const { resource } = await newApi({ applications: 'all' });
    const machine = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    for (const scope of ['messages:read', `messages:read tenant:${slug}`]) {
      const { body } = await auth.token(machine, { grant_type: 'client_credentials', scope, resource });
      expect(decodeJwt(body['access_token'] ?? '')['tid']).toBe(tenantId);
    }
    const other = await auth.newTenant();
    const scope = `messages:read tenant:${other.slug}`;
    expect((await auth.token(machine, { grant_type: 'client_credentials', scope, resource })).status).toBe(400);
  });

  test('is for nobody who may not ask, be the API there or not', async () => {
    const { resource } = await newApi();
    const ofTenant = await auth.newApplication(tenantId);
    const errorOf = async (asking: Application, of: string) => {
      const { page } = await auth.authorize(asking, { tenant: slug, resource: of, scope: 'openid messages:read' });
      const { searchParams } = page.url;
      return [searchParams.get('error'), searchParams.get('error_description')];
    };
    const refused = await errorOf(ofTenant, resource);
    expect(refused[0]).toBe('invalid_target');
    expect(await errorOf(ofTenant, 'https://nobody.example')).toEqual(refused);
    expect(await errorOf(application, `${resource}/`)).toEqual(refused);
    expect(await errorOf(application, resource.toUpperCase())).toEqual(refused);
    expect((await errorOf(application, resource))[0]).toBeNull();
  });

  test('lasts no longer than the session', async () => {
    auth.provider.is({ sub: 'ada', session_expiry: Math.floor(Date.now() / 1_000) + 40 });
    const { resource } = await newApi();
    const { tokens } = await auth.signIn(application, { tenant: slug, resource, prompt: 'login' });
    const { exp = 0, iat = 0 } = decodeJwt(tokens['access_token'] ?? '');
    expect(exp - iat).toBeLessThanOrEqual(40);
  });
});

describe('an opaque token', () => {
  const opaque = (more: object = {}) =>
    newApi({ format: 'opaque', tokenSeconds: 3_600, introspectedBy: [api.id], ...more });
  const inactive = { active: false };

  test('says nothing by itself, and to the API what a JWT would', async () => {
    const { resource } = await opaque({ claims: ['email'] });
    const { tokens, claims } = await signIn(resource);
    const token = tokens['access_token'] ?? '';
    expect(token).toMatch(/^[\w-]{43,}$/);
    expect(await introspected(api, token)).toMatchObject({
      active: true,
      iss: auth.url,
      aud: resource,
      sub: claims.sub,
      client_id: application.id,
      tid: tenantId,
      sid: claims['sid'],
      scope: 'messages:read',
      email: 'ada@acme.example',
      token_type: 'Bearer',
    });
  });

  test('tells what its person is now, and no more than it told before', async () => {
    const userId = newId('user');
    const held = { email: null, displayName: null, roles: ['tenant_admin', 'tenant_auditor'], created: false };
    auth.provisioning.answers(async () => ({ userId, ...held }));
    auth.provider.is({ sub: newId('request'), email: 'ada@acme.example', amr: ['mfa'] });
    const { resource } = await opaque({ claims: ['roles'] });
    const { tokens } = await signIn(resource);
    auth.provisioning.answers(null);
    const told = () => introspected(api, tokens['access_token']);
    expect(await told()).toMatchObject({ roles: ['tenant_admin', 'tenant_auditor'], amr: ['fed', 'mfa'] });
    const change = (type: 'role.assigned' | 'role.unassigned', role: string) =>
      auth.announce(tenantId, event(type, { id: userId, because: 'requested', details: { userId, role } }));
    await change('role.assigned', 'tenant_member');
    await change('role.unassigned', 'tenant_admin');
    await eventually('the roles of now', async () => (await told())['roles']?.toString() === 'tenant_auditor');
  });

  test('tells no group that its person has left, or came into since it was issued', async () => {
    const userId = newId('user');
    const [support, sales, office] = [newId('group'), newId('group'), newId('group')];
    const held = { email: null, displayName: null, roles: [], groups: [support, office], created: false };
    auth.provisioning.answers(() => ({ userId, ...held }));
    auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
    const { resource } = await opaque({ claims: ['groups'] });
    const { tokens } = await signIn(resource);
    auth.provisioning.answers(null);
    const told = async () => (await introspected(api, tokens['access_token']))['groups'];
    expect(await told()).toEqual([support, office]);
    const about = { because: 'requested', details: { userId } } as const;
    await auth.announce(tenantId, event('membership.added', { id: sales, ...about }));
    await auth.announce(tenantId, event('membership.removed', { id: support, ...about }));
    await eventually('the groups of now', async () => String(await told()) === office);
  });

  test('is inactive when the API has taken one of its scopes back, and a narrower one is not', async () => {
    const { id, resource } = await opaque();
    const { tokens } = await signIn(resource, { scope: 'openid offline_access messages:read messages:write' });
    const isActive = async (token = '') => (await introspected(api, token))['active'];
    expect(await isActive(tokens['access_token'])).toBe(true);
    await ask('PATCH', path(id), { applications: [{ clientId: application.id, scopes: ['messages:read'] }] });
    await eventually('it is known', async () => (await isActive(tokens['access_token'])) === false);
    const { body } = await auth.refresh(application, tokens['refresh_token'] ?? '');
    expect(await introspected(api, body['access_token'])).toMatchObject({ active: true, scope: 'messages:read' });
  });

  test('is nothing to others, truncated or extended (lesson L42)', async () => {
    const { resource } = await opaque();
    const { tokens } = await signIn(resource);
    const token = tokens['access_token'] ?? '';
    const stranger = await auth.newApplication(null);
    const otherApi = await auth.newApplication(null);
    await opaque({ introspectedBy: [otherApi.id] });
    const ofTenant = await auth.newApplication(tenantId);
    for (const asking of [stranger, otherApi, ofTenant]) expect(await introspected(asking, token)).toEqual(inactive);
    for (const other of [token.slice(0, -1), `${token}A`, token.toUpperCase(), ` ${token}`, token.slice(1), ''])
      expect(await introspected(api, other)).not.toMatchObject({ active: true });
    expect(await introspected(api, token)).toMatchObject({ active: true });
    expect(await introspected(application, token)).toMatchObject({ active: true });
  });

  test('ends with the session, with the application’s right to the API, and with the application', async () => {
    const { id, resource } = await opaque();
    const ending = await auth.newApplication(null);
    const newToken = async () =>
      (await auth.signIn(ending, { tenant: slug, resource, scope: 'openid messages:read' })).tokens['access_token'];
    const first = await auth.signIn(ending, { tenant: slug, resource });
    const { access_token: token } = first.tokens;
    expect(await introspected(api, token)).toMatchObject({ active: true });
    await ask('POST', `/v1/tenants/${tenantId}/sessions/${String(first.claims['sid'])}:terminate`);
    expect(await introspected(api, token)).toEqual(inactive);

    const second = await newToken();
    await ask('PATCH', path(id), { applications: [{ clientId: newId('client') }] });
    expect(await introspected(api, second)).toEqual(inactive);
    await ask('PATCH', path(id), { applications: 'platform' });
    expect(await introspected(api, second)).toMatchObject({ active: true });
    await ask('PATCH', `/v1/applications/${ending.id}`, { tenants: [] });
    expect(await introspected(api, second)).toEqual(inactive);

    await ask('PATCH', `/v1/applications/${ending.id}`, { tenants: 'all' });
    const third = await newToken();
    expect(await introspected(api, third)).toMatchObject({ active: true });
    await ask('DELETE', `/v1/applications/${ending.id}`);
    expect(await introspected(api, third)).toEqual(inactive);
  });

  test('of an API that is gone is none of the next at the same URL', async () => {
    const { id, resource } = await opaque();
    const { tokens } = await signIn(resource);
    const token = tokens['access_token'];
    expect(await introspected(api, token)).toMatchObject({ active: true });
    await ask('DELETE', path(id));
    expect(await introspected(api, token)).toEqual(inactive);
    await new Promise(resolve => setTimeout(resolve, 1_100));
    await ask('POST', path(), { name: 'Again', identifier: resource, format: 'opaque', introspectedBy: [api.id] });
    expect(await introspected(api, token)).toEqual(inactive);
    const { tokens: next } = await auth.signIn(application, { tenant: slug, resource, scope: 'openid' });
    expect(await introspected(api, next['access_token'])).toMatchObject({ active: true });
  });

  test('of a machine ends when its secret is rotated, and is of its tenant', async () => {
    const { resource } = await opaque();
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const asked = { grant_type: 'client_credentials', scope: `messages:read tenant:${slug}`, resource };
    const { body } = await auth.token(machine, asked);
    const token = body['access_token'];
    expect(await introspected(api, token)).toMatchObject({ active: true, tid: tenantId, client_id: machine.id });
    await ask('POST', `/v1/applications/${machine.id}:rotate-secret`, {});
    expect(await introspected(api, token)).toEqual(inactive);
  });

  test('of a machine counts while its tenant is not suspended', async () => {
    const own = await auth.newTenant();
    const { resource } = await opaque();
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const asked = { grant_type: 'client_credentials', scope: `messages:read tenant:${own.slug}`, resource };
    const token = (await auth.token(machine, asked)).body['access_token'];
    expect(await introspected(api, token)).toMatchObject({ active: true, tid: own.tenantId });
    const details = { slug: own.slug, status: 'suspended' };
    const suspended = event('tenant.suspended', { id: own.tenantId, name: own.slug, because: 'requested', details });
    await auth.announce(own.tenantId, suspended);
    await eventually('it counts no more', async () => !(await introspected(api, token))['active']);
  });

  test('of another tenant is nothing to an API that is a tenant’s own', async () => {
    const ofTenant = await auth.newApplication(tenantId);
    const other = await auth.newTenant();
    await auth.newConnection(other.tenantId);
    const { resource } = await opaque({ introspectedBy: [ofTenant.id] });
    const own = (await signIn(resource)).tokens['access_token'];
    const foreign = (await signIn(resource, { tenant: other.slug })).tokens['access_token'];
    expect(await introspected(ofTenant, own)).toMatchObject({ active: true });
    expect(await introspected(ofTenant, foreign)).toEqual(inactive);
  });
});

describe('an API', () => {
  test('is made, read, listed, changed in the version that was read, and deleted', async () => {
    const { id, resource } = await newApi();
    const read = await ask('GET', path(id));
    expect(read.body).toMatchObject({
      identifier: resource,
      format: 'jwt',
      applications: 'platform',
      tokenSeconds: 300,
    });
    expect((await ask('GET', `${path()}?limit=200`)).body.items?.map(one => one.id)).toContain(id);
    const etag = { 'if-match': read.headers.get('etag') ?? '' };
    expect((await ask('PATCH', path(id), { name: 'Other' }, etag)).status).toBe(200);
    expect((await ask('PATCH', path(id), { name: 'Third' }, etag)).status).toBe(412);
    expect((await ask('DELETE', path(id))).status).toBe(204);
    expect((await ask('GET', path(id))).status).toBe(404);
    for (const type of ['resource_server.created', 'resource_server.updated', 'resource_server.deleted'] as const)
      expect((await events.seen(platformTenantId, type, id as never)).data.details).toMatchObject({
        identifier: resource,
      });
    await eventually('nobody gets tokens for it', async () => {
      const { page } = await auth.authorize(application, { tenant: slug, resource });
      return page.url.searchParams.get('error') === 'invalid_target';
    });
    // The URL is free again.
    expect((await ask('POST', path(), { name: 'Again', identifier: resource })).status).toBe(201);
  });

  test('has its URL alone', async () => {
    const { resource } = await newApi();
    for (const identifier of [resource, `${resource}/`, resource.replace('https', 'HTTPS')])
      expect(await ask('POST', path(), { name: 'x', identifier })).toMatchObject({
        status: 409,
        body: { code: 'resource_server_exists' },
      });
  });

  test.each<[string, object, string]>([
    ['of our own', { identifier: 'self' }, 'identifier'],
    ['of our own, with a path', { identifier: 'self/api' }, 'identifier'],
    ['that is no URL', { identifier: 'messages' }, 'identifier'],
    ['without TLS', { identifier: 'http://api.example' }, 'identifier'],
    ['with a fragment', { identifier: 'https://api.example/#x' }, 'identifier'],
    ['with a scope of ours', { scopes: [{ name: 'platform:admin' }] }, 'scopes.0.name'],
    ['with a scope that says a tenant', { scopes: [{ name: 'tenant:acme' }] }, 'scopes.0.name'],
    ['with a scope of OpenID Connect', { scopes: [{ name: 'openid' }] }, 'scopes.0.name'],
    ['with two scopes in one', { scopes: [{ name: 'a b' }] }, 'scopes.0.name'],
    ['with a scope twice', { scopes: [{ name: 'a' }, { name: 'a' }] }, 'scopes'],
    ['with JWTs that outlast their revocation', { tokenSeconds: 3_600 }, 'tokenSeconds'],
    ['with an algorithm that is none', { algorithm: 'none' }, 'algorithm'],
    [
      'for an application with a scope that it has not',
      { applications: [{ clientId: newId('client'), scopes: ['x'] }] },
      'applications.0.scopes',
    ],
    ['with something else', { whatever: 1 }, 'whatever'],
  ])('%s is refused by name', async (_, settings, field) => {
    const own = { ...settings } as { identifier?: string };
    if (own.identifier?.startsWith('self')) own.identifier = own.identifier.replace('self', auth.url);
    const refused = await ask('POST', path(), { name: 'x', identifier: 'https://refused.example', ...own });
    expect([refused.status, refused.body.errors?.map(error => error.field)]).toEqual([400, [field]]);
  });

  test('is the platform’s alone', async () => {
    const { id } = await newApi();
    const machine = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    const asked = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
    const as = (await auth.token(machine, asked)).body['access_token'] ?? '';
    for (const [method, url] of [
      ['GET', path()],
      ['POST', path()],
      ['GET', path(id)],
      ['PATCH', path(id)],
      ['DELETE', path(id)],
    ] as const)
      expect((await auth.ask(method, url, { as, ...(method === 'GET' ? {} : { body: {} }) })).status).toBe(403);
  });
});

describe('what an application is told of a person', () => {
  const all = {
    sub: 'ada',
    email: 'ada@acme.example',
    email_verified: true,
    name: 'Ada Lovelace',
    given_name: 'Ada',
    family_name: 'Lovelace',
    locale: 'en-GB',
  };
  const me = async (token = '') =>
    (await (await fetch(`${auth.url}/me`, { headers: { authorization: `Bearer ${token}` } })).json()) as object;
  const names = ['email', 'email_verified', 'name', 'given_name', 'family_name', 'locale', 'roles', 'groups'];
  const namesIn = (told: object) => names.filter(name => name in told);

  test.each([
    ['openid', []],
    ['openid email', ['email', 'email_verified']],
    ['openid profile', ['name', 'given_name', 'family_name', 'locale']],
    ['openid roles', ['roles']],
    ['openid groups', ['groups']],
  ])('by the scope %s', async (scope, expected) => {
    auth.provider.is(all);
    const { tokens, claims } = await auth.signIn(application, { tenant: slug, scope });
    expect([namesIn(claims), claims['tid']]).toEqual([expected, tenantId]);
    expect(namesIn(await me(tokens['access_token']))).toEqual(expected);
  });

  test('by the claims parameter', async () => {
    auth.provider.is(all);
    const claims = JSON.stringify({ id_token: { given_name: null }, userinfo: { locale: { essential: true } } });
    const { tokens, claims: told } = await auth.signIn(application, { tenant: slug, scope: 'openid', claims });
    expect([namesIn(told), namesIn(await me(tokens['access_token']))]).toEqual([['given_name'], ['locale']]);
  });

  test.each(['{', '[]', '{}', '{"id_token":[]}'])('a claims parameter %s is refused', async claims => {
    const { page } = await auth.authorize(application, { tenant: slug, claims });
    expect(page.url.searchParams.get('error')).toBe('invalid_request');
  });

  test('an error, and no circle, where the provider does not sign in as is essential', async () => {
    auth.provider.is({ ...all, acr: 'urn:password' });
    const claims = (level: object) => ({ tenant: slug, claims: JSON.stringify({ id_token: { acr: level } }) });
    const unmet = { essential: true, values: ['urn:mfa'] };
    const { page } = await auth.authorize(application, claims(unmet));
    expect(page.url.searchParams.get('error')).toBe('unmet_authentication_requirements');
    expect(auth.provider.asked.at(-1)?.get('acr_values')).toBe('urn:mfa');
    expect((await auth.authorize(application, claims({ ...unmet, essential: false }))).code).not.toBeNull();
    expect((await auth.authorize(application, claims({ ...unmet, values: ['urn:password'] }))).code).not.toBeNull();
    const sub = { tenant: slug, claims: JSON.stringify({ id_token: { sub: { value: newId('user') } } }) };
    expect((await auth.authorize(application, sub)).page.url.searchParams.get('error')).toBe('login_required');
  });
});
