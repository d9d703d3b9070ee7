import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, eventually, readEvents, startIdentityProvider } from '@reeve/testing';
import { type Auth, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let events: EventReader;
let tenantId: TenantId;

beforeAll(async () => {
  auth = await startAuth();
  events = await readEvents('reeve.auth.v1', 'reeve.secret.v1');
  ({ tenantId } = await auth.newTenant());
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});

type Connection = {
  id: Id<'connection'>;
  code?: string;
  detail?: string;
  errors?: { field: string }[];
  domains: string[];
  oidc: { issuer: string; clientId: string };
};
type Grade = { level: string; clauses: { id: string; holds: boolean | null }[] };
const path = (id = '') => `/v1/tenants/${tenantId}/sso-connections${id === '' ? '' : `/${id}`}`;
const ask = async (method: string, url: string, body?: object, headers: Record<string, string> = {}) =>
  auth.ask<Connection>(method, url, { as: await auth.asPlatform(), headers, ...(body ? { body } : {}) });
const oidc = () => ({ issuer: auth.provider.issuer, clientId: 'reeve', clientSecret: 'a secret' });
const asTenant = async () => {
  const client = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
  const asked = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
  return (await auth.token(client, asked)).body['access_token'] ?? '';
};

describe('a connection', () => {
  test('is made with what its issuer says of itself, and shows no secret', async () => {
    const { status, body } = await ask('POST', path(), { name: 'IdP', kind: 'oidc', oidc: oidc() });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'draft',
      oidc: { issuer: auth.provider.issuer, clientId: 'reeve' },
      domains: [],
    });
    expect(JSON.stringify(body)).not.toContain('a secret');
  });

  test.each([
    ['no settings of its kind', { name: 'x', kind: 'oidc' }, 'oidc'],
    ['a kind that does not exist', { name: 'x', kind: 'magic', magic: {} }, 'kind'],
    [
      'an issuer that is no URL',
      { name: 'x', kind: 'oidc', oidc: { issuer: 'x', clientId: 'a', clientSecret: 'b' } },
      'oidc.issuer',
    ],
    [
      'a script for an issuer',
      { name: 'x', kind: 'oidc', oidc: { issuer: 'javascript:1', clientId: 'a', clientSecret: 'b' } },
      'oidc.issuer',
    ],
    [
      'a secret and a key',
      {
        name: 'x',
        kind: 'oidc',
        oidc: { issuer: 'https://a.example', clientId: 'a', clientSecret: 'b', privateKeyJwt: true },
      },
      'oidc.clientSecret',
    ],
    [
      'any directory',
      {
        name: 'x',
        kind: 'oidc',
        oidc: { issuer: 'https://a.example', clientId: 'a', clientSecret: 'b', entraTenants: ['*'] },
      },
      'oidc.entraTenants.0',
    ],
    ['an unknown setting', { name: 'x', kind: 'oidc', oidc: {}, magic: 1 }, 'magic'],
  ])('with %s is refused by name', async (_, body, field) => {
    const refused = await ask('POST', path(), body);
    expect(refused.status).toBe(400);
    expect(refused.body.errors?.map(error => error.field)).toContain(field);
  });

  test('to an address inside is refused', async () => {
    const inside = { ...oidc(), issuer: 'http://127.0.0.1:1' };
    expect(await ask('POST', path(), { name: 'x', kind: 'oidc', oidc: inside })).toMatchObject({
      status: 422,
      body: { code: 'url_refused' },
    });
  });

  test('is changed in the version that was read; a new secret counts at the next sign-in', async () => {
    const { body: made, headers } = await ask('POST', path(), { name: 'A', kind: 'oidc', oidc: oidc() });
    const etag = headers.get('etag') ?? '';
    const changed = await ask(
      'PATCH',
      path(made.id),
      { name: 'B', oidc: { clientSecret: 'new' } },
      { 'if-match': etag },
    );
    expect(changed).toMatchObject({ status: 200, body: { name: 'B', oidc: { clientId: 'reeve' } } });
    expect((await ask('PATCH', path(made.id), { name: 'C' }, { 'if-match': etag })).status).toBe(412);
    expect((await events.seen(tenantId, 'connection.updated', made.id)).data.details).toMatchObject({
      changed: expect.arrayContaining(['name', 'secretSetAt']),
    });
  });

  test('is not changed by whoever has seen another version, and neither is its secret', async () => {
    const made = await ask('POST', path(), { name: 'A', kind: 'oidc', oidc: oidc() });
    const { id } = made.body;
    const etag = { 'if-match': made.headers.get('etag') ?? '' };
    expect((await ask('PATCH', path(id), { name: 'B' }, etag)).status).toBe(200);
    const secret = { oidc: { clientSecret: 'another' } };
    const refused = await ask('PATCH', path(id), secret, etag);
    expect(refused).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    const taken = await ask('PATCH', path(id), secret);
    expect(taken.status).toBe(200);
    const requestsThatStored = () =>
      events
        .of(tenantId)
        .filter(({ type, data }) => type === 'secret.stored' && data.target.id?.startsWith(`${id}.`))
        .map(({ correlationId }) => correlationId);
    const requestOf = ({ headers }: typeof made) => headers.get('reeve-request-id');
    await eventually('both secrets', () => requestsThatStored().length >= 2);
    expect(new Set(requestsThatStored())).toEqual(new Set([requestOf(made), requestOf(taken)]));
  });

  test('by a key says where its keys are, and gives them to everybody; one by a secret has none', async () => {
    const { issuer, clientId } = oidc();
    const byKey = { issuer, clientId, privateKeyJwt: true };
    const { body } = await ask('POST', path(), { name: 'K', kind: 'oidc', oidc: byKey });
    const { jwksUri = '' } = body.oidc as { jwksUri?: string };
    expect(new URL(jwksUri).pathname).toBe(`/oidc/${body.id}/jwks`);
    const keysAt = async (id: string) => {
      const response = await fetch(`${auth.url}/oidc/${id}/jwks`);
      const { keys = [], code } = (await response.json()) as { keys?: Record<string, string>[]; code?: string };
      return { status: response.status, type: response.headers.get('content-type'), keys, code };
    };
    const { status, type, keys } = await keysAt(body.id);
    expect([status, type]).toEqual([200, expect.stringContaining('application/jwk-set+json')]);
    expect(keys).toEqual([expect.objectContaining({ kty: 'EC', alg: 'ES256', use: 'sig' })]);
    for (const secretPart of ['d', 'p', 'q', 'k']) expect(keys[0]).not.toHaveProperty(secretPart);
    const bySecret = await ask('POST', path(), { name: 'S', kind: 'oidc', oidc: oidc() });
    for (const id of [bySecret.body.id, newId('connection'), 'x', tenantId])
      expect(await keysAt(id)).toMatchObject({ status: 404, code: 'not_found', keys: [] });
    await ask('DELETE', path(body.id));
    expect((await keysAt(body.id)).status).toBe(404);
  });

  test('that is deleted lets nobody in, and its secret is destroyed', async () => {
    const own = await auth.newTenant();
    const id = await auth.newConnection(own.tenantId);
    const app = await auth.newApplication(own.tenantId);
    auth.provider.is({ sub: 'ada' });
    expect((await auth.authorize(app)).code).not.toBeNull();
    expect((await ask('DELETE', `/v1/tenants/${own.tenantId}/sso-connections/${id}`)).status).toBe(204);
    expect((await auth.authorize(app)).page.text).toContain('There is no sign-in by that name');
    await eventually('the secret is destroyed', () =>
      events
        .of(own.tenantId)
        .some(({ type, data }) => type === 'secret.destroyed' && data.target.id?.startsWith(`${id}.`)),
    );
  });

  test('is tried without a person, and says what has changed at the identity provider', async () => {
    const elsewhere = await startIdentityProvider();
    const trusting = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: elsewhere.issuer });
    const own = await trusting.newTenant();
    const connections = `/v1/tenants/${own.tenantId}/sso-connections`;
    const as = await trusting.asPlatform();
    const settings = { name: 'x', kind: 'oidc', oidc: { ...oidc(), issuer: elsewhere.issuer } };
    const made = await trusting.ask<Connection>('POST', connections, { as, body: settings });
    const tried = () => trusting.ask('POST', `${connections}/${made.body.id}:test`, { as });
    expect((await tried()).body).toEqual({ works: true, problem: null });
    await elsewhere.stop();
    expect((await tried()).body).toEqual({ works: false, problem: 'the discovery document could not be fetched' });
    await trusting.stop();
  }, 60_000);
});

