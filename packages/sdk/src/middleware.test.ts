// Who is let in by the middleware, and what everybody else is told.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { listen } from '@reeve/testing';
import express from 'express';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { callerOf, protect } from './express.ts';
import { protectFetch } from './fetch.ts';
import { audience, startIssuer, type TestIssuer } from './issuer.test-support.ts';
import { createVerifier, type Verifier } from './verifier.ts';

let issuer: TestIssuer;
let verifier: Verifier;
let api: Awaited<ReturnType<typeof listen>>;

beforeAll(async () => {
  issuer = await startIssuer();
  verifier = createVerifier({ issuer: issuer.url, audience, revocations: 'not_followed' });
  const app = express();
  app.get('/me', protect(verifier), (request, response) => {
    response.json({ sub: request.reeve?.sub, tenant: callerOf(request).tenantId });
  });
  app.get('/write', protect(verifier, { scopes: ['messages:write'] }), (_, response) => void response.json({}));
  app.get('/pay', protect(verifier, { acr: ['mfa', 'phr'], maxAgeSeconds: 60 }), (_, response) => {
    response.json({});
  });
  app.get(
    '/tenants/:tenantId',
    protect<express.Request<{ tenantId: string }>>(verifier, { tenantOf: ({ params }) => params.tenantId }),
    (_, response) => void response.json({}),
  );
  app.get('/forgotten', (request, response) => void response.json(callerOf(request)));
  app.use(
    '/below',
    express.Router().get('/me', protect(verifier), (_, response) => void response.json({})),
  );
  api = await listen(createServer(app));
});
afterAll(() => Promise.all([api.stop(), issuer.stop()]));

const ask = async (path: string, headers: Record<string, string> | [string, string][] = {}) => {
  const response = await fetch(api.url + path, { headers });
  const challenge = response.headers.get('www-authenticate');
  const { status } = response;
  return { status, challenge, body: (await response.json().catch(() => null)) as Record<string, unknown> | null };
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('on Express', () => {
  test('a good token is let in, and says who it is', async () => {
    const { sub, tid } = issuer.claims();
    const { status, body } = await ask('/me', bearer(await issuer.token({ sub, tid })));
    expect([status, body]).toEqual([200, { sub, tenant: tid }]);
  });

  test('without a token the scheme is said, and no error (RFC 6750 §3)', async () => {
    expect(await ask('/me')).toMatchObject({ status: 401, challenge: 'Bearer', body: { code: 'token_missing' } });
  });

  test('a bad one is told so, and not why', async () => {
    for (const value of ['Bearer x', 'Basic x', 'Bearer', `Bearer ${await issuer.token({ aud: 'x' })}`, 'Bearer a, b'])
      expect(await ask('/me', { authorization: value })).toEqual({
        status: 401,
        challenge: 'Bearer error="invalid_token", error_description="The access token is not valid here"',
        body: { type: 'about:blank', title: expect.any(String), status: 401, code: 'token_invalid' },
      });
  });

  test('a scope that is missing is named', async () => {
    expect(await ask('/write', bearer(await issuer.token()))).toMatchObject({
      status: 403,
      challenge: expect.stringContaining('error="insufficient_scope"'),
      body: { code: 'insufficient_scope' },
    });
    expect((await ask('/write', bearer(await issuer.token()))).challenge).toContain('scope="messages:write"');
    const with_ = await issuer.token({ scope: 'messages:read messages:write' });
    expect((await ask('/write', bearer(with_))).status).toBe(200);
    expect((await ask('/write', bearer(await issuer.token({ scope: 'messages:writer' })))).status).toBe(403);
  });

  test('another or a later sign-in is asked for (RFC 9470)', async () => {
    const ago = (seconds: number) => Math.floor(Date.now() / 1_000) - seconds;
    const said = { acr: 'mfa', auth_time: ago(10) };
    expect((await ask('/pay', bearer(await issuer.token(said)))).status).toBe(200);
    for (const change of [{ acr: 'pwd' }, { acr: undefined }, { auth_time: ago(70) }, { auth_time: undefined }])
      expect(await ask('/pay', bearer(await issuer.token({ ...said, ...change })))).toMatchObject({
        status: 401,
        challenge:
          'Bearer error="insufficient_user_authentication", error_description="This asks for another, or a more ' +
          'recent, sign-in", acr_values="mfa phr", max_age="60"',
      });
  });

  test('what is of another tenant is not there', async () => {
    const tid = newId('tenant');
    const token = await issuer.token({ tid });
    expect((await ask(`/tenants/${tid}`, bearer(token))).status).toBe(200);
    expect(await ask(`/tenants/${newId('tenant')}`, bearer(token))).toMatchObject({ status: 404, challenge: null });
  });

  test('a handler that nothing protects knows nobody', async () => {
    expect((await ask('/forgotten', bearer(await issuer.token()))).status).toBe(500);
  });
});

describe('a token that is bound to a key (RFC 9449)', () => {
  async function holder() {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const jkt = await calculateJwkThumbprint(jwk);
    const token = await issuer.token({ cnf: { jkt } });
    const ath = createHash('sha256').update(token).digest('base64url');
    const usual = {
      htm: 'GET',
      htu: `${audience}/me`,
      jti: newId('request'),
      ath,
      iat: Math.floor(Date.now() / 1_000),
    };
    const proof = (change: object = {}, header: object = {}) =>
      new SignJWT({ ...usual, jti: newId('request'), ...change })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
        .sign(privateKey);
    return { token, proof, jkt, privateJwk: await exportJWK(privateKey) };
  }
  const withProof = (token: string, dpop: string) => ({ authorization: `DPoP ${token}`, dpop });

  test('is let in with a proof for this request', async () => {
    const { token, proof } = await holder();
    expect((await ask('/me?page=2', withProof(token, await proof()))).status).toBe(200);
    expect((await ask('/below/me', withProof(token, await proof({ htu: `${audience}/below/me` })))).status).toBe(200);
  });

  test('is refused as a bearer, and one that is not bound by DPoP', async () => {
    const { token, proof } = await holder();
    expect(await ask('/me', { ...bearer(token), dpop: await proof() })).toMatchObject({
      body: { code: 'token_invalid' },
    });
    const unbound = await issuer.token();
    expect(await ask('/me', withProof(unbound, await proof()))).toMatchObject({ body: { code: 'token_invalid' } });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'dpop_proof_invalid' });
  });

  test('is refused without exactly one proof, and the algorithms are named', async () => {
    const { token, proof } = await holder();
    expect(await ask('/me', { authorization: `DPoP ${token}` })).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^DPoP algs="ES256 PS256 EdDSA Ed25519", error="invalid_dpop_proof"/),
    });
    const two = [
      ['authorization', `DPoP ${token}`],
      ['dpop', await proof()],
      ['dpop', await proof()],
    ] as const;
    expect((await ask('/me', two as never)).status).toBe(401);
  });

  test.each([
    ['another method', { htm: 'POST' }],
    ['another address', { htu: 'https://elsewhere.example/me' }],
    ['another path', { htu: `${audience}/you` }],
    ['another token', { ath: 'x' }],
    ['no token', { ath: undefined }],
    ['an hour ago', { iat: 1 }],
    ['no jti', { jti: undefined }],
  ])('is refused with a proof for %s', async (_, change) => {
    const { token, proof } = await holder();
    expect(await ask('/me', withProof(token, await proof(change)))).toMatchObject({
      body: { code: 'dpop_proof_invalid' },
    });
  });

  test('is refused with a proof that was used, of another key, of another type, or that shows a private key', async () => {
    const { token, proof, privateJwk } = await holder();
    const once = await proof();
    expect((await ask('/me', withProof(token, once))).status).toBe(200);
    const others = await holder();
    const forOurs = { ath: createHash('sha256').update(token).digest('base64url') };
    for (const one of [
      once,
      await others.proof(forOurs),
      await proof({}, { typ: 'JWT' }),
      await proof({}, { jwk: privateJwk }),
    ])
      expect(await ask('/me', withProof(token, one))).toMatchObject({ body: { code: 'dpop_proof_invalid' } });
  });

  test('is refused where nobody has said what this API is called', async () => {
    const its = createVerifier({ issuer: issuer.url, audience: 'urn:api', revocations: 'not_followed' });
    const { proof, jkt } = await holder();
    const named = await issuer.token({ aud: 'urn:api', cnf: { jkt } });
    await expect(
      its.authenticate({ authorization: [`DPoP ${named}`], dpop: [await proof()], method: 'GET', url: '/me' }),
    ).rejects.toMatchObject({ code: 'dpop_proof_invalid' });
  });
});

