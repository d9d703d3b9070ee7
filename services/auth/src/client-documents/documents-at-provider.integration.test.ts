// The provider with applications that nobody registered: who says that they are taken, how they prove themselves, and
// which ways round the rules there are.
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, platformTenantId, type TenantId } from '@reeve/contracts';
import {
  createBrowser,
  type EventReader,
  eventually,
  newProviderKey,
  type ProviderKey,
  readEvents,
  signedBy,
} from '@reeve/testing';
import { calculateJwkThumbprint, decodeJwt } from 'jose';
import { startThirdParties, type ThirdParties } from '../application-grants/third-parties.test-support.ts';
import type { Application, Auth } from '../auth.test-support.ts';
import { exchanging, typeOf } from '../openid-provider/token-exchange.test-support.ts';

let third: ThirdParties;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let slug: string;
let api: { id: string; resource: string };

beforeAll(async () => {
  third = await startThirdParties();
  ({ auth } = third);
  events = await readEvents('reeve.auth.v1');
  await third.say([third.host]);
  ({ tenantId, slug } = await third.newTenant());
  api = await third.newApi({ claims: ['email', 'name', 'roles'] });
}, 60_000);
afterAll(async () => {
  await events.stop();
  await third.stop();
});
beforeEach(() => auth.provider.is({ sub: newId('request'), email: 'ada@acme.example', name: 'Ada' }));

const asked = (more: object = {}) => ({ tenant: slug, resource: api.resource, scope: 'openid notes:read', ...more });
const isAsked = ({ text }: { text: string }) => text.includes('name="consent"');
const publicOf = ({ jwk: { kty, crv, x, y, kid } }: ProviderKey) => ({ kty, crv, x, y, kid });

describe('that documents are taken', () => {
  const said = async (path: string) =>
    ((await (await fetch(`${auth.url}/.well-known/${path}`)).json()) as Record<string, unknown>)[
      'client_id_metadata_document_supported'
    ];
  const both = () => Promise.all(['openid-configuration', 'oauth-authorization-server'].map(said));

  test('is said as long as it is so, and nothing is fetched where it is not', async () => {
    expect(await both()).toEqual([true, true]);
    await third.say([]);
    expect(await both()).toEqual([undefined, undefined]);
    const application = third.publish();
    const { page } = await third.authorize(application, asked());
    expect([page.status, page.text.includes('invalid_client')]).toEqual([400, true]);
    expect(third.server.asked(application.path)).toBe(0);
    await third.say([third.host]);
    expect(isAsked((await third.authorize(application, asked())).page)).toBe(true);
  });

  test('is for the platform to say, and for a tenant within that, and on the record', async () => {
    const { tenantId: other } = await third.newTenant([]);
    expect(await third.say(['app.example'], other)).toMatchObject({
      status: 400,
      body: { code: 'input_invalid', errors: [{ field: 'hosts' }] },
    });
    expect((await third.say(['https://x'], other)).status).toBe(400);
    expect(await third.say([third.host], other)).toMatchObject({ status: 200, body: { hosts: [third.host] } });
    const as = await auth.asPlatform();
    const path = `/v1/tenants/${other}/client-document-policy`;
    expect((await auth.ask('GET', path, { as })).body).toEqual({ hosts: [third.host] });
    const stale = await auth.ask('PUT', path, { as, body: { hosts: [] }, headers: { 'if-match': '"7"' } });
    expect(stale.status).toBe(412);
    const told = (of: TenantId) =>
      events.of(of).filter(({ type, data }) => type === 'policy.updated' && data.target.id === 'client-documents');
    await eventually('it is on the record', () => told(other).length === 1);
    expect(told(other)[0]?.data).toMatchObject({ details: { kind: 'client-documents', changed: ['hosts'] } });
    expect(told(platformTenantId).length).toBeGreaterThan(0);
  });

  test('is said by no person, and by no application that nobody registered', async () => {
    const own = await auth.newApplication(tenantId);
    const { tokens } = await auth.signIn(own, { resource: auth.url });
    const as = tokens['access_token'] ?? '';
    for (const path of ['/v1/client-document-policy', `/v1/tenants/${tenantId}/client-document-policy`])
      expect((await auth.ask('PUT', path, { as, body: { hosts: [] } })).status).toBe(403);
    expect((await auth.ask('GET', `/v1/tenants/${tenantId}/application-grants`, { as })).status).toBe(403);
  });

  test('has no registered application in its way: none has a URL as its id', async () => {
    const as = await auth.asPlatform();
    const body = { name: 'x', clientId: 'https://app.example/client.json' };
    const { status } = await auth.ask('POST', `/v1/tenants/${tenantId}/applications`, { as, body });
    expect(status).toBe(400);
    expect((await auth.newApplication(tenantId)).id).toMatch(/^cli_/);
  });
});

