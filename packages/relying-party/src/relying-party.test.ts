// Against a server that says whatever the test wants, over HTTP: what is believed, and at which step everything else is
// refused.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { discover } from './discover.ts';
import { createRelyingParty, type Pending, type Registration, type Wanted } from './relying-party.ts';

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
      if (request.url?.startsWith('/.well-known/')) return { ...registration().metadata, ...said.discovery };
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
  said = { keys: [key.publicJwk], idToken: sign(key), userInfo: {}, discovery: {} };
});

const registration = (change: Partial<Registration['metadata']> = {}): Registration => ({
  metadata: {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/keys`,
    id_token_signing_alg_values_supported: ['ES256', 'RS256', 'EdDSA'],
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
    const { asked, pending } = await begun({ prompt: 'login', maxAgeSeconds: 60, loginHint: 'ada', acrValues: 'mfa' });
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
      prompt: 'login',
      max_age: '60',
      login_hint: 'ada',
      acr_values: 'mfa',
    });
  });

  test.each(['ES256', 'RS256', 'EdDSA'])('is believed when the ID token is signed by %s', async alg => {
    key = await newKey(alg);
    said = { ...said, keys: [key.publicJwk], idToken: sign(key) };
    const { complete } = await begun();
    expect((await complete()).claims).toMatchObject({ sub: 'ada', email: 'ada@example.org' });
  });

  test('is believed at once when the server has changed its keys a second ago', async () => {
    const { party, complete, pending } = await begun();
    await complete();
    await new Promise(resolve => setTimeout(resolve, 1_100));
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
