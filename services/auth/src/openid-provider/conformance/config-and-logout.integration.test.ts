// The certification plans oidcc-config, oidcc-rp-initiated-logout and oidcc-backchannel-rp-initiated-logout of the
// OpenID Foundation's conformance suite, read at 12f2a4dac (2026-08-20), module by module under their names. Where the
// suite has a person look at a page, the test does. That every address is https is not shown here: the test's issuer is
// on this machine.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually, newProviderKey } from '@reeve/testing';
import { SignJWT } from 'jose';
import { type RelyingParty, startRelyingParty } from './relying-party.test-support.ts';

let rp: RelyingParty;
beforeAll(async () => {
  rp = await startRelyingParty();
}, 60_000);
afterAll(() => rp.stop());
beforeEach(() => rp.auth.provider.is({ sub: 'ada' }));

describe('oidcc-config-certification-test-plan', () => {
  test('oidcc-discovery-endpoint-verification', async () => {
    const answer = await fetch(`${rp.auth.url}/.well-known/openid-configuration`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
    ]);
    const found = (await answer.json()) as Record<string, unknown>;
    expect(found).toMatchObject({
      issuer: rp.auth.url,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      code_challenge_methods_supported: ['S256'],
      scopes_supported: expect.arrayContaining(['openid']),
      claims_supported: expect.arrayContaining(['sub', 'email', 'email_verified', 'name', 'auth_time', 'acr']),
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['client_secret_basic', 'private_key_jwt', 'none']),
    });
    for (const name of Object.keys(found).filter(one => one.endsWith('_endpoint')))
      expect(String(found[name])).toMatch(new RegExp(`^${rp.auth.url}/`));
    const { keys } = (await (await fetch(String(found['jwks_uri']))).json()) as { keys: Record<string, string>[] };
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys)
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
  });
});

describe('oidcc-rp-initiated-logout-certification-test-plan', () => {
  const registered = () => `${rp.own}/post_logout_redirect`;
  const state = 'the-state-of-the-logout';

  /** Signed in, then sent to sign out by that; a person who is asked says yes. */
  async function signOut(parameters: (idToken: string) => Record<string, string>) {
    const { browser, tokens } = await rp.flow({ state: 'x'.repeat(128) });
    const url = new URL(`${rp.auth.url}/session/end`);
    url.search = new URLSearchParams(parameters(tokens['id_token'] ?? '')).toString();
    const before = rp.came.length;
    const asked = await browser.open(url);
    const page = asked.text.includes('name="logout"') ? await browser.submit(asked, { logout: 'yes' }) : asked;
    return { browser, page, came: rp.came.slice(before) };
  }
  const isSignedOut = async (browser: Awaited<ReturnType<typeof signOut>>['browser']) => {
    const { came } = await rp.begin({ prompt: 'none' }, { browser });
    return came?.query.get('error') === 'login_required';
  };
  /** Nothing is redirected; the person is told so. */
  async function expectNoRedirect(parameters: (idToken: string) => Record<string, string>, status: number) {
    const { page, came } = await signOut(parameters);
    expect([came, page.status]).toEqual([[], status]);
  }

  test('oidcc-rp-initiated-logout-discovery-endpoint-verification', async () => {
    const found = await (await fetch(`${rp.auth.url}/.well-known/openid-configuration`)).json();
    expect(found).toMatchObject({ end_session_endpoint: `${rp.auth.url}/session/end` });
  });

  test('oidcc-rp-initiated-logout', async () => {
    const { browser, came } = await signOut(id_token_hint => ({
      id_token_hint,
      post_logout_redirect_uri: registered(),
      state,
    }));
    expect(came).toMatchObject([{ path: '/post_logout_redirect' }]);
    expect([...(came[0]?.query ?? [])]).toEqual([['state', state]]);
    expect(await isSignedOut(browser)).toBe(true);
  });

  test('oidcc-rp-initiated-logout-no-state', async () => {
    const { browser, came } = await signOut(id_token_hint => ({
      id_token_hint,
      post_logout_redirect_uri: registered(),
    }));
    expect([came.length, [...(came[0]?.query ?? [])]]).toEqual([1, []]);
    expect(await isSignedOut(browser)).toBe(true);
  });

  test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', () =>
    expectNoRedirect(id_token_hint => {
      return { id_token_hint, post_logout_redirect_uri: `${rp.own}/bad_post_logout_redirect_uri`, state };
    }, 400));

  test('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', () =>
    expectNoRedirect(id_token_hint => {
      return { id_token_hint, post_logout_redirect_uri: `${registered()}?foo=bar`, state };
    }, 400));

  test('oidcc-rp-initiated-logout-modified-id-token-hint', () =>
    expectNoRedirect(hint => {
      const header = Buffer.from('{"alg":"none"}').toString('base64url');
      const modified = `${header}.${hint.split('.')[1]}.`;
      return { id_token_hint: modified, post_logout_redirect_uri: registered(), state };
    }, 400));

  test('oidcc-rp-initiated-logout-bad-id-token-hint', async () => {
    const key = await newProviderKey('RS256');
    const forged = await new SignJWT({ sub: 'SubjectID' })
      .setProtectedHeader({ alg: 'RS256', kid: key.kid })
      .setIssuer(rp.usual.id)
      .setAudience(rp.auth.url)
      .setIssuedAt()
      .setExpirationTime('5 minutes')
      .sign(key.privateKey);
    await expectNoRedirect(() => ({ id_token_hint: forged, post_logout_redirect_uri: registered(), state }), 400);
  });

  test('oidcc-rp-initiated-logout-no-id-token-hint', () =>
    expectNoRedirect(() => ({ post_logout_redirect_uri: registered(), state }), 200));

  test.each([
    ['no-params', () => ({})],
    ['only-state', () => ({ state })],
    ['no-post-logout-redirect-uri', (id_token_hint: string) => ({ id_token_hint, state })],
  ] as const)('oidcc-rp-initiated-logout-%s', async (_, parameters) => {
    const { browser, came, page } = await signOut(parameters as (hint: string) => Record<string, string>);
    expect([came, page.status]).toEqual([[], 200]);
    expect(await isSignedOut(browser)).toBe(true);
  });
});

