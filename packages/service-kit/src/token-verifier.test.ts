import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isCanonicalJws, newId } from '@reeve/contracts';
import { callers, type Issuer, startIssuer } from '@reeve/testing';
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
