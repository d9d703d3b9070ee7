// Tokens that are bound to a key (DPoP, RFC 9449): at the token endpoint, at UserInfo, at an API of ours, and by whom a
// copy is worth nothing. Beside each refusal stands the same with a good proof.
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let tenantId: TenantId;
let application: Application;
let key: ProviderKey;

beforeAll(async () => {
  auth = await startAuth();
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId, { kind: 'single_page', areas: ['sessions'] });
  key = await newProviderKey('ES256');
}, 60_000);
afterAll(() => auth.stop());
beforeEach(() => auth.provider.is({ sub: 'ada' }));

const now = () => Math.floor(Date.now() / 1_000);
const publicOf = ({ jwk: { kty, crv, x, y } }: ProviderKey) => ({ kty, crv, x, y });

function proof(
  method: string,
  url: string,
  {
    by = key,
    token,
    header = {},
    ...claims
  }: { by?: ProviderKey; token?: string; header?: object } & Record<string, unknown> = {},
): Promise<string> {
  const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
  const said = { jti: randomUUID(), iat: now(), htm: method, htu: url, ...ath, ...claims };
  return signedBy(by, said, { typ: 'dpop+jwt', jwk: publicOf(by), kid: undefined, ...header });
}

async function atToken(client: Application, form: Record<string, string>, dpop: string | null) {
  const secret = client.secret === '' ? {} : { client_secret: client.secret };
  const answer = await fetch(`${auth.url}/token`, {
    method: 'POST',
    headers: dpop === null ? {} : { dpop },
    body: new URLSearchParams({ client_id: client.id, ...secret, ...form }),
  });
  return {
    status: answer.status,
    nonce: answer.headers.get('dpop-nonce'),
    body: (await answer.json()) as Record<string, string>,
  };
}

async function signIn(by = key, client = application) {
  const { code, verifier } = await auth.authorize(client, { resource: auth.url });
  const form = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: callback, code_verifier: verifier };
  const given = { ...form, resource: auth.url };
  const { status, body } = await atToken(client, given, await proof('POST', `${auth.url}/token`, { by }));
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

describe('a token that was asked for with a proof', () => {
  test('is bound to the key, and so is what refreshes it', async () => {
    const tokens = await signIn();
    expect(tokens['token_type']).toBe('DPoP');
    expect(decodeJwt(tokens['access_token'] ?? '')['cnf']).toEqual({
      jkt: await calculateJwkThumbprint(publicOf(key) as never),
    });
    const form = { grant_type: 'refresh_token', refresh_token: tokens['refresh_token'] ?? '' };
    const endpoint = `${auth.url}/token`;
    expect(await atToken(application, form, null)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const thief = await newProviderKey('ES256');
    const byThief = await atToken(application, form, await proof('POST', endpoint, { by: thief }));
    expect(byThief).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const fresh = await atToken(application, form, await proof('POST', endpoint));
    expect([fresh.status, fresh.body['token_type']]).toEqual([200, 'DPoP']);
  });

  test('is not bound where nobody has asked for it, unless the application demands it', async () => {
    const { tokens } = await auth.signIn(application, { resource: auth.url });
    expect(decodeJwt(tokens['access_token'] ?? '')['cnf']).toBeUndefined();
    const demanding = await auth.newApplication(tenantId, { kind: 'single_page', dpopRequired: true });
    const { code, verifier } = await auth.authorize(demanding);
    const form = {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: callback,
      code_verifier: verifier,
    };
    const endpoint = `${auth.url}/token`;
    const without = await atToken(demanding, form, null);
    expect(without.status).toBe(400);
    const { code: next, verifier: nextVerifier } = await auth.authorize(demanding);
    const again = { ...form, code: next ?? '', code_verifier: nextVerifier };
    const asked = await atToken(demanding, again, await proof('POST', endpoint));
    expect(asked).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' }, nonce: expect.any(String) });
    const invented = await atToken(demanding, again, await proof('POST', endpoint, { nonce: 'invented' }));
    expect(invented.body['error']).toBe('use_dpop_nonce');
    const given = await atToken(demanding, again, await proof('POST', endpoint, { nonce: asked.nonce }));
    expect([given.status, given.body['token_type']]).toEqual([200, 'DPoP']);
  });

  test.each<[string, () => Promise<string>]>([
    ['of another method', () => proof('GET', `${auth.url}/token`)],
    ['of another endpoint', () => proof('POST', `${auth.url}/token/revocation`)],
    ['of another host', () => proof('POST', 'https://elsewhere.example/token')],
    ['of an hour ago', () => proof('POST', `${auth.url}/token`, { iat: now() - 3_600 })],
    ['without an id', () => proof('POST', `${auth.url}/token`, { jti: undefined })],
    ['of another type', () => proof('POST', `${auth.url}/token`, { header: { typ: 'JWT' } })],
    ['without its key', () => proof('POST', `${auth.url}/token`, { header: { jwk: undefined } })],
    [
      'with its private key',
      async () => {
        const { privateKey } = await generateKeyPair('ES256', { extractable: true });
        const claims = { jti: randomUUID(), iat: now(), htm: 'POST', htu: `${auth.url}/token` };
        const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(privateKey) };
        return new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
      },
    ],
    [
      'signed by another key than it shows',
      async () => proof('POST', `${auth.url}/token`, { header: { jwk: publicOf(await newProviderKey('ES256')) } }),
    ],
  ])('is not given for a proof %s', async (_, made) => {
    const machine = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    const form = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
    const refused = await atToken(machine, form, await made());
    expect(refused.status).toBe(400);
    expect(['invalid_dpop_proof', 'use_dpop_nonce']).toContain(refused.body['error']);
    expect((await atToken(machine, form, await proof('POST', `${auth.url}/token`))).status).toBe(200);
  });

  test('is given once for one proof, also of ten at the same moment', async () => {
    const machine = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    const form = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
    const one = await proof('POST', `${auth.url}/token`);
    const answers = await Promise.all(Array.from({ length: 10 }, () => atToken(machine, form, one)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['error'] === 'invalid_grant')).toHaveLength(9);
  });
});