describe('the grade of a connection', () => {
  test('is read by its tenant, and says what holds, what does not, and what cannot be known', async () => {
    const { body: made } = await ask('POST', path(), { name: 'G', kind: 'oidc', oidc: oidc() });
    const { status, body } = await auth.ask<Grade>('GET', `${path(made.id)}/grade`, { as: await asTenant() });
    expect([status, body.level]).toEqual([200, 'none']);
    const holds = Object.fromEntries(body.clauses.map(({ id, holds: said }) => [id, said]));
    expect(holds).toMatchObject({ code_with_pkce: true, dpop: false, mfa: null, session_lifetime: true });
    expect(JSON.stringify(body)).not.toContain('a secret');
  });

  test('is nobody’s of another tenant, and none of a connection that there is not', async () => {
    const { body: made } = await ask('POST', path(), { name: 'G', kind: 'oidc', oidc: oidc() });
    const other = await auth.newTenant();
    const elsewhere = `/v1/tenants/${other.tenantId}/sso-connections/${made.id}/grade`;
    expect(await ask('GET', elsewhere)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await auth.ask('GET', elsewhere, { as: await asTenant() })).status).toBe(404);
    expect((await ask('GET', `${path(newId('connection'))}/grade`)).status).toBe(404);
    expect((await ask('GET', `${path(made.id)}/grade`)).status).toBe(200);
  });
});

