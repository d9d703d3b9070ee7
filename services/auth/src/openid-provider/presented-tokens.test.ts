// Which texts are taken for an access token of ours, as a list of attacks on JWTs (standards.md 6.2). Each is made by
// our own key where a key of somebody else's would prove nothing.
import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type { Provider } from 'oidc-provider';
import { isServed, type KnownApplication } from '../applications/known-application.ts';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { newOwnKeys } from './own-keys.test-support.ts';
import { createFindPresented } from './presented-tokens.ts';
import { inRequestScope } from './request-scope.ts';

const issuer = 'https://issuer.example';
const audience = 'https://api.example';
const at = 1_800_000_000;
const clientId = newId('client');
const tenantId = newId('tenant');
const sessionId = newId('session');
let key: ProviderKey;
let ofIdTokens: ProviderKey;
let keys: SigningKey[];

beforeAll(async () => {
  ({ access: key, id: ofIdTokens, keys } = await newOwnKeys());
});

const claims = {
  iss: issuer,
  aud: audience,
  sub: newId('user'),
  client_id: clientId,
  scope: 'read',
  iat: at,
  exp: at + 60,
  jti: 'one',
  tid: tenantId,
  sid: sessionId,
};
const typ = 'at+jwt';

type Known = { sessions?: string[]; tokensFrom?: string | null; tenants?: string[]; createdAt?: string };

function find(token: string, form: 'any' | 'jwt' = 'any', known: Known = {}) {
  const { sessions = [sessionId], tokensFrom = null, tenants = [tenantId], createdAt = '2026-01-01' } = known;
  const nothing = { find: async () => undefined };
  const finding = createFindPresented(
    { AccessToken: nothing, ClientCredentials: nothing } as unknown as Provider,
    {
      issuer,
      keys,
      clock: { now: () => new Date(at * 1_000), newEventId },
      applications: {
        findUnread: async (id: string) => (id === clientId ? { id, tenantId: null, tenants, tokensFrom } : null),
        serves: async (known: KnownApplication, id: TenantId) => isServed(known, id),
      },
      resourceServers: {
        find: async (url: string) =>
          url === audience
            ? { applications: 'all', scopes: [{ name: 'read' }], exchangePolicies: [], createdAt }
            : null,
      },
      live: {
        find: async (ref: { sessionId: string }) => (sessions.includes(ref.sessionId) ? { id: sessionId } : null),
        isOverFor: async () => false,
      },
      tenants: { find: async () => ({ status: 'active' }) },
      vouchedBy: async () => undefined,
      grants: { findOrigin: async () => null, findGrant: async () => undefined },
    } as never,
  );
  const cause = serviceCause('auth', { correlationId: newEventId() });
  return inRequestScope(cause, () => finding(token, form));
}

const encoded = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const made = (more: object = {}, header: object = {}) => signedBy(key, { ...claims, ...more }, { typ, ...header });

