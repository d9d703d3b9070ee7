// The certification plan fapi2-security-profile-final of the OpenID Foundation's conformance suite, read at 12f2a4dac
// (2026-08-20), with private_key_jwt, DPoP and OpenID Connect, module by module under their names. What is here is ours:
// the suite itself is not run. Not shown: TLS, and what is refused only after a minute (codes and pushed requests of
// more than sixty seconds: the library looks at the time that is in them).
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createBrowser, newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import type { Application } from '../../auth.test-support.ts';
import { type Parameters, pause, pkce, type RelyingParty, startRelyingParty } from './relying-party.test-support.ts';

type Client = { application: Application; key: ProviderKey; dpop: ProviderKey };
type Form = Record<string, string | undefined>;
type Pushed = { status: number; body: Record<string, string> };

let rp: RelyingParty;
let one: Client;
let two: Client;

beforeAll(async () => {
  rp = await startRelyingParty();
  [one, two] = [await newClient(), await newClient()];
}, 60_000);
afterAll(() => rp.stop());
beforeEach(() => rp.auth.provider.is({ sub: 'ada' }));

const dummy = () => `${rp.callback}?dummy1=lorem&dummy2=ipsum`;
const now = () => Math.floor(Date.now() / 1_000);

async function newClient(alg = 'ES256'): Promise<Client> {
  const [key, dpop] = [await newProviderKey(alg, { extractable: true }), await newProviderKey('ES256')];
  const application = await rp.newClient({
    securityProfile: 'fapi2',
    authentication: { method: 'private_key_jwt', jwks: { keys: [key.jwk] } },
    dpopRequired: true,
    pkceRequired: true,
    redirectUris: [rp.callback, dummy()],
    areas: ['sessions'],
    defaultResource: rp.auth.url,
  });
  return { application, key, dpop };
}

const assertion = ({ application: { id }, key }: Client, claims: object = {}, header: object = {}) =>
  signedBy(
    key,
    { iss: id, sub: id, aud: rp.auth.url, jti: randomUUID(), iat: now(), nbf: now(), exp: now() + 60, ...claims },
    header,
  );
const authenticated = async (client: Client, claims: object = {}): Promise<Form> => ({
  client_id: client.application.id,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: await assertion(client, claims),
});

const publicOf = ({ jwk: { kty, crv, x, y } }: ProviderKey) => ({ kty, crv, x, y });
const thumbprintOf = (key: ProviderKey) => calculateJwkThumbprint(publicOf(key) as never);
function proof(key: ProviderKey, method: string, url: string, claims: object = {}, header: object = {}) {
  const said = { jti: randomUUID(), iat: now(), htm: method, htu: url, ...claims };
  return signedBy(key, said, { typ: 'dpop+jwt', jwk: publicOf(key), kid: undefined, ...header });
}

const sent = (form: Form): Record<string, string> =>
  Object.fromEntries(Object.entries(form).filter((pair): pair is [string, string] => pair[1] !== undefined));

type Push = { client?: Client; headers?: Record<string, string>; authentication?: Form };

/** `verifier` and what else the rest of the flow needs. */
async function push(parameters: Form = {}, { client = one, headers = {}, authentication }: Push = {}) {
  const { verifier, challenge } = pkce();
  const form = {
    response_type: 'code',
    scope: 'openid',
    redirect_uri: rp.callback,
    state: randomBytes(16).toString('hex'),
    nonce: randomBytes(16).toString('hex'),
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...parameters,
  };
  const by = authentication ?? (await authenticated(client));
  const { status, body } = await rp.post('/request', sent({ ...form, ...by }), headers);
  return { client, form, verifier, pushed: { status, body } as Pushed };
}

type PushedRequest = Awaited<ReturnType<typeof push>>;

/** The browser with the reference, and what the suite repeats beside it. */
async function visit({ client, form, pushed }: PushedRequest, more: Parameters = {}, browser = createBrowser()) {
  expect([pushed.status, pushed.body]).toEqual([201, expect.objectContaining({ request_uri: expect.any(String) })]);
  const url = new URL(`${rp.auth.url}/auth`);
  const beside = { response_type: 'code', scope: 'openid', redirect_uri: form.redirect_uri, ...more };
  const query = { client_id: client.application.id, request_uri: pushed.body['request_uri'], ...beside };
  url.search = new URLSearchParams(sent(query)).toString();
  const before = rp.came.length;
  const page = await browser.open(url);
  return { page, browser, query: rp.came[before]?.query ?? null };
}