describe('of the fetch style', () => {
  test('lets in and refuses alike', async () => {
    const handle = protectFetch(verifier, (_, { sub }) => Response.json({ sub }), { scopes: ['messages:read'] });
    const request = (authorization?: string) =>
      new Request(`${audience}/me`, authorization === undefined ? {} : { headers: { authorization } });
    const { sub } = issuer.claims();
    const good = await handle(request(`Bearer ${await issuer.token({ sub })}`));
    expect([good.status, await good.json()]).toEqual([200, { sub }]);
    expect((await handle(request())).headers.get('www-authenticate')).toBe('Bearer');
    expect((await handle(request('Bearer x'))).status).toBe(401);
    expect((await handle(request(`Bearer ${await issuer.token({ scope: '' })}`))).status).toBe(403);
  });

  test('says of an error of the handler nothing of its own', async () => {
    const handle = protectFetch(verifier, () => {
      throw new Error('mine');
    });
    const request = new Request(audience, { headers: bearer(await issuer.token()) });
    await expect(handle(request)).rejects.toThrow('mine');
  });
});

test('while the issuer is away it is not the token that is wrong, and it is not asked again at once', async () => {
  const gone = await startIssuer();
  gone.state.isAway = true;
  const its = createVerifier({ issuer: gone.url, audience, revocations: 'not_followed' });
  const handle = protectFetch(its, () => new Response());
  const request = async () => handle(new Request(audience, { headers: bearer(await gone.token()) }));
  const answers = [];
  for (let n = 0; n < 10; n += 1) answers.push(await request());
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 503));
  expect(answers[0]?.headers.get('retry-after')).toBe('2');
  expect(gone.asked.length).toBe(1);
  await gone.stop();
});