describe('an access token', () => {
  test('is taken', async () => {
    expect(await find(await made())).toMatchObject({ said: { sub: claims.sub, scope: 'read' }, grantId: null });
    expect(await find(await made(), 'jwt')).not.toBeNull();
    // RS256 is an API's to choose.
    expect(await find(await signedBy(ofIdTokens, claims, { typ }))).not.toBeNull();
    expect(await find(await made({ sid: undefined, sub: clientId }))).not.toBeNull();
  });

  test.each<[string, object]>([
    ['of another issuer', { iss: 'https://other.example' }],
    ['of the issuer with a slash', { iss: `${issuer}/` }],
    ['without an issuer', { iss: undefined }],
    ['for an API that is none', { aud: 'https://nobody.example' }],
    ['for an API as it is not written', { aud: `${audience}/` }],
    ['for several', { aud: [audience, 'https://other.example'] }],
    ['for none', { aud: undefined }],
    ['with a scope that its application may not have any more', { scope: 'read write' }],
    ['expired', { exp: at }],
    ['expired long ago', { exp: 1 }],
    ['without an end', { exp: undefined }],
    ['with an end that is no number', { exp: String(at + 60) }],
    ['not yet valid', { nbf: at + 60 }],
    ['without an id', { jti: undefined }],
    ['without a beginning', { iat: undefined }],
    ['of nobody', { sub: undefined }],
    ['of no application', { client_id: undefined }],
    ['of an application that is none', { client_id: newId('client') }],
    ['of no tenant', { tid: undefined }],
    ['of a tenant that is no id', { tid: 'acme' }],
    ['of a session that is none', { sid: newId('session') }],
    ['of a session that is no id', { sid: 'ses_' }],
    ['of a person without a session', { sid: undefined }],
    ['bound in a way that is not ours', { cnf: { 'x5t#S256': 'x' } }],
    ['bound in two ways', { cnf: { jkt: 'x', 'x5t#S256': 'x' } }],
    ['with an actor that is none', { act: 'somebody' }],
    ['with an actor without a name', { act: { act: { sub: 'x' } } }],
    ['with may_act that is none', { may_act: 'somebody' }],
    ['from before its application’s tokens were ended', { client_tokens_from: '2020-01-01T00:00:00.000Z' }],
  ])('%s is none', async (_, more) => {
    expect(await find(await made(more as never))).toBeNull();
    expect(await find(await made())).not.toBeNull();
  });

  test.each<[string, object]>([
    ['an ID token', { typ: 'JWT' }],
    ['an ID token without a type', { typ: undefined }],
    ['a logout token', { typ: 'logout+jwt' }],
    ['a security event', { typ: 'secevent+jwt' }],
    ['a proof', { typ: 'dpop+jwt' }],
    ['a client assertion', { typ: 'client-authentication+jwt' }],
    ['by a key that is not there', { kid: 'other' }],
    ['by a key with a path', { kid: '../../dev/null' }],
    ['with something critical', { crit: ['x'], x: 1 }],
  ])('of another kind is none: %s', async (_, header) => {
    const { privateKey } = key;
    const crit = 'crit' in header ? { crit: { x: true } } : {};
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ, ...header })
      .sign(privateKey, crit);
    expect(await find(token)).toBeNull();
  });

  test('by another key is none, also where it brings that along', async () => {
    const thief = await newProviderKey('ES256');
    for (const header of [{}, { jwk: thief.jwk }, { jku: 'https://thief.example/keys' }, { kid: thief.kid }])
      expect(await find(await signedBy(thief, claims, { typ, kid: key.kid, ...header }))).toBeNull();
  });

  test('by no algorithm of ours is none', async () => {
    const body = encoded(claims);
    for (const alg of ['none', 'None', 'nOnE', ''])
      for (const signature of ['', 'AA'])
        expect(await find(`${encoded({ alg, typ })}.${body}.${signature}`)).toBeNull();
    const [header] = [encoded({ alg: 'HS256', typ, kid: 'RS256' })];
    const pem = await exportSPKI(ofIdTokens.publicKey);
    for (const secret of [pem, pem.trim(), JSON.stringify(ofIdTokens.jwk), '']) {
      const signature = createHmac('sha256', secret).update(`${header}.${body}`).digest('base64url');
      expect(await find(`${header}.${body}.${signature}`)).toBeNull();
    }
    const pss = await generateKeyPair('PS256');
    expect(await find(await signedBy({ ...ofIdTokens, ...pss, alg: 'PS256' }, claims, { typ }))).toBeNull();
  });

  test('that was changed, or is written another way, is none', async () => {
    const token = await made();
    const [header = '', body = '', signature = ''] = token.split('.');
    const zeros = Buffer.alloc(64).toString('base64url');
    const changed = encoded({ ...claims, scope: 'write' });
    for (const other of [
      `${header}.${changed}.${signature}`,
      `${header}.${body}.${zeros}`,
      `${header}.${body}.`,
      `${header}.${body}`,
      `${token}=`,
      `${token}.`,
      ` ${token}`,
      `${token}\n`,
      `${token}AA`,
      token.slice(0, -1),
      JSON.stringify({ payload: body, protected: header, signature }),
      `${header}.${body}.${signature}.${body}.${signature}`,
      `${'A'.repeat(8_000)}${token}`,
      '',
    ])
      expect(await find(other)).toBeNull();
    expect(await find(token)).not.toBeNull();
  });

  test('counts while all that it rests on does', async () => {
    const token = await made();
    expect(await find(token, 'any', { sessions: [] })).toBeNull();
    expect(await find(token, 'any', { tenants: [] })).toBeNull();
    expect(await find(token, 'any', { tokensFrom: '2026-11-26T00:00:00.000Z' })).toBeNull();
    expect(await find(token, 'any', { createdAt: new Date((at + 1) * 1_000).toISOString() })).toBeNull();
    expect(await find(token)).not.toBeNull();
  });

  test('that is opaque is none where a JWT is to come', async () => {
    expect(await find('opaque', 'jwt')).toBeNull();
  });
});
