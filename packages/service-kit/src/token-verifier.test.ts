import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isCanonicalJws, newId } from '@reeve/contracts';
import { callers, eventually, type Issuer, startIssuer } from '@reeve/testing';
import { type JWTPayload, SignJWT } from 'jose';
import type { BaseConfig } from './config.ts';
import { createTokenVerifier, type VerifyToken } from './token-verifier.ts';

const audience = 'http://localhost:4002';
const tenantId = newId('tenant');
let issuer: Issuer;
let verify: VerifyToken;

beforeAll(async () => {
  issuer = await startIssuer();
  verify = createTokenVerifier({ REEVE_ISSUER: issuer.url, REEVE_SELF_URL: audience } as BaseConfig);
});
afterAll(() => issuer.stop());

const tokenOf = (claims: JWTPayload, to = audience) => issuer.token(claims, to);
const refused = { code: 'token_invalid' };

describe('a token', () => {
  test('of a person says who it is, in which session, with which roles, since when', async () => {
    const claims = callers.person(tenantId, { roles: ['tenant_admin'] });
    expect(await verify(await tokenOf({ ...claims, acr: 'mfa', surface: 'console' }))).toMatchObject({
      type: 'user',
      id: claims.sub,
      tenantId,
      sessionId: claims['sid'],
      roles: ['tenant_admin'],
      scopes: ['tenant'],
      platform: false,
      acr: 'mfa',
      surface: 'console',
    });
  });

  test('of the platform is known by its client and not by what it asks for', async () => {
    const { client_id, ...rest } = callers.platform();
    const platform = await verify(await tokenOf({ client_id, ...rest, tid: tenantId }));
    expect(platform).toMatchObject({ platform: true, tenantId, scopes: ['platform:admin', 'tenant'] });
    const pretender = await verify(await tokenOf({ ...callers.tenantClient(tenantId), scope: 'platform:admin' }));
    expect(pretender.platform).toBe(false);
  });

  test('that names areas reaches those, and none that do not exist', async () => {
    const limited = { ...callers.tenantClient(tenantId), areas: ['webhooks', 'everything'] };
    expect((await verify(await tokenOf(limited))).scopes).toEqual(['webhooks']);
    expect((await verify(await tokenOf({ ...limited, areas: [] }))).scopes).toEqual([]);
  });

  test('with claims of another form is that of nobody in particular', async () => {
    const odd = { ...callers.tenantClient(tenantId), tid: 'acme', roles: 'tenant_admin', sid: 7, auth_time: 'now' };
    expect(await verify(await tokenOf(odd))).toMatchObject({
      tenantId: null,
      roles: [],
      sessionId: null,
      authenticatedAt: null,
      scopes: [],
    });
  });
});

describe('a token is refused', () => {
  const claims = callers.tenantClient(tenantId);

  test('for another service, of another issuer, and of no use at all', async () => {
    const other = await startIssuer();
    for (const token of [
      await tokenOf(claims, 'http://localhost:4003'),
      await other.token(claims, audience),
      'eyJhbGciOiJub25lIn0.e30.',
      'x',
      '',
    ])
      await expect(verify(token)).rejects.toMatchObject(refused);
    await other.stop();
    await expect(verify(await tokenOf(claims))).resolves.toBeDefined();
  });

  test('without an owner or a client', async () => {
    for (const without of ['sub', 'client_id']) {
      const rest = Object.fromEntries(Object.entries(claims).filter(([name]) => name !== without));
      await expect(verify(await tokenOf(rest))).rejects.toMatchObject(refused);
    }
  });

  test('that is signed with a symmetric key, such as a public one', async () => {
    const forged = await new SignJWT({ ...claims, jti: 'x' })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'test' })
      .setIssuer(issuer.url)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5 minutes')
      .sign(Buffer.from('a public key is no secret, is it?'));
    await expect(verify(forged)).rejects.toMatchObject(refused);
  });

  test('in a second way of writing it', async () => {
    const token = await tokenOf(claims);
    const [header = '', payload = '', signature = ''] = token.split('.');
    for (const second of [`${token}=`, `${token}==`, `${header}=.${payload}.${signature}`, ` ${token}`, `${token}\n`])
      await expect(verify(second)).rejects.toMatchObject(refused);
    expect(isCanonicalJws(token)).toBe(true);
    // Of the last character of an ES256 signature nobody reads four bits.
    expect(isCanonicalJws(`${token.slice(0, -1)}B`)).toBe(false);
  });
});

test('while the keys of the issuer cannot be had, it is not the token that is wrong', async () => {
  const gone = await startIssuer();
  const token = await gone.token(callers.tenantClient(tenantId), audience);
  await gone.stop();
  const late = createTokenVerifier({ REEVE_ISSUER: gone.url, REEVE_SELF_URL: audience } as BaseConfig);
  await expect(late(token)).rejects.toMatchObject({ code: 'dependency_unavailable', retryAfterSeconds: 2 });
});

test('keys are asked for again before they are too old, and nobody waits for the answer', async () => {
  let asked = 0;
  let isSilent = false;
  const jwks = await (await fetch(`${issuer.url}/jwks`)).text();
  const slow = createServer((_, response) => {
    asked += 1;
    if (!isSilent) response.end(jwks);
  });
  await new Promise<void>(resolve => slow.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
  const check = createTokenVerifier({
    REEVE_ISSUER: issuer.url,
    REEVE_ISSUER_ADDRESS: address,
    REEVE_SELF_URL: audience,
  } as BaseConfig);
  const token = await tokenOf(callers.tenantClient(tenantId));
  const startedAt = Date.now();
  const now = jest.spyOn(Date, 'now');
  const after = async (seconds: number) => {
    now.mockReturnValue(startedAt + seconds * 1_000);
    return check(token, new Date(startedAt));
  };
  await after(0);
  await after(29);
  expect(asked).toBe(1);
  // Auth does not answer any more: the keys that are there count to their end, and not longer.
  isSilent = true;
  await after(31);
  await eventually('they are asked for', () => asked === 2);
  await after(59);
  await expect(after(61)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  isSilent = false;
  await after(62);
  now.mockRestore();
  slow.closeAllConnections();
  slow.close();
}, 20_000);