describe('at an API of ours a token that is bound', () => {
  const path = '/v1/me/sessions';
  const ask = (authorization: string, dpop?: string) =>
    auth.ask<{ code?: string }>('GET', `${path}?limit=1`, {
      headers: { authorization, ...(dpop === undefined ? {} : { dpop }) },
    });

  test('counts with a proof for this request, and without one does not', async () => {
    const { access_token: token = '' } = await signIn();
    const url = auth.url + path;
    expect((await ask(`DPoP ${token}`, await proof('GET', url, { token }))).status).toBe(200);
    expect(await ask(`Bearer ${token}`)).toMatchObject({ status: 401, body: { code: 'token_invalid' } });
    expect((await ask(`Bearer ${token}`, await proof('GET', url, { token }))).status).toBe(401);
    const refused = await ask(`DPoP ${token}`);
    expect(refused).toMatchObject({ status: 401, body: { code: 'dpop_proof_invalid' } });
    expect(refused.headers.get('www-authenticate')).toContain('DPoP algs=');
    // One that is bound to no key is not made so by a proof.
    const { tokens } = await auth.signIn(application, { resource: auth.url });
    const { access_token: unbound = '' } = tokens;
    expect((await ask(`DPoP ${unbound}`, await proof('GET', url, { token: unbound }))).status).toBe(401);
    expect((await ask(`Bearer ${unbound}`)).status).toBe(200);
  });

  test('is refused for each proof that is not of this request, this token, this key and now', async () => {
    const { access_token: token = '' } = await signIn();
    const { access_token: other = '' } = await signIn();
    const url = auth.url + path;
    const used = await proof('GET', url, { token });
    expect((await ask(`DPoP ${token}`, used)).status).toBe(200);
    const thief = await newProviderKey('ES256');
    const bad = {
      'used before': used,
      'of another method': await proof('POST', url, { token }),
      'of another path': await proof('GET', `${auth.url}/v1/me`, { token }),
      'of another host': await proof('GET', `https://elsewhere.example${path}`, { token }),
      'of another token': await proof('GET', url, { token: other }),
      'of no token': await proof('GET', url),
      'of another key': await proof('GET', url, { token, by: thief }),
      'of two minutes ago': await proof('GET', url, { token, iat: now() - 120 }),
      'of tomorrow': await proof('GET', url, { token, iat: now() + 86_400 }),
      'without an id': await proof('GET', url, { token, jti: undefined }),
      'with a long id': await proof('GET', url, { token, jti: 'x'.repeat(1_000) }),
      'of another type': await proof('GET', url, { token, header: { typ: 'at+jwt' } }),
      'with something after it': `${await proof('GET', url, { token })}A`,
      'in place of which is a token': token,
      nothing: '',
      two: `${await proof('GET', url, { token })}, ${await proof('GET', url, { token })}`,
    };
    for (const [what, dpop] of Object.entries(bad)) {
      const { status, body } = await ask(`DPoP ${token}`, dpop);
      expect([what, status, body.code]).toEqual([what, 401, 'dpop_proof_invalid']);
    }
    for (const more of [`${url}?limit=1`, `${url}#x`])
      expect((await ask(`DPoP ${token}`, await proof('GET', more, { token }))).status).toBe(200);
  });
});

test('UserInfo takes a bound token with its proof alone', async () => {
  const { code, verifier } = await auth.authorize(application);
  const form = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: callback, code_verifier: verifier };
  const { body } = await atToken(application, form, await proof('POST', `${auth.url}/token`));
  const { access_token: token = '' } = body;
  const me = async (scheme: string, dpop?: string) => {
    const headers = { authorization: `${scheme} ${token}`, ...(dpop === undefined ? {} : { dpop }) };
    return (await fetch(`${auth.url}/me`, { headers })).status;
  };
  expect(await me('DPoP', await proof('GET', `${auth.url}/me`, { token }))).toBe(200);
  expect(await me('Bearer')).toBe(401);
  expect(await me('DPoP')).toBeGreaterThanOrEqual(400);
  expect(await me('DPoP', await proof('GET', `${auth.url}/me`))).toBeGreaterThanOrEqual(400);
});
