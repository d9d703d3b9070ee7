// The certification plans oidcc-basic and oidcc-formpost-basic of the OpenID Foundation's conformance suite, read at
// 12f2a4dac (2026-08-20), module by module under their names, for a client that was registered beforehand. What is here
// is ours: the suite itself is not run. Modules for dynamic registration, which is off, are not part of a plan for
// static clients.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { UnsecuredJWT } from 'jose';
import { type Parameters, pause, pkce, type RelyingParty, startRelyingParty } from './relying-party.test-support.ts';

const modes = [
  ['oidcc-basic-certification-test-plan', undefined],
  ['oidcc-formpost-basic-certification-test-plan', 'form_post'],
] as const;

const person = {
  sub: 'ada',
  email: 'ada@acme.example',
  email_verified: true,
  name: 'Ada Lovelace',
  given_name: 'Ada',
  family_name: 'Lovelace',
  locale: 'en-GB',
};

describe.each(modes)('%s', (_, responseMode) => {
  let rp: RelyingParty;
  beforeAll(async () => {
    rp = await startRelyingParty(responseMode === undefined ? {} : { responseMode });
  }, 60_000);
  afterAll(() => rp.stop());
  beforeEach(() => rp.auth.provider.is({ ...person, auth_time: Math.floor(Date.now() / 1_000) }));

  const names = (claims: object) => Object.keys(claims);
  /** Signed in once, and then as the module says at the same browser. */
  async function twice(first: Parameters, second: Parameters, pauseMs = 0) {
    const before = await rp.flow(first);
    await pause(pauseMs);
    rp.auth.provider.is({ ...person, auth_time: Math.floor(Date.now() / 1_000) });
    return { before, after: await rp.flow(second, { browser: before.browser }) };
  }

  test('oidcc-server', async () => {
    const { claims } = await rp.flow();
    for (const name of ['name', 'email', 'roles']) expect(claims).not.toHaveProperty(name);
  });

  test('oidcc-response-type-missing', () =>
    rp.expectError({ response_type: undefined }, ['unsupported_response_type', 'invalid_request']));

  test('oidcc-userinfo-get, -post-header and -post-body', async () => {
    const { tokens, claims } = await rp.flow({ scope: 'openid email profile' });
    const token = tokens['access_token'] ?? '';
    const form = new URLSearchParams({ access_token: token });
    const ways = [
      await rp.userInfo(token),
      await rp.userInfo(token, { method: 'POST', headers: { authorization: `Bearer ${token}` } }),
      await rp.userInfo('', { method: 'POST', headers: {}, body: form }),
    ];
    for (const { status, claims: told } of ways) expect([status, told.sub]).toEqual([200, claims.sub]);
  });

  test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    await rp.flow({ nonce: undefined });
  });

  test.each([
    ['profile', 'openid profile', ['name', 'given_name', 'family_name', 'locale']],
    ['email', 'openid email', ['email', 'email_verified']],
    ['address', 'openid address', []],
    ['phone', 'openid phone', []],
    ['all', 'openid email phone address profile', ['name', 'given_name', 'family_name', 'locale', 'email']],
  ])('oidcc-scope-%s', async (_name, scope, expected) => {
    const { userInfo } = await rp.flow({ scope });
    expect(names(userInfo)).toEqual(expect.arrayContaining(expected));
    // What is not offered is not listed as if it were.
    const { scopes_supported: offered } = (await (
      await fetch(`${rp.auth.url}/.well-known/openid-configuration`)
    ).json()) as { scopes_supported: string[] };
    expect(offered).toEqual(expect.arrayContaining(['openid', 'profile', 'email', 'offline_access']));
    for (const name of ['address', 'phone']) expect(offered).not.toContain(name);
  });

  test('oidcc-alternate-happy-flow', async () => {
    const { userInfo } = await rp.flow({ scope: 'email openid' });
    expect(names(userInfo)).toEqual(expect.arrayContaining(['email', 'email_verified']));
    expect(names(userInfo)).not.toContain('name');
  });

  test.each(['page', 'popup'])('oidcc-display-%s', async display => {
    await rp.flow({ display });
  });

  test('oidcc-prompt-login', async () => {
    const { before, after } = await twice({}, { prompt: 'login' }, 1_100);
    expect(Number(after.claims['auth_time'])).toBeGreaterThan(Number(before.claims['auth_time']));
    expect(after.claims.sub).toBe(before.claims.sub);
  });

  test('oidcc-prompt-none-not-logged-in', () =>
    rp.expectError({ prompt: 'none', state: 'x'.repeat(128) }, ['interaction_required', 'login_required']));

  test('oidcc-prompt-none-logged-in', async () => {
    const { before, after } = await twice({}, { prompt: 'none' });
    for (const name of ['sub', 'auth_time']) expect(after.claims[name]).toBe(before.claims[name]);
  });

  test('oidcc-max-age-1', async () => {
    const { before, after } = await twice({}, { max_age: '1' }, 2_000);
    expect(Number(after.claims['auth_time'])).toBeGreaterThan(Number(before.claims['auth_time']));
  });

  test('oidcc-max-age-10000', async () => {
    const { before, after } = await twice({ max_age: '15000' }, { max_age: '10000' });
    for (const name of ['sub', 'auth_time'])
      expect([after.claims[name], before.claims[name]]).toEqual(Array(2).fill(before.claims[name]));
    expect(before.claims['auth_time']).toEqual(expect.any(Number));
  });

  test('oidcc-ensure-request-with-unknown-parameter-succeeds', async () => {
    await rp.flow({ extra: 'foobar' });
  });

  test('oidcc-id-token-hint', async () => {
    const before = await rp.flow();
    const hint = { prompt: 'none', id_token_hint: before.tokens['id_token'] ?? '' };
    const after = await rp.flow(hint, { browser: before.browser });
    for (const name of ['sub', 'auth_time']) expect(after.claims[name]).toBe(before.claims[name]);
  });

  test.each([
    ['login-hint', { login_hint: 'ada@acme.example' }],
    ['ui-locales', { ui_locales: 'se' }],
    ['claims-locales', { claims_locales: 'se' }],
    ['ensure-request-with-acr-values-succeeds', { acr_values: '1 2' }],
  ])('oidcc-%s', async (_name, parameters) => {
    await rp.flow(parameters);
  });

  test('oidcc-codereuse', async () => {
    const { code, tokens } = await rp.flow();
    expect(await rp.exchange(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await rp.userInfo(tokens['access_token'])).status).toBe(401);
  });

  // Of what is asked after thirty seconds nothing depends on the time but that the record is there.
  test('oidcc-codereuse-30seconds, after two', async () => {
    const { code, tokens } = await rp.flow();
    await pause(2_000);
    expect(await rp.exchange(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await rp.userInfo(tokens['access_token'])).status).toBe(401);
  });

  test('oidcc-ensure-registered-redirect-uri', async () => {
    const { came, page } = await rp.begin({ redirect_uri: `${rp.callback}/abcdefghij` });
    expect([came, page.status, page.text.includes('redirect_uri')]).toEqual([null, 400, true]);
  });

  test('oidcc-ensure-post-request-succeeds', async () => {
    await rp.flow({}, { by: 'POST' });
  });

  test('oidcc-server-client-secret-post', async () => {
    const { code, sent } = await rp.authorize();
    const { id, secret } = rp.usual;
    const form = { grant_type: 'authorization_code', code, redirect_uri: rp.callback };
    const { status, body } = await rp.post('/token', { ...form, client_id: id, client_secret: secret });
    expect(status).toBe(200);
    await rp.checkIdToken(body['id_token'] ?? '', { nonce: sent.get('nonce') });
  });

  test('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async () => {
    const object = new UnsecuredJWT({ client_id: rp.usual.id, state: 'inside', redirect_uri: rp.callback }).encode();
    await rp.expectError({ request: object }, ['request_not_supported']);
  });

  test('oidcc-claims-essential', async () => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    const { userInfo, claims: inIdToken } = await rp.flow({ claims });
    expect([userInfo['name'], inIdToken['name']]).toEqual(['Ada Lovelace', undefined]);
  });

  test('oidcc-ensure-request-object-with-redirect-uri', async () => {
    const object = new UnsecuredJWT({ client_id: rp.usual.id, redirect_uri: rp.callback }).encode();
    const { came, page } = await rp.begin({ request: object, redirect_uri: `${rp.callback}_invalid` });
    expect([came, page.status]).toEqual([null, 400]);
  });

  test('oidcc-refresh-token', async () => {
    const offline = { scope: 'openid offline_access', prompt: 'consent' };
    const one = await rp.flow(offline);
    const fresh = await rp.refresh(one.tokens['refresh_token'] ?? '');
    expect([fresh.status, fresh.headers.get('cache-control')]).toEqual([200, expect.stringContaining('no-store')]);
    const again = await rp.checkIdToken(fresh.body['id_token'] ?? '', { nonce: one.sent.get('nonce') });
    for (const name of ['iss', 'sub', 'aud', 'auth_time']) expect(again[name]).toEqual(one.claims[name]);
    const other = await rp.newClient();
    const two = await rp.flow({ ...offline, nonce: 'x'.repeat(43) }, { client: other });
    const stolen = await rp.refresh(two.tokens['refresh_token'] ?? '');
    expect(stolen).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await rp.refresh(two.tokens['refresh_token'] ?? '', other)).status).toBe(200);
  });

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const { verifier, challenge } = pkce();
    const given = { code_challenge: challenge, code_challenge_method: 'S256' };
    await rp.flow(given, { exchangeWith: { code_verifier: verifier } });
  });
});
