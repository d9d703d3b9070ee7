// What the Model Context Protocol (authorization, 2026-07-28) asks of an authorization server, and each way round it beside
// what is let through.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBrowser } from '@reeve/testing';
import { decodeJwt } from 'jose';
import { startThirdParties, type ThirdParties } from '../../application-grants/third-parties.test-support.ts';
import type { Application, Auth } from '../../auth.test-support.ts';

let third: ThirdParties;
let auth: Auth;
let slug: string;
let server: string;
let other: string;
let client: Application;
const callback = 'http://127.0.0.1:4711/callback';

beforeAll(async () => {
  third = await startThirdParties();
  ({ auth } = third);
  await third.say([third.host]);
  const tenant = await third.newTenant();
  slug = tenant.slug;
  ({ resource: server } = await third.newApi({ applications: 'all' }));
  ({ resource: other } = await third.newApi({ applications: 'all' }));
  client = await auth.newApplication(tenant.tenantId, { kind: 'native', redirectUris: ['http://127.0.0.1/callback'] });
  auth.provider.is({ sub: 'ada', email: 'ada@acme.example', name: 'Ada' });
}, 60_000);
afterAll(() => third.stop());

/** `resources` as they stand in the request, one after the other. */
async function ask(resources: readonly string[], { redirectUri = callback, application = client } = {}) {
  const { url, verifier } = auth.authorizationUrl(application, {
    tenant: slug,
    scope: 'notes:read',
    redirect_uri: redirectUri,
  });
  for (const resource of resources) url.searchParams.append('resource', resource);
  const browser = createBrowser();
  const page = await browser.open(url, redirectUri);
  return { page, browser, verifier, said: page.url.searchParams };
}

async function exchange(asked: Awaited<ReturnType<typeof ask>>, resources: readonly string[], redirectUri = callback) {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: client.id,
    code: asked.said.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: asked.verifier,
  });
  for (const resource of resources) body.append('resource', resource);
  const answer = await fetch(`${auth.url}/token`, { method: 'POST', body });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

test('the metadata says one issuer, at both places, and what a client may not do without', async () => {
  for (const path of ['oauth-authorization-server', 'openid-configuration']) {
    const metadata = await (await fetch(`${auth.url}/.well-known/${path}`)).json();
    expect(metadata).toMatchObject({
      issuer: auth.url,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
    });
    expect(metadata).not.toHaveProperty('registration_endpoint');
  }
  // Nobody fills the list of applications, and there is no issuer below another path.
  expect((await fetch(`${auth.url}/reg`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${auth.url}/.well-known/oauth-authorization-server/`)).status).not.toBe(500);
  for (const path of ['/.well-known/oauth-authorization-server/other', '/other/.well-known/openid-configuration'])
    expect((await fetch(auth.url + path)).status).toBe(404);
});

describe('the server that a token is for', () => {
  test('is the one that is named, letter for letter, in both requests', async () => {
    const good = await ask([server]);
    const { status, body } = await exchange(good, [server]);
    expect([status, decodeJwt(body['access_token'] ?? '')['aud']]).toEqual([200, server]);
    const { origin, host } = new URL(server);
    for (const wrong of [
      `${server}/`,
      `${server}#x`,
      `${server}#`,
      `${server}?x`,
      origin.toUpperCase(),
      `${origin}:8443`,
      `http://${host}`,
      'notes',
    ]) {
      const { said } = await ask([wrong]);
      expect([wrong, said.get('code'), said.get('iss')]).toEqual([wrong, null, auth.url]);
      const refused = await exchange(await ask([server]), [wrong]);
      expect([wrong, refused.status, refused.body['access_token']]).toEqual([wrong, 400, undefined]);
    }
  });

  test('is one, and no other than at first', async () => {
    const both = await ask([server, other]);
    for (const resources of [[server, other], []])
      expect((await exchange(await ask([server, other]), resources)).body['error']).toBe('invalid_target');
    // RFC 8707 §2.2: of several that were agreed to it may be one.
    expect(decodeJwt((await exchange(both, [other])).body['access_token'] ?? '')['aud']).toBe(other);
    const refused = await exchange(await ask([server]), [other]);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target']);
    expect((await exchange(await ask([server]), [server])).status).toBe(200);
    // What was agreed to holds where the second request says nothing.
    const { body } = await exchange(await ask([server]), []);
    expect(decodeJwt(body['access_token'] ?? '')['aud']).toBe(server);
  });

  test('is none where none is named, so that no other one takes the token', async () => {
    const { said } = await ask([]);
    expect([said.get('code'), said.get('error')]).toEqual([null, 'access_denied']);
  });
});

describe('where people are sent back to', () => {
  test.each([
    ['http://127.0.0.1:4711/callback', true],
    ['http://127.0.0.1:1/callback', true],
    ['http://127.0.0.1/callback', true],
    ['http://127.0.0.1:4711/callback/', false],
    ['http://127.0.0.1:4711/elsewhere', false],
    ['https://127.0.0.1:4711/callback', false],
    ['http://127.0.0.2:4711/callback', false],
    ['http://127.0.0.1.evil.example:4711/callback', false],
    ['http://evil.example/callback', false],
  ])('%s: %p', async (redirectUri, isTaken) => {
    const document = third.publish({ redirect_uris: ['http://127.0.0.1/callback'] });
    const registered = await ask([server], { redirectUri });
    const unregistered = await ask([server], { redirectUri, application: document });
    expect(registered.said.has('code')).toBe(isTaken);
    expect(unregistered.page.text.includes('name="consent"')).toBe(isTaken);
    if (!isTaken) expect([registered.page.status, unregistered.page.status]).toEqual([400, 400]);
  });

  test('is told with the issuer, also of an error, and with the state as it came', async () => {
    const good = await ask([server]);
    expect([good.said.getAll('iss'), good.said.getAll('state')]).toEqual([[auth.url], ['a-state']]);
    const bad = await ask(['https://nobody.example']);
    expect([bad.said.get('error'), bad.said.getAll('iss')]).toEqual(['invalid_target', [auth.url]]);
  });

  test('is shown to whoever is asked, with a warning where it is a program on their own computer alone', async () => {
    const pages = await Promise.all(
      [callback, 'https://desk.example/callback'].map(async redirectUri => {
        const application = third.publish({
          redirect_uris: ['http://127.0.0.1/callback', 'https://desk.example/callback'],
        });
        return (await ask([server], { redirectUri, application })).page.text;
      }),
    );
    expect(pages[0]).toMatch(/class="error"><strong>[^<]*127\.0\.0\.1:4711/);
    expect(pages[1]).toContain('<strong>desk.example</strong>');
    expect(pages[1]).not.toContain('class="error"');
    for (const page of pages) expect(page).toContain(new URL(third.server.origin).host);
  });
});
