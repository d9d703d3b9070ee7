// Against a server that says whatever the test wants, over HTTP: what is believed, and at which step everything else is
// refused.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { discover } from './discover.ts';
import { createRelyingParty, type Pending, type Registration, type Wanted } from './relying-party.ts';
import type { StepError } from './step-error.ts';

type Key = {
  alg: string;
  kid: string;
  privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  publicJwk: JWK;
};
type Said = {
  keys: JWK[];
  idToken: (claims: JWTPayload) => Promise<string | undefined>;
  userInfo: Record<string, unknown>;
  discovery: Record<string, unknown>;
  /** Says again what it was sent, and gives nothing. */
  echoes: boolean;
  echoesAsSent?: boolean;
};

const accessToken = 'an-access-token';
let server: Server;
let url: string;
let said: Said;
let nonce = '';

async function newKey(alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const kid = randomBytes(4).toString('hex');
  return { alg, kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

const sign =
  ({ alg, kid, privateKey }: Key, header: object = {}) =>
  (claims: JWTPayload) =>
    new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);

const now = () => Math.floor(Date.now() / 1_000);
const claimsFor = (change: JWTPayload = {}): JWTPayload => ({
  iss: url,
  aud: 'us',
  sub: 'ada',
  nonce,
  iat: now(),
  exp: now() + 300,
  email: 'ada@example.org',
  name: 'Ada',
  ...change,
});

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = async () => {
      if (request.url === '/keys') return { keys: said.keys };
      if (request.url === '/userinfo') return said.userInfo;
      if (request.url?.includes('/.well-known/')) return { ...registration().metadata, ...said.discovery };
      if (said.echoes) {
        response.statusCode = 401;
        const sent = `${request.headers.authorization} ${await text(request)}`;
        return { error: 'invalid_client', error_description: said.echoesAsSent ? sent : decodeURIComponent(sent) };
      }
      const idToken = await said.idToken(claimsFor());
      return { access_token: accessToken, token_type: 'Bearer', ...(idToken ? { id_token: idToken } : {}) };
    };
    void answer().then(body => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

let key: Key;
beforeEach(async () => {
  key = await newKey();
  said = { keys: [key.publicJwk], idToken: sign(key), userInfo: {}, discovery: {}, echoes: false };
});

const registration = (change: Partial<Registration['metadata']> = {}): Registration => ({
  metadata: {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/keys`,
    id_token_signing_alg_values_supported: ['ES256', 'RS256', 'EdDSA', 'Ed25519'],
    ...change,
  },
  clientId: 'us',
  clientSecret: 'secret',
  redirectUri: 'https://us.example/callback',
});

/** A relying party of its own for each test: what one has fetched is not there for the next. */
async function begun(wanted: Partial<Wanted> = {}, to = registration()) {
  const party = createRelyingParty({ fetch: (input, init) => fetch(input, init) });
  const { url: to_, pending } = await party.begin(to, { scope: 'openid email', ...wanted });
  nonce = pending.nonce;
  const query = `?code=c&state=${pending.state}`;
  return {
    party,
    pending,
    asked: new URL(to_).searchParams,
    complete: (change: Partial<{ pending: Pending; query: string }> = {}) =>
      party.complete(to, { pending, query, ...change }),
  };
}

const refusedAt = (step: string) => ({ name: 'StepError', step });
const withClaims = (change: JWTPayload) => () => sign(key)(claimsFor(change));

describe('a sign-in', () => {
  test('is asked for with PKCE, state and nonce, and with what the application wants', async () => {
    const { asked, pending } = await begun({
      prompt: 'login select_account',
      maxAgeSeconds: 60,
      loginHint: 'ada',
      acrValues: 'mfa',
      uiLocales: 'de-CH fr',
    });
    const challenge = createHash('sha256').update(pending.codeVerifier).digest('base64url');
    expect(Object.fromEntries(asked)).toEqual({
      client_id: 'us',
      redirect_uri: 'https://us.example/callback',
      response_type: 'code',
      scope: 'openid email',
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      prompt: 'login select_account',
      max_age: '60',
      login_hint: 'ada',
      acr_values: 'mfa',
      ui_locales: 'de-CH fr',
    });
  });

  test.each(['ES256', 'RS256', 'EdDSA', 'Ed25519'])('is believed when the ID token is signed by %s', async alg => {
    key = await newKey(alg);
    const hash = createHash(alg.startsWith('Ed') ? 'sha512' : 'sha256')
      .update(accessToken)
      .digest();
    const at_hash = hash.subarray(0, hash.length / 2).toString('base64url');
    said = { ...said, keys: [key.publicJwk], idToken: claims => sign(key)({ ...claims, at_hash }) };
    const { complete } = await begun();
    expect((await complete()).claims).toMatchObject({ sub: 'ada', email: 'ada@example.org' });
  });

  test('is believed at once when the server has just changed its keys', async () => {
    const { party, complete, pending } = await begun();
    await complete();
    key = await newKey();
    said = { ...said, keys: [key.publicJwk], idToken: sign(key) };
    const again = party.complete(registration(), { pending, query: `?code=c&state=${pending.state}` });
    expect((await again).claims.sub).toBe('ada');
  });
});

describe('an answer is refused', () => {
  test.each([
    ['another state', (state: string) => `?code=c&state=${state}x`, 'response_mismatch'],
    ['no state', () => '?code=c', 'response_mismatch'],
    [
      'another issuer (mix-up)',
      (state: string) => `?code=c&state=${state}&iss=https://evil.example`,
      'response_mismatch',
    ],
    ['a refusal', (state: string) => `?error=access_denied&state=${state}`, 'refused_by_provider'],
  ])('that the browser brings with %s', async (_, query, step) => {
    const { complete, pending } = await begun();
    await expect(complete({ query: query(pending.state) })).rejects.toMatchObject(refusedAt(step));
    await expect(complete()).resolves.toBeDefined();
  });

  test.each([
    ['of another issuer', { iss: 'https://evil.example' }, 'id_token_claims'],
    ['for another client', { aud: 'them' }, 'id_token_claims'],
    ['for others as well, without saying who asked', { aud: ['us', 'them'] }, 'id_token_claims'],
    ['for others as well, who asked', { aud: ['us', 'them'], azp: 'them' }, 'id_token_claims'],
    ['for us, that others asked for', { azp: 'them' }, 'id_token_claims'],
    ['to another request', { nonce: 'other' }, 'id_token_claims'],
    ['to no request', { nonce: undefined }, 'id_token_claims'],
    ['that has expired', { exp: now() - 3_600 }, 'id_token_claims'],
    ['without an end', { exp: undefined }, 'id_token_claims'],
    ['without a beginning', { iat: undefined }, 'id_token_claims'],
    ['that is old', { iat: now() - 3_600 }, 'id_token_time'],
    ['of the future', { iat: now() + 3_600, nbf: now() - 1 }, 'id_token_time'],
    ['of a sign-in that is still to come', { auth_time: now() + 3_600 }, 'id_token_time'],
    ['of a sign-in at no date', { auth_time: 1e300 }, 'id_token_time'],
    ['about nobody', { sub: undefined }, 'subject_missing'],
    ['about an empty subject', { sub: '' }, 'subject_missing'],
    ['for another access token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'access_token_hash'],
  ] as [string, JWTPayload, string][])('with an ID token %s', async (_, change, step) => {
    const { complete } = await begun();
    said.idToken = withClaims(change);
    await expect(complete()).rejects.toMatchObject(refusedAt(step));
    said.idToken = withClaims({});
    await expect(complete()).resolves.toBeDefined();
  });

  test('with an ID token of a key that the server does not have, of a symmetric one, or of none', async () => {
    const { complete } = await begun();
    said.idToken = sign({ ...(await newKey()), kid: key.kid });
    await expect(complete()).rejects.toMatchObject(refusedAt('id_token_signature'));
    said.idToken = claims =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from('secret'.padEnd(32, '.')));
    await expect(complete()).rejects.toMatchObject(refusedAt('id_token_signature'));
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    said.idToken = async claims => `${none}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
    await expect(complete()).rejects.toMatchObject({ name: 'StepError' });
  });

  test('with an ID token that is written in a second way', async () => {
    const { complete } = await begun();
    said.idToken = async claims => `${await sign(key)(claims)}==`;
    await expect(complete()).rejects.toMatchObject({ name: 'StepError' });
  });

  test('with another kind of token, and with none', async () => {
    const { complete } = await begun();
    said.idToken = sign(key, { typ: 'at+jwt' });
    await expect(complete()).rejects.toMatchObject({ name: 'StepError' });
    said.idToken = async () => undefined;
    await expect(complete()).rejects.toMatchObject(refusedAt('id_token_missing'));
  });

  test('when the sign-in there is older than was asked for, or its age is not said', async () => {
    const { complete } = await begun({ maxAgeSeconds: 60 });
    said.idToken = withClaims({ auth_time: now() - 5 * 86_400 });
    await expect(complete()).rejects.toMatchObject(refusedAt('authentication_too_old'));
    await expect(begun({ maxAgeSeconds: 60 }).then(one => one.complete())).rejects.toMatchObject({ name: 'StepError' });
    const fresh = await begun({ maxAgeSeconds: 60 });
    said.idToken = withClaims({ auth_time: now() - 5, nonce });
    await expect(fresh.complete()).resolves.toBeDefined();
  });
});

test('what a server was sent and says again is not seen', async () => {
  said.echoes = true;
  const { complete, pending } = await begun();
  const query = `?code=the-code-itself&state=${pending.state}`;
  const { seen } = (await complete({ query }).catch((error: unknown) => error)) as StepError;
  expect(seen['description']).toMatch(/^Basic … .*&code=…&code_verifier=…&/);
  for (const secret of ['secret', 'the-code-itself', pending.codeVerifier, btoa('us:secret')])
    expect(JSON.stringify(seen)).not.toContain(secret);
});

test.each(['basic', 'post'] as const)('nor is a secret that is escaped where it is sent (%s)', async method => {
  said.echoes = true;
  said.echoesAsSent = true;
  const clientSecret = "with-dash_and.dot~and !*'() +/=";
  const to = registration();
  const metadata = { ...to.metadata, token_endpoint_auth_methods_supported: [`client_secret_${method}`] };
  const { complete, pending } = await begun({}, { ...to, metadata, clientSecret });
  const { seen } = (await complete({ query: `?code=the-code&state=${pending.state}` }).catch(
    (error: unknown) => error,
  )) as StepError;
  const text = String(seen['description']);
  expect(text).toContain('…');
  const header = /Basic (\S+)/.exec(text)?.[1] ?? '';
  expect(header).toBe(method === 'basic' ? '…' : '');
  expect(text).not.toMatch(/with.{0,3}dash/);
});

describe('an issuer of many directories', () => {
  const template = () => `${url}/{tenantid}`;
  const from = (tid: string): JWTPayload => ({ iss: `${url}/${tid}`, tid });

  test('is believed about the directories that are listed, and about none when none is', async () => {
    const comeBy = async (directories: string[] | undefined, claims: JWTPayload) => {
      const to = { ...registration({ issuer: template() }), ...(directories ? { directories } : {}) };
      const { complete } = await begun({}, to);
      said.idToken = withClaims({ ...claims, nonce });
      return complete();
    };
    expect((await comeBy(['a', 'b'], from('b'))).claims).toMatchObject({ iss: `${url}/b`, tid: 'b' });
    const refused: [string[] | undefined, JWTPayload][] = [
      [['a', 'b'], from('c')],
      [['a', 'b'], { ...from('a'), tid: 'b' }],
      [['a', 'b'], from('{tenantid}')],
      [['a', 'b'], { iss: template() }],
      [[], from('a')],
      [undefined, from('a')],
    ];
    for (const [directories, claims] of refused)
      await expect(comeBy(directories, claims)).rejects.toMatchObject(refusedAt('id_token_claims'));
  });

  test('is discovered by whoever says that it may be one, and for its own address alone', async () => {
    said.discovery = { issuer: `${url}/{tenantid}/v2.0` };
    const read = (name: string, manyDirectories: boolean) => discover(`${url}${name}`, { fetch, manyDirectories });
    for (const name of ['/common/v2.0', '/organizations/v2.0']) {
      expect((await read(name, true)).issuer).toBe(`${url}/{tenantid}/v2.0`);
      await expect(read(name, false)).rejects.toThrow('another issuer');
    }
    for (const name of ['/common', '/a/v2.0', '/common/v2.0/', '/common/v2.0?a'])
      await expect(read(name, true)).rejects.toMatchObject({ code: 'connection_unreachable' });
  });
});

describe('the user info endpoint', () => {
  const to = () => registration({ userinfo_endpoint: `${url}/userinfo` });

  test('is asked for what the ID token lacks, about the same subject and no other', async () => {
    const { complete } = await begun({}, to());
    said.idToken = withClaims({ email: undefined });
    said.userInfo = { sub: 'ada', email: 'ada@userinfo.example', name: 'Another name' };
    expect((await complete()).claims).toMatchObject({ email: 'ada@userinfo.example', name: 'Ada' });
    said.userInfo = { sub: 'eve', email: 'eve@example.org' };
    await expect(complete()).rejects.toMatchObject(refusedAt('user_info'));
  });

  test('does not verify an address that it does not name', async () => {
    const { complete } = await begun({}, to());
    said.idToken = withClaims({ name: undefined });
    said.userInfo = { sub: 'ada', email: 'other@userinfo.example', email_verified: true };
    const { claims } = await complete();
    expect([claims['email'], claims['email_verified']]).toEqual(['ada@example.org', undefined]);
  });

  test('verifies the address that it names, and no word of the ID token does', async () => {
    const { complete } = await begun({}, to());
    said.idToken = withClaims({ email: undefined, email_verified: true });
    for (const email_verified of [false, undefined, true]) {
      said.userInfo = { sub: 'ada', email: 'ada@userinfo.example', email_verified };
      expect((await complete()).claims['email_verified']).toBe(email_verified);
    }
  });

  test('is asked for the claims that are wanted, and only where one of them is missing', async () => {
    const { party, pending } = await begun({}, to());
    said.userInfo = { sub: 'ada', department: 'R&D', email: 'other@userinfo.example', acr: 'high', groups: ['a'] };
    const complete = async (wantedClaims: string[]) => {
      const query = `?code=c&state=${pending.state}`;
      return (await party.complete(to(), { pending, query, wantedClaims })).claims;
    };
    expect(await complete(['department', 'email', 'acr', '__proto__'])).toEqual({
      ...claimsFor(),
      iat: expect.any(Number),
      exp: expect.any(Number),
      department: 'R&D',
    });
    said.userInfo = { sub: 'eve' };
    expect(await complete(['email', 'name'])).toMatchObject({ sub: 'ada' });
    await expect(complete(['department'])).rejects.toMatchObject(refusedAt('user_info'));
    expect(await complete(['acr'])).not.toHaveProperty('acr');
  });

  test.each([1e300, -1e17])('tells who somebody is and not how or when they signed in (%p)', async auth_time => {
    const { complete } = await begun({}, to());
    said.idToken = withClaims({ email: undefined, name: undefined });
    const person = { email: 'ada@userinfo.example', email_verified: true, name: 'Ada' };
    said.userInfo = { sub: 'ada', ...person, auth_time, amr: ['mfa'], acr: 'high' };
    const { claims } = await complete();
    expect(claims).toMatchObject(person);
    for (const claim of ['auth_time', 'amr', 'acr']) expect(claims).not.toHaveProperty(claim);
  });
});

describe('a discovery document', () => {
  const read = (hosts?: string[]) => discover(url, { fetch, ...(hosts ? { hosts } : {}) });

  test('is kept with the algorithms that we take', async () => {
    said.discovery = { id_token_signing_alg_values_supported: ['HS256', 'none', 'ES256'] };
    expect((await read()).id_token_signing_alg_values_supported).toEqual(['ES256']);
  });

  test.each([
    ['of another issuer', { issuer: 'https://evil.example' }, 'another issuer'],
    ['with a script for an endpoint', { authorization_endpoint: 'javascript:alert(1)' }, 'authorization_endpoint'],
    ['with a file for an endpoint', { jwks_uri: 'file:///etc/passwd' }, 'jwks_uri'],
    ['with credentials in an endpoint', { token_endpoint: 'https://a:b@idp.example/token' }, 'token_endpoint'],
    ['without an endpoint', { token_endpoint: undefined }, 'token_endpoint'],
    ['with symmetric algorithms alone', { id_token_signing_alg_values_supported: ['HS256'] }, 'algorithms'],
  ])('%s is refused', async (_, change, named) => {
    said.discovery = change;
    await expect(read()).rejects.toMatchObject({
      code: 'connection_unreachable',
      message: expect.stringContaining(named),
    });
  });

  test('is refused when it leads to other hosts than those that are expected', async () => {
    said.discovery = { token_endpoint: 'https://elsewhere.example/token' };
    await expect(read([])).rejects.toThrow('another host: elsewhere.example');
    await expect(read(['elsewhere.example'])).resolves.toBeDefined();
  });
});