describe('a domain', () => {
  test('is given by the platform; a tenant may take it away and not take one', async () => {
    const domains = ['given.example', 'other.example'];
    const { body: made } = await ask('POST', path(), { name: 'D', kind: 'oidc', oidc: oidc(), domains });
    expect(made.domains).toEqual(domains);
    const as = await asTenant();
    const patch = (to: string[]) => auth.ask('PATCH', path(made.id), { as, body: { domains: to } });
    expect(await patch([...domains, 'stolen.example'])).toMatchObject({
      status: 403,
      body: { code: 'domain_unverified' },
    });
    expect((await patch(['given.example'])).status).toBe(200);
    const body = { name: 'E', kind: 'oidc', oidc: oidc(), domains: ['stolen.example'] };
    expect((await auth.ask('POST', path(), { as, body })).status).toBe(403);
  });

  test('is one connection’s in a tenant', async () => {
    await ask('POST', path(), { name: 'F', kind: 'oidc', oidc: oidc(), domains: ['taken.example'] });
    const again = await ask('POST', path(), { name: 'G', kind: 'oidc', oidc: oidc(), domains: ['taken.example'] });
    expect(again).toMatchObject({ status: 409, body: { code: 'domain_taken' } });
    for (const domain of ['', 'UPPER.example', 'no-dot', 'a..b', '*.example', 'x@y.example'])
      expect((await ask('POST', path(), { name: 'H', kind: 'oidc', oidc: oidc(), domains: [domain] })).status).toBe(
        400,
      );
  });
});

test('what another issuer signs opens nothing here', async () => {
  const { status, body } = await auth.ask<{ code: string }>('GET', path(), { as: callers.platform() });
  expect([status, body.code]).toEqual([401, 'token_invalid']);
});