describe('an application with a key', () => {
  let key: ProviderKey;
  beforeAll(async () => {
    key = await newProviderKey('ES256');
  });
  const assertion = (application: Application, by: ProviderKey) => {
    const seconds = Math.floor(Date.now() / 1_000);
    const said = { iss: application.id, sub: application.id, aud: auth.url, jti: randomUUID() };
    return signedBy(by, { ...said, iat: seconds, exp: seconds + 60 }, {});
  };
  async function proven(application: Application, by: ProviderKey | null) {
    const { browser, page, verifier } = await third.authorize(application, { ...asked() });
    const { url } = page.status === 0 ? page : await third.answer(browser, page, 'yes');
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const proof = by && { client_assertion_type: type, client_assertion: await assertion(application, by) };
    return third.exchange(application, { code: url.searchParams.get('code'), verifier }, { ...proof });
  }

  test('has to prove itself by that one', async () => {
    const application = third.publish({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [publicOf(key)] },
    });
    expect(await proven(application, key)).toMatchObject({ status: 200 });
    const wrong = { status: 401, body: { error: 'invalid_client' } };
    const { kid } = key.jwk;
    const other = await newProviderKey('ES256');
    expect(await proven(application, { ...other, jwk: { ...other.jwk, kid } } as ProviderKey)).toMatchObject(wrong);
    expect(await proven(application, null)).toMatchObject(wrong);
  });

  test.each(['https://169.254.169.254/jwks', 'https://10.0.0.1/jwks', 'https://[::ffff:127.0.0.1]/jwks'])(
    'whose keys are at %s has none',
    async jwks_uri => {
      const application = third.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri });
      expect(await proven(application, key)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    },
  );
});