describe('oidcc-backchannel-rp-initiated-logout-certification-test-plan', () => {
  test('oidcc-backchannel-rp-initiated-logout-discovery-endpoint-verification', async () => {
    const found = await (await fetch(`${rp.auth.url}/.well-known/openid-configuration`)).json();
    expect(found).toMatchObject({
      end_session_endpoint: `${rp.auth.url}/session/end`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });

  test('oidcc-backchannel-rp-initiated-logout', async () => {
    const client = await rp.newClient({ backchannelLogoutUri: `${rp.own}/backchannel_logout` });
    const { browser, tokens, claims } = await rp.flow({}, { client });
    const before = rp.came.length;
    const url = new URL(`${rp.auth.url}/session/end`);
    url.search = new URLSearchParams({
      id_token_hint: tokens['id_token'] ?? '',
      post_logout_redirect_uri: `${rp.own}/post_logout_redirect`,
      state: 'the-state-of-the-logout',
    }).toString();
    const asked = await browser.open(url);
    if (asked.text.includes('name="logout"')) await browser.submit(asked, { logout: 'yes' });
    const came = (path: string) => rp.came.slice(before).filter(one => one.path === path);
    await eventually('the logout token', () => came('/backchannel_logout').length > 0);
    expect(came('/post_logout_redirect')).toHaveLength(1);
    const [told] = came('/backchannel_logout');
    expect([told?.method, [...(told?.form.keys() ?? [])]]).toEqual(['POST', ['logout_token']]);
    const { payload, protectedHeader } = await rp.verify(told?.form.get('logout_token') ?? '', client);
    // As ID tokens of that client are signed.
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'logout+jwt' });
    expect(payload).toMatchObject({
      sub: claims.sub,
      sid: claims['sid'],
      jti: expect.any(String),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(payload).not.toHaveProperty('nonce');
  });
});
