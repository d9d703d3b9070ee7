import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
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
    // Events of one secret come in order: what is missing when the last one is there does not come any more.
    const requestsThatStored = () =>
      events
        .of(tenantId)
        .filter(({ type, data }) => type === 'secret.stored' && data.target.id === id)
        .map(({ correlationId }) => correlationId);
    const requestOf = ({ headers }: typeof made) => headers.get('reeve-request-id');
    await eventually('the new secret', () => requestsThatStored().includes(requestOf(taken) ?? ''));
    expect(requestsThatStored()).toEqual([requestOf(made), requestOf(taken)]);
  });

  test('that is deleted lets nobody in, and its secret is destroyed', async () => {
    const own = await auth.newTenant();
    const id = await auth.newConnection(own.tenantId);
    const app = await auth.newApplication(own.tenantId);
    auth.provider.is({ sub: 'ada' });
    expect((await auth.authorize(app)).code).not.toBeNull();
    expect((await ask('DELETE', `/v1/tenants/${own.tenantId}/sso-connections/${id}`)).status).toBe(204);
    expect((await auth.authorize(app)).page.text).toContain('There is no sign-in by that name');
    await events.seen(own.tenantId, 'secret.destroyed', id);
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