describe('a preview of claims', () => {
  const preview = async (id: string, body: object) =>
    auth.ask<{ mapped: { subject: string } | null; problem: string | null }>(
      'POST',
      `/v1/tenants/${tenantId}/sso-connections/${id}:preview-claims`,
      { as: await auth.asPlatform(), body },
    );

  test('says what a mapping makes of them, by the one that is there or one that is not saved yet', async () => {
    const id = await auth.newConnection(tenantId, { name: 'Previewed' });
    const claims = { sub: 'ada', email: 'ada@acme.example', name: 'Ada', employee: '0042', groups: ['a'] };
    expect((await preview(id, { claims })).body).toEqual({
      mapped: { subject: 'ada', email: 'ada@acme.example', displayName: 'Ada' },
      person: { outcome: 'created', conflict: null },
      problem: null,
    });
    const identifier = { type: 'employee_id', attribute: 'employee', normalize: ['strip_leading_zeros'] };
    expect((await preview(id, { claims, identifier })).body.mapped?.subject).toBe('employee_id:42');
    expect((await preview(id, { claims: { sub: 'ada' }, identifier })).body).toEqual({
      mapped: null,
      person: null,
      problem: 'attribute_missing',
    });
  });

  test('says of an address that is not verified what a sign-in would', async () => {
    const id = await auth.newConnection(tenantId, { name: 'Previewed by address' });
    const identifier = { type: 'email', attribute: 'email' };
    const by = async (claims: object) =>
      (await preview(id, { claims: { sub: 'ada', email: 'ada@acme.example', ...claims }, identifier })).body;
    expect(await by({ email_verified: false })).toEqual({ mapped: null, person: null, problem: 'attribute_missing' });
    for (const said of [{}, { email_verified: true }, { email_verified: 'true' }])
      expect((await by(said)).mapped?.subject).toBe('email:ada@acme.example');
  });

  test('takes no more than anybody claims, and no expression that may not end', async () => {
    const id = await auth.newConnection(tenantId, { name: 'Previewed too' });
    expect((await preview(id, { claims: { a: 'x'.repeat(20_000) } })).status).toBe(400);
    const attributes = { email: { expression: 'claims.a.matches("(a+)+$")' } };
    expect((await preview(id, { claims: {}, attributes })).status).toBe(400);
  });
});

test('a tenant has two hundred connections at most, and deleting one makes room', async () => {
  const { tenantId: own } = await auth.newTenant();
  const url = `/v1/tenants/${own}/sso-connections`;
  const draft = () => ask('POST', url, { name: 'One of many', kind: 'oidc', oidc: oidc() });
  const made: string[] = [];
  for (let round = 0; round < 10; round += 1)
    made.push(...(await Promise.all(Array.from({ length: 20 }, draft))).map(({ body }) => body.id));
  expect(await draft()).toMatchObject({ status: 409, body: { code: 'connection_limit' } });
  await ask('DELETE', `${url}/${made[0]}`);
  expect((await draft()).status).toBe(201);
}, 60_000);

test('a change is rehearsed on what was said in the last week, which nobody is shown', async () => {
  const { tenantId: own } = await auth.newTenant();
  const id = await auth.newConnection(own);
  const application = await auth.newApplication(own);
  for (const [sub, employee] of Object.entries({ ada: '7', bob: '7', eve: undefined })) {
    auth.provider.is({ sub, email: `${sub}@acme.example`, ...(employee ? { employee } : {}), hidden: 'what was said' });
    await auth.signIn(application);
  }
  const url = `/v1/tenants/${own}/sso-connections/${id}`;
  const identifier = { type: 'employee_id', attribute: 'employee' };
  const before = await ask('GET', url);
  const { status, body } = await ask('POST', `${url}:rehearse`, { identifier });
  expect([status, body]).toEqual([
    200,
    {
      signIns: 3,
      failing: [expect.objectContaining({ cause: 'attribute_missing', count: 1, attempts: [expect.any(String)] })],
      renamed: 2,
      merged: 2,
    },
  ]);
  expect((await ask('GET', url)).body).toEqual(before.body);
  expect((await ask('POST', `${url}:rehearse`, { saml: {} })).status).toBe(400);
  const attempts = await ask('GET', `/v1/tenants/${own}/sign-in-attempts`);
  expect(JSON.stringify(attempts.body)).not.toContain('what was said');
  const other = await auth.newTenant();
  expect((await ask('POST', `/v1/tenants/${other.tenantId}/sso-connections/${id}:rehearse`, {})).status).toBe(404);
});
