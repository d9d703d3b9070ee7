// Viewer tokens as the service takes them: each attack beside the token that it was made of, which is good.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, ProblemError, serviceCause, type TenantId } from '@reeve/contracts';
import type { Caller, VerifyToken } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { importJWK, SignJWT } from 'jose';
import { callRoute, openTestLog, type TestLog } from '../audit.test-support.ts';
import { createViewerToken } from './create-viewer-token.ts';
import { makerEnds } from './maker-end.ts';
import { revokeViewerToken } from './revoke-viewer-token.ts';
import { orViewer, type ViewerParts, viewers } from './viewer-token.ts';

const selfUrl = 'https://audit.example';
const origin = 'https://app.example.org';
let aheadMs = 0;
let isTrusted: boolean;
const clock: Clock = { now: () => new Date(Date.now() + aheadMs), newEventId: () => newId('request') };
let opened: TestLog;
let parts: ViewerParts;
let tenantId: TenantId;
let verify: VerifyToken;
const byIssuer: string[] = [];

beforeAll(async () => {
  opened = await openTestLog();
  const { store, key } = opened;
  const collections = { viewers: store.collection(viewers), makerEnds: store.collection(makerEnds) };
  const { d: _, ...publicPart } = key;
  isTrusted = true;
  const trustedKey = (keyId: string | undefined) => (isTrusted && keyId === key.kid ? publicPart : null);
  parts = { ...collections, signingKey: () => key, trustedKey, selfUrl, clock };
  tenantId = newId('tenant');
  verify = orViewer(parts, async token => {
    byIssuer.push(token);
    throw new ProblemError('token_invalid');
  });
});
afterAll(() => opened.store.close());

type Created = { id: string; token: string };
const create = (expiresInSeconds = 60) =>
  callRoute<Created>(createViewerToken(parts), {
    tenantId,
    body: { name: 'page', origins: [origin], expiresInSeconds },
  });

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (text = '') => JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;

describe('a viewer token', () => {
  test('reads the log of its tenant, from its origins, and is nobody else', async () => {
    const { id, token } = await create();
    const caller: Caller = await verify(token);
    expect(caller).toMatchObject({ type: 'client', id, tenantId, scopes: ['audit:view'], roles: [], platform: false });
    expect(caller.origins).toEqual([origin]);
  });

  test('ends by itself, and when it is revoked', async () => {
    const { token } = await create(60);
    expect(await verify(token)).toMatchObject({ tenantId });
    aheadMs = 61_000;
    await expect(verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
    aheadMs = 0;
    const { id, token: other } = await create();
    expect(await verify(other)).toMatchObject({ id });
    const cause = serviceCause('test', { correlationId: 'c' });
    await callRoute(revokeViewerToken(parts), { tenantId, params: { viewerId: id }, cause });
    await expect(verify(other)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  test('ends with the key that signed it, once that is compromised', async () => {
    const { token } = await create();
    expect(await verify(token)).toMatchObject({ tenantId });
    isTrusted = false;
    await expect(verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
    isTrusted = true;
  });

  const attacks: Record<string, (parts: [string, string, string]) => string | Promise<string>> = {
    'of another tenant': ([header, payload, signature]) =>
      [header, encode({ ...decode(payload), tid: newId('tenant') }), signature].join('.'),
    'that lasts longer': ([header, payload, signature]) =>
      [header, encode({ ...decode(payload), exp: 4_102_444_800 }), signature].join('.'),
    'that nobody signed': ([header, payload]) => [encode({ ...decode(header), alg: 'none' }), payload, ''].join('.'),
    'signed with the public key as a secret': ([header, payload, signature]) =>
      [encode({ ...decode(header), alg: 'HS256' }), payload, signature].join('.'),
    'with a part cut off': ([header, payload, signature]) => [header, payload, signature.slice(0, -4)].join('.'),
    'written in another way': ([header, payload, signature]) => [header, payload, `${signature}==`].join('.'),
    'for another service': ([header, payload]) => signed(header, { ...decode(payload), aud: 'https://auth.example' }),
    'of another issuer': ([header, payload]) => signed(header, { ...decode(payload), iss: 'https://evil.example' }),
    'that is not there': ([header, payload]) => signed(header, { ...decode(payload), sub: newId('viewer') }),
    'without an end': ([header, payload]) => {
      const { exp: _, ...rest } = decode(payload);
      return signed(header, rest);
    },
  };

  /** By our own key, for what a signature alone does not stop. */
  async function signed(header: string, payload: Record<string, unknown>): Promise<string> {
    const { alg, kid, typ } = decode(header) as { alg: string; kid: string; typ: string };
    return new SignJWT(payload).setProtectedHeader({ alg, kid, typ }).sign(await importJWK(opened.key, alg));
  }

  test.each(Object.entries(attacks))('%s is refused', async (_, attack) => {
    const { token } = await create();
    expect(await verify(token)).toMatchObject({ tenantId });
    const [header = '', payload = '', signature = ''] = token.split('.');
    // The positive control of those that are signed anew.
    expect(await verify(await signed(header, decode(payload)))).toMatchObject({ tenantId });
    await expect(verify(await attack([header, payload, signature]))).rejects.toMatchObject({ code: 'token_invalid' });
  });

  test('is kept apart from access tokens, which the keys of the issuer verify', async () => {
    const [header = '', payload, signature] = (await create()).token.split('.');
    const claimed = [encode({ ...decode(header), typ: 'at+jwt' }), payload, signature].join('.');
    await expect(verify(claimed)).rejects.toMatchObject({ code: 'token_invalid' });
    await expect(verify('nonsense')).rejects.toMatchObject({ code: 'token_invalid' });
    expect(byIssuer).toEqual([claimed, 'nonsense']);
  });
});