async function codeOf(request: PushedRequest, more: Parameters = {}): Promise<string> {
  const { query, page } = await visit(request, more);
  if (!query) throw new Error(`nothing came back: ${page.text.slice(0, 600)}`);
  expect([query.get('error'), query.get('iss'), query.get('state') ?? undefined]).toEqual([
    null,
    rp.auth.url,
    request.form.state,
  ]);
  return query.get('code') ?? '';
}

type Redeem = { client?: Client; key?: ProviderKey | null; proofClaims?: object; authentication?: Form; more?: Form };

/** Tries once more with the nonce that it is given, as the suite does. */
async function tokenFor(
  form: Form,
  { client = one, key = client.dpop, proofClaims = {}, authentication, more = {} }: Redeem = {},
) {
  const attempt = async (nonce: string | null) => {
    const claims = { ...proofClaims, ...(nonce === null ? {} : { nonce }) };
    const headers = key === null ? {} : { dpop: await proof(key, 'POST', `${rp.auth.url}/token`, claims) };
    const by = authentication ?? (await authenticated(client));
    return rp.post('/token', sent({ ...form, ...by, ...more }), headers as Record<string, string>);
  };
  const first = await attempt(null);
  return first.body['error'] === 'use_dpop_nonce' ? attempt(first.headers.get('dpop-nonce')) : first;
}

const redeem = (request: PushedRequest, code: string, options: Redeem = {}) =>
  tokenFor(
    {
      grant_type: 'authorization_code',
      code,
      redirect_uri: request.form.redirect_uri,
      code_verifier: request.verifier,
    },
    { client: request.client, ...options },
  );

/** The resource server of the suite is one of ours. */
const resource = () => `${rp.auth.url}/v1/me/sessions`;
async function use(
  token: string,
  { key = one.dpop, scheme = 'DPoP', claims = {} }: { key?: ProviderKey; scheme?: string; claims?: object } = {},
) {
  const ath = createHash('sha256').update(token).digest('base64url');
  const dpop = await proof(key, 'GET', resource(), { ath, ...claims });
  return fetch(resource(), { headers: { authorization: `${scheme} ${token}`, dpop } });
}

/** The whole of it, with every check. */
async function flow(
  parameters: Form = {},
  { client = one, pushing = {}, redeeming = {} }: { client?: Client; pushing?: Push; redeeming?: Redeem } = {},
) {
  const request = await push(parameters, { client, ...pushing });
  expect(Number(request.pushed.body['expires_in'])).toBeGreaterThanOrEqual(5);
  const code = await codeOf(request);
  const { status, body } = await redeem(request, code, redeeming);
  expect([status, body['token_type']]).toEqual([200, 'DPoP']);
  const claims = await rp.checkIdToken(body['id_token'] ?? '', {
    nonce: request.form.nonce ?? null,
    client: client.application,
  });
  expect(['PS256', 'ES256', 'EdDSA']).toContain(decodeProtectedHeader(body['id_token'] ?? '').alg);
  const used = await use(body['access_token'] ?? '', { key: client.dpop });
  expect([used.status, Math.abs(Date.parse(used.headers.get('date') ?? '') - Date.now()) < 5_000]).toEqual([200, true]);
  return { request, code, tokens: body, claims };
}

const name = (module: string) => `fapi2-security-profile-final-${module}`;
const clientRefused = ({ status, body }: Pushed | Awaited<ReturnType<typeof tokenFor>>) =>
  [`${status} ${body['error']}`].every(found =>
    ['401 invalid_client', '400 invalid_client', '400 invalid_request'].includes(found),
  );