test('keys of an application that nobody registered are not looked for inside, where those of others are', async () => {
  let connections = 0;
  const inside = createTcpServer(socket => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>(resolve => inside.listen(0, '127.0.0.1', () => resolve()));
  const jwksUri = `https://127.0.0.1:${(inside.address() as AddressInfo).port}/jwks`;
  const open = await startThirdParties({ REEVE_ALLOWED_NETWORKS: 'applications=127.0.0.1' });
  await open.say([open.host]);
  const key = await newProviderKey('ES256');
  const triesBy = async (application: Application) => {
    const seconds = Math.floor(Date.now() / 1_000);
    const said = { iss: application.id, sub: application.id, aud: open.auth.url, jti: randomUUID() };
    const assertion = await signedBy(key, { ...said, iat: seconds, exp: seconds + 60 }, {});
    connections = 0;
    const { status } = await fetch(`${open.auth.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: application.id,
        grant_type: 'refresh_token',
        refresh_token: 'x',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    });
    return [status, connections > 0];
  };
  const registered = await open.auth.newApplication(null, {
    kind: 'web',
    authentication: { method: 'private_key_jwt', jwksUri },
  });
  expect(await triesBy(registered)).toEqual([401, true]);
  const document = open.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: jwksUri });
  expect(await triesBy(document)).toEqual([401, false]);
  await open.stop();
  inside.close();
});

test('one that wants its tokens bound to a key gets no others', async () => {
  const application = third.publish({ dpop_bound_access_tokens: true });
  const browser = createBrowser();
  const key = await newProviderKey('ES256');
  const { kid: _, ...jwk } = publicOf(key);
  const jkt = await calculateJwkThumbprint(jwk as never);
  const { page, verifier } = await third.authorize(application, { browser, ...asked({ dpop_jkt: jkt }) });
  const { url } = await third.answer(browser, page, 'yes');
  const given = { code: url.searchParams.get('code'), verifier };
  expect(await third.exchange(application, given)).toMatchObject({ status: 400 });
  const send = async (nonce: string | null) => {
    const said = { jti: randomUUID(), iat: Math.floor(Date.now() / 1_000), htm: 'POST', htu: `${auth.url}/token` };
    const proof = await signedBy(
      key,
      { ...said, ...(nonce ? { nonce } : {}) },
      { typ: 'dpop+jwt', jwk, kid: undefined },
    );
    return fetch(`${auth.url}/token`, {
      method: 'POST',
      headers: { dpop: proof },
      body: new URLSearchParams({
        client_id: application.id,
        grant_type: 'authorization_code',
        code: given.code ?? '',
        redirect_uri: 'https://notes.example/callback',
        code_verifier: verifier,
      }),
    });
  };
  const first = await send(null);
  const answer = await send(first.headers.get('dpop-nonce'));
  const body = (await answer.json()) as Record<string, string>;
  expect([answer.status, body['token_type']]).toEqual([200, 'DPoP']);
  expect(decodeJwt(body['access_token'] ?? '')['cnf']).toEqual({ jkt });
});

describe('a way round the page', () => {
  test('is none that a pushed request goes: it is shown what was pushed', async () => {
    const application = third.publish();
    const { url, verifier } = auth.authorizationUrl(application, {
      ...asked(),
      redirect_uri: 'https://notes.example/callback',
    });
    const pushed = await fetch(`${auth.url}/request`, { method: 'POST', body: url.searchParams });
    expect(pushed.status).toBe(201);
    const { request_uri: uri } = (await pushed.json()) as { request_uri: string };
    const browser = createBrowser();
    const query = new URLSearchParams({ client_id: application.id, request_uri: uri });
    const page = await browser.open(`${auth.url}/auth?${query}`, 'https://notes.example/callback');
    expect(page.text).toContain('Read your notes');
    const arrived = await third.answer(browser, page, 'yes');
    const code = arrived.url.searchParams.get('code');
    expect((await third.exchange(application, { code, verifier })).status).toBe(200);
  });

  test('is no other address of the same document', async () => {
    const there = 'https://elsewhere.example/callback';
    const application = third.publish({ redirect_uris: ['https://notes.example/callback', there] });
    const { browser } = await third.allow(application, asked());
    const { page } = await third.authorize(application, { browser, redirectUri: there, ...asked() });
    expect([isAsked(page), page.text.includes('elsewhere.example')]).toEqual([true, true]);
    await third.allow(application, { browser, redirectUri: there, ...asked() });
    // Both are known now.
    expect((await third.authorize(application, { browser, ...asked() })).code).toEqual(expect.any(String));
  });

  test('is no code from before it was withdrawn', async () => {
    const application = third.publish();
    const { browser, tokens } = await third.allow(application, asked());
    const [one, other] = [
      await third.authorize(application, { browser, ...asked() }),
      await third.authorize(application, { browser, ...asked() }),
    ];
    expect((await third.exchange(application, one)).status).toBe(200);
    const id = String(decodeJwt(tokens['access_token'] ?? '')['grant_id']);
    const as = await auth.asPlatform();
    await auth.ask('DELETE', `/v1/tenants/${tenantId}/application-grants/${id}`, { as });
    expect(await third.exchange(application, other)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('is not what another tenant’s administrator withdraws', async () => {
    const { tokens } = await third.allow(third.publish(), asked());
    const id = String(decodeJwt(tokens['access_token'] ?? '')['grant_id']);
    const other = await third.newTenant();
    const as = await auth.asPlatform();
    const at = (of: TenantId) => `/v1/tenants/${of}/application-grants/${id}`;
    expect((await auth.ask('DELETE', at(other.tenantId), { as })).status).toBe(404);
    expect((await auth.ask('DELETE', at(tenantId), { as })).status).toBe(204);
  });

  test('is no other API when a code is used or a token refreshed', async () => {
    const another = await third.newApi();
    const application = third.publish();
    const browser = createBrowser();
    await third.allow(application, { browser, ...asked() });
    const { code, verifier } = await third.authorize(application, { browser, ...asked() });
    const elsewhere = { resource: another.resource };
    expect((await third.exchange(application, { code, verifier }, elsewhere)).body['error']).toBe('invalid_target');
    const { tokens } = await third.allow(application, { browser, ...asked() });
    const refreshed = await auth.token(application, {
      grant_type: 'refresh_token',
      refresh_token: tokens['refresh_token'] ?? '',
      ...elsewhere,
    });
    expect(refreshed.body['error']).toBe('invalid_target');
    expect((await auth.refresh(application, tokens['refresh_token'] ?? '')).status).toBe(200);
  });

  test('is no token that another application refreshes', async () => {
    const [application, thief] = [third.publish(), third.publish()];
    const { tokens } = await third.allow(application, asked());
    const token = tokens['refresh_token'] ?? '';
    expect(await auth.refresh(thief, token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await auth.refresh(application, token)).status).toBe(200);
  });
});

test('what the API is told of people of ours is not told to others', async () => {
  const { tokens } = await third.allow(third.publish(), asked());
  const claims = decodeJwt(tokens['access_token'] ?? '');
  for (const name of ['email', 'name', 'roles', 'areas']) expect(claims).not.toHaveProperty(name);
  const own = await auth.newApplication(null);
  const ofOurs = await auth.signIn(own, asked());
  expect(decodeJwt(ofOurs.tokens['access_token'] ?? '')).toMatchObject({ email: 'ada@acme.example', name: 'Ada' });
});

test('an API cannot go on to the next one with such a token, and can with that of an application of ours', async () => {
  const at = exchanging(auth);
  const exchanger = await at.newExchanger();
  const scopes = [{ name: 'x', requires: ['notes:read'] }];
  const exchangePolicies = [{ by: [exchanger.id], from: [api.resource], scopes }];
  const next = await at.newApi({ scopes: [{ name: 'x' }], exchangePolicies });
  const form = { subject_token_type: typeOf('access_token') };
  const ours = await auth.signIn(await auth.newApplication(null), asked());
  const asking = (subject = '') => ({ subject, resource: next.resource, form });
  const good = await at.exchange(exchanger, asking(ours.tokens['access_token']));
  expect([good.status, good.body]).toMatchObject([200, {}]);
  const { tokens } = await third.allow(third.publish(), asked());
  const refused = await at.exchange(exchanger, asking(tokens['access_token']));
  expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_request']);
});

test('whoever names one address after the other waits, and others do not', async () => {
  const limited = await startThirdParties({ REEVE_RATE_LIMITS: 'on', REEVE_TRUST_PROXY: '1' });
  try {
    await limited.say([limited.host]);
    const ask = async (id: string, from: string) => {
      const query = new URLSearchParams({ client_id: id, response_type: 'code' });
      return (await fetch(`${limited.auth.url}/auth?${query}`, { headers: { 'x-forwarded-for': from } })).status;
    };
    for (let tried = 0; tried < 30; tried += 1)
      expect(await ask(`${limited.server.origin}/x${tried}`, '198.51.100.7')).toBe(400);
    expect(await ask(`${limited.server.origin}/another`, '198.51.100.7')).toBe(429);
    expect(limited.server.asked('/another')).toBe(0);
    expect(await ask(`${limited.server.origin}/another`, '198.51.100.8')).toBe(400);
    expect(limited.server.asked('/another')).toBe(1);
  } finally {
    await limited.stop();
  }
}, 60_000);