describe('fapi2-security-profile-final-test-plan', () => {
  test(name('discovery-end-point-verification'), async () => {
    const found = await (await fetch(`${rp.auth.url}/.well-known/openid-configuration`)).json();
    expect(found).toMatchObject({
      authorization_response_iss_parameter_supported: true,
      pushed_authorization_request_endpoint: `${rp.auth.url}/request`,
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256', 'EdDSA']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt']),
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      code_challenge_methods_supported: ['S256'],
    });
  });

  test(name('happy-flow'), async () => {
    const first = await flow();
    const jkt = { dpop_jkt: await thumbprintOf(two.dpop) };
    const second = await flow(
      { redirect_uri: dummy(), state: 'x'.repeat(128), nonce: 'n'.repeat(43), ...jkt },
      { client: two },
    );
    expect(rp.came.at(-1)?.query.get('dummy1')).toBe('lorem');
    const { access_token: token = '' } = second.tokens;
    expect((await fetch(`${resource()}?access_token=${first.tokens['access_token']}`)).status).toBe(401);
    expect((await use(token, { key: one.dpop })).status).toBe(401);
  });

  test(name('user-rejects-authentication'), async () => {
    const request = await push({ state: 'x'.repeat(128), redirect_uri: dummy() });
    rp.auth.provider.refuses('access_denied');
    const { page, browser } = await visit(request);
    rp.auth.provider.is({ sub: 'ada' });
    // The person goes back to the application from the page that says so.
    const before = rp.came.length;
    const [, leave = ''] = /href="([^"]*\/leave)"/.exec(page.text) ?? [];
    await browser.open(new URL(leave, rp.auth.url));
    const query = rp.came[before]?.query;
    expect([query?.get('error'), query?.get('state'), query?.get('dummy2')]).toEqual([
      'access_denied',
      'x'.repeat(128),
      'ipsum',
    ]);
  });

  test.each<[string, Form]>([
    ['ensure-authorization-request-without-state-success', { state: undefined }],
    ['ensure-authorization-request-without-nonce-success', { nonce: undefined }],
    ['ensure-authorization-request-with-64-char-nonce-success', { nonce: 'n'.repeat(64) }],
    ['ensure-other-scope-order-succeeds', { scope: 'email openid' }],
    ['ensure-authorization-request-with-long-nonce', { nonce: 'n'.repeat(384) }],
    ['ensure-authorization-request-with-long-state', { state: 's'.repeat(1_000) }],
    [
      'test-claims-parameter-identity-claims',
      { claims: JSON.stringify({ id_token: { email: null, unknown: null }, userinfo: { name: null } }) },
    ],
  ])(`${name('')}%s`, async (_, parameters) => {
    await flow(parameters);
  });

  test(name('access-token-type-header-case-sensitivity'), async () => {
    const { tokens } = await flow();
    expect((await use(tokens['access_token'] ?? '', { scheme: 'dpOp' })).status).toBe(200);
  });

  test.each<[string, () => object]>([
    ['check-dpop-proof-nbf-exp', () => ({ nbf: now(), exp: now() + 300 })],
    ['ensure-dpopproof-with-iat-10seconds-before-succeeds', () => ({ iat: now() - 10 })],
    ['ensure-dpopproof-with-iat-10seconds-after-succeeds', () => ({ iat: now() + 8 })],
  ])(`${name('')}%s`, async (_, claims) => {
    const { tokens } = await flow({}, { redeeming: { proofClaims: claims() } });
    expect((await use(tokens['access_token'] ?? '', { claims: claims() })).status).toBe(200);
  });

  describe('a key that is said beforehand', () => {
    const atPar = (key: ProviderKey) => proof(key, 'POST', `${rp.auth.url}/request`);
    const otherKey = async () => ({ dpop_jkt: await thumbprintOf(two.dpop) });

    /** With the nonce that is asked for, where one is. */
    async function pushWithProof(parameters: Form, key: ProviderKey) {
      const first = await push(parameters, { headers: { dpop: await atPar(key) } });
      if (first.pushed.body['error'] !== 'use_dpop_nonce') return first;
      const form = sent({ ...first.form, ...(await authenticated(one)) });
      const asked = await rp.post('/request', form, { dpop: await atPar(key) });
      const nonce = asked.headers.get('dpop-nonce');
      return push(parameters, { headers: { dpop: await proof(key, 'POST', `${rp.auth.url}/request`, { nonce }) } });
    }

    test(name('ensure-mismatched-dpop-jkt-fails'), async () => {
      const { pushed } = await pushWithProof(await otherKey(), one.dpop);
      expect([pushed.status, ['invalid_request', 'invalid_dpop_proof'].includes(pushed.body['error'] ?? '')]).toEqual([
        400,
        true,
      ]);
    });

    test(name('ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt'), async () => {
      const request = await pushWithProof({}, one.dpop);
      const refused = await redeem(request, await codeOf(request), { key: two.dpop });
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    test(name('ensure-token-endpoint-fails-with-mismatched-dpop-jkt'), async () => {
      const request = await push(await otherKey());
      const refused = await redeem(request, await codeOf(request));
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    test(name('ensure-dpopproof-at-par-endpoint-binding-success'), async () => {
      const request = await pushWithProof({}, one.dpop);
      expect((await redeem(request, await codeOf(request))).status).toBe(200);
    });

    test(name('ensure-dpop-auth-code-binding-success'), async () => {
      const request = await pushWithProof({ dpop_jkt: await thumbprintOf(one.dpop) }, one.dpop);
      expect((await redeem(request, await codeOf(request))).status).toBe(200);
    });
  });

  describe('what stands beside a pushed request', () => {
    test(name('ensure-different-nonce-inside-and-outside-request-object'), async () => {
      const request = await push();
      const { body } = await redeem(request, await codeOf(request, { nonce: 'another' }));
      await rp.checkIdToken(body['id_token'] ?? '', { nonce: request.form.nonce, client: one.application });
    });

    test(name('ensure-different-state-inside-and-outside-request-object'), async () => {
      await codeOf(await push(), { state: 'another' });
    });

    test(name('state-only-outside-request-object-not-used'), async () => {
      const { query } = await visit(await push({ state: undefined }), { state: 'outside' });
      expect([query?.has('code'), query?.has('state')]).toEqual([true, false]);
    });

    test(name('par-without-duplicate-parameters'), async () => {
      await codeOf(await push(), { response_type: undefined, scope: undefined, redirect_uri: undefined });
    });
  });

  describe('a request that is not pushed as it has to be', () => {
    const refusedPush = async (parameters: Form, errors: readonly string[]) => {
      const { pushed } = await push(parameters);
      expect([pushed.status, errors.includes(pushed.body['error'] ?? '')]).toEqual([400, true]);
    };

    test.each<[string, () => Form, string[]]>([
      ['ensure-request-object-without-redirect-uri-fails', () => ({ redirect_uri: undefined }), ['invalid_request']],
      ['ensure-redirect-uri-in-authorization-request', () => ({ redirect_uri: undefined }), ['invalid_request']],
      [
        'plain-fapi-tolerate-unregistered-redirect-uri',
        () => ({ redirect_uri: `${rp.callback}/other` }),
        ['invalid_request', 'invalid_redirect_uri'],
      ],
      [
        'ensure-response-type-code-idtoken-fails',
        () => ({ response_type: 'code id_token' }),
        ['unsupported_response_type'],
      ],
      ['ensure-response-type-token-fails', () => ({ response_type: 'token' }), ['unsupported_response_type']],
      [
        'par-authorization-request-containing-request_uri-form-param',
        () => ({ request_uri: 'urn:ietf:params:oauth:request_uri:x' }),
        ['invalid_request', 'request_uri_not_supported'],
      ],
      [
        'par-ensure-pkce-required',
        () => ({ code_challenge: undefined, code_challenge_method: undefined }),
        ['invalid_request'],
      ],
      ['par-plain-pkce-rejected', () => ({ code_challenge_method: 'plain' }), ['invalid_request']],
    ])(`${name('')}%s`, async (_, parameters, errors) => {
      await refusedPush(parameters(), errors);
    });

    test(name('ensure-unsigned-authorization-request-without-using-par-fails'), async () => {
      const { challenge } = pkce();
      const asked = { code_challenge: challenge, code_challenge_method: 'S256' };
      await rp.expectError(asked, ['invalid_request'], { client: one.application });
    });

    test(name('par-attempt-invalid-http-method'), async () => {
      expect((await fetch(`${rp.auth.url}/request`, { method: 'PUT' })).status).toBe(405);
    });

    test.each<[string, () => object]>([
      [
        'par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails',
        () => ({ iat: now() + 62, nbf: now() + 62, exp: now() + 122 }),
      ],
      ['par-test-array-as-audience-fails', () => ({ aud: [rp.auth.url, `${rp.auth.url}/token`] })],
      ['par-test-par-endpoint-url-as-audience-fails', () => ({ aud: `${rp.auth.url}/request` })],
      ['par-test-token-endpoint-url-as-audience-fails', () => ({ aud: `${rp.auth.url}/token` })],
    ])(`${name('')}%s`, async (_, claims) => {
      const { pushed } = await push({}, { authentication: await authenticated(one, claims()) });
      expect([pushed, clientRefused(pushed)]).toEqual([expect.anything(), true]);
    });

    test(name('par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted'), async () => {
      const claims = { iat: now() + 8, nbf: now() + 8, exp: now() + 68 };
      await codeOf(await push({}, { authentication: await authenticated(one, claims) }));
    });
  });

  describe('a reference to a pushed request', () => {
    test(name('par-ensure-reused-request-uri-prior-to-auth-completion-succeeds'), async () => {
      const request = await push();
      rp.auth.provider.refuses('access_denied');
      await visit(request);
      rp.auth.provider.is({ sub: 'ada' });
      expect(await codeOf(request)).not.toBe('');
    });

    test(name('par-attempt-reuse-request_uri'), async () => {
      const request = await push();
      await codeOf(request);
      const { query, page } = await visit(request);
      expect([query?.get('code') ?? null, query?.get('error') ?? page.status]).toEqual([null, expect.anything()]);
    });

    test(name('par-attempt-to-use-request_uri-for-different-client'), async () => {
      const request = await push();
      const { query, page } = await visit({ ...request, client: two });
      const refusals = ['invalid_request', 'invalid_request_object', 'invalid_request_uri'];
      expect([query?.has('code') ?? false, page.status >= 400 || refusals.includes(query?.get('error') ?? '')]).toEqual(
        [false, true],
      );
      await codeOf(await push());
    });
  });

  describe('at the token endpoint', () => {
    const newCode = async () => {
      const request = await push();
      return { request, code: await codeOf(request) };
    };

    test(name('ensure-client-id-in-token-endpoint'), async () => {
      const { request, code } = await newCode();
      const mixed = await authenticated({ ...two, key: one.key });
      const refused = await redeem(request, code, { authentication: mixed });
      expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client']);
    });

    test(name('ensure-holder-of-key-required'), async () => {
      const { request, code } = await newCode();
      const refused = await redeem(request, code, { key: null });
      expect([
        refused.status,
        ['invalid_grant', 'invalid_request', 'invalid_dpop_proof'].includes(refused.body['error'] ?? ''),
      ]).toEqual([400, true]);
    });

    test(name('ensure-authorization-code-is-bound-to-client'), async () => {
      const { request, code } = await newCode();
      const refused = await redeem({ ...request, client: two }, code);
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    test(name('attempt-reuse-authorization-code-after-one-second'), async () => {
      const { request, code, tokens } = await flow();
      await pause(1_000);
      expect(await redeem(request, code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      // Its JWTs are good for five minutes at most, or until the session ends; what refreshes them is not.
      const refresh = { grant_type: 'refresh_token', refresh_token: tokens['refresh_token'] };
      expect(await tokenFor(refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    test(name('ensure-signed-client-assertion-with-RS256-fails'), async () => {
      const client = await newClient('PS256');
      const request = await push({}, { client });
      const code = await codeOf(request);
      const rsa = { ...client.key, alg: 'RS256', privateKey: await asRs256(client.key) };
      const by = { ...(await authenticated(client)), client_assertion: await assertion({ ...client, key: rsa }) };
      const refused = await redeem(request, code, { authentication: by });
      expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client']);
      expect((await redeem(request, code)).status).toBe(200);
    });

    test.each<[string, () => Promise<Form>]>([
      ['ensure-client-assertion-in-token-endpoint', async () => ({ client_id: one.application.id })],
      ['ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', () => authenticated(one, { exp: now() - 300 })],
      [
        'ensure-client-assertion-with-wrong-aud-fails',
        () => authenticated(one, { aud: 'https://rs.example/userinfo' }),
      ],
      ['ensure-client-assertion-with-no-sub-fails', () => authenticated(one, { sub: undefined })],
    ])(`${name('')}%s`, async (_, by) => {
      const { request, code } = await newCode();
      const refused = await redeem(request, code, { authentication: await by() });
      expect([refused.status, clientRefused(refused)]).toEqual([refused.status, true]);
    });

    test.each<[string, Form]>([
      ['ensure-pkce-code-verifier-required', { code_verifier: undefined }],
      ['incorrect-pkce-code-verifier-rejected', { code_verifier: 'x'.repeat(43) }],
    ])(`${name('')}%s`, async (_, more) => {
      const { request, code } = await newCode();
      const refused = await redeem(request, code, { more });
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    test(name('refresh-token'), async () => {
      const first = await flow({ scope: 'openid offline_access', prompt: 'consent' });
      const second = await flow({ scope: 'openid offline_access', prompt: 'consent' }, { client: two });
      const form = { grant_type: 'refresh_token', refresh_token: first.tokens['refresh_token'] };
      const fresh = await tokenFor(form);
      expect([fresh.status, fresh.body['token_type'], fresh.headers.get('cache-control')]).toEqual([
        200,
        'DPoP',
        expect.stringContaining('no-store'),
      ]);
      // It is not followed by another, so it is good for as long as it is (the suite asks after thirty seconds).
      expect(fresh.body['refresh_token'] ?? form.refresh_token).toBe(form.refresh_token);
      expect((await tokenFor(form)).status).toBe(200);
      // The application proves itself by its key, so the one of DPoP may be another.
      expect((await tokenFor(form, { key: two.dpop })).status).toBe(200);
      expect(clientRefused(await tokenFor(form, { authentication: { client_id: one.application.id } }))).toBe(true);
      expect(await tokenFor(form, { key: null })).toMatchObject({ status: 400 });
      expect((await use(second.tokens['access_token'] ?? '', { key: one.dpop })).status).toBe(401);
      const stolen = { grant_type: 'refresh_token', refresh_token: second.tokens['refresh_token'] };
      expect(await tokenFor(stolen)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });
  });
});

test(name('dpop-negative-tests'), async () => {
  const { tokens } = await flow();
  const { access_token: token = '' } = tokens;
  const ath = createHash('sha256').update(token).digest('base64url');
  const ask = async (dpop: string | null, scheme = 'DPoP') =>
    (await fetch(resource(), { headers: { authorization: `${scheme} ${token}`, ...(dpop === null ? {} : { dpop }) } }))
      .status;
  const by = (claims: object = {}, header: object = {}) =>
    proof(one.dpop, 'GET', resource(), { ath, ...claims }, header);
  const good = await by();
  const bad: Record<string, Promise<string> | string | null> = {
    malformed: 'x.y.z',
    'without typ': by({}, { typ: undefined }),
    'without jwk': by({}, { jwk: undefined }),
    'without jti': by({ jti: undefined }),
    'without htm': by({ htm: undefined }),
    'without htu': by({ htu: undefined }),
    'without iat': by({ iat: undefined }),
    'without ath': by({ ath: undefined }),
    'of another typ': by({}, { typ: 'JWT' }),
    'htm=PUT': by({ htm: 'PUT' }),
    'of another url': by({ htu: 'https://elsewhere.example/' }),
    'iat in an hour': by({ iat: now() + 3_600 }),
    'iat an hour ago': by({ iat: now() - 3_600 }),
    'another ath': by({ ath: 'x' }),
    'another key': proof(two.dpop, 'GET', resource(), { ath }),
    'a broken signature': by().then(text => `${text.slice(0, -4)}AAAA`),
    nothing: null,
  };
  for (const [what, dpop] of Object.entries(bad)) expect([what, await ask(await dpop)]).toEqual([what, 401]);
  expect(await ask(null, 'Bearer')).toBe(401);
  for (const htu of [`${resource()}?a=b`, `${resource()}#c`]) expect(await ask(await by({ htu }))).toBe(200);
  expect(await ask(await by({ extra: 1 }, { extra: 1 }))).toBe(200);
  expect([await ask(good), await ask(good)]).toEqual([200, 401]);
});

async function asRs256({ privateKey }: ProviderKey) {
  const jwk = await crypto.subtle.exportKey('jwk', privateKey as never);
  const { alg: _, ...rest } = jwk;
  return crypto.subtle.importKey('jwk', rest, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign']);
}
