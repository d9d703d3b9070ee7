// Which texts lead to the session of a person for whom an identity assertion is asked. ID tokens are made by our own
// keys where a key of somebody else's would prove nothing; the numbers are those of the list of attacks that we keep.
import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import type { Provider } from 'oidc-provider';
import { isServed, type KnownApplication } from '../applications/known-application.ts';
import { refText } from '../sessions/live-sessions.ts';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { newOwnKeys } from './own-keys.test-support.ts';
import { inRequestScope } from './request-scope.ts';
import { createFindVouchingSubject, type SubjectToken } from './vouching-subject.ts';

const issuer = 'https://issuer.example';
const at = 1_800_000_000;
const [tenantId, sessionId, userId] = [newId('tenant'), newId('session'), newId('user')];
const application = { id: newId('client'), tenantId, tenants: null, surface: null } as unknown as KnownApplication;
const grantId = `${refText({ tenantId, sessionId })}~grant`;
let key: ProviderKey;
let accessKey: ProviderKey;
let keys: SigningKey[];

beforeAll(async () => {
  ({ id: key, access: accessKey, keys } = await newOwnKeys());
});

const refreshToken = {
  clientId: application.id,
  accountId: userId,
  grantId,
  scope: 'openid offline_access',
  consumed: undefined as number | undefined,
  jkt: undefined as string | undefined,
};
type Known = {
  sessions?: string[];
  isOver?: boolean;
  refresh?: Partial<typeof refreshToken> | null;
  grant?: object | null;
  jkt?: string;
  of?: Partial<KnownApplication>;
};

function find(token: string, type: SubjectToken['type'] = 'id_token', known: Known = {}) {
  const { sessions = [sessionId], isOver = false, refresh = {}, grant = {}, jkt, of = {} } = known;
  const held = refresh && { ...refreshToken, ...refresh };
  const provider = {
    RefreshToken: { find: async (text: string) => (text === 'refresh' ? (held ?? undefined) : undefined) },
    Grant: { find: async () => grant && { clientId: application.id, accountId: userId, ...grant } },
  };
  const finding = createFindVouchingSubject(
    provider as unknown as Provider,
    {
      issuer,
      keys,
      clock: { now: () => new Date(at * 1_000), newEventId },
      applications: { serves: async (one: KnownApplication, id: TenantId) => isServed(one, id) },
      live: {
        find: async (ref: { sessionId: string }) =>
          sessions.includes(ref.sessionId) ? { id: sessionId, state: { userId } } : null,
        isOverFor: async () => isOver,
      },
    } as never,
  );
  const cause = serviceCause('auth', { correlationId: newEventId() });
  return inRequestScope(cause, () => finding({ token, type }, { application: { ...application, ...of }, jkt }));
}

const claims = { iss: issuer, aud: application.id, sub: userId, tid: tenantId, sid: sessionId, iat: at, exp: at + 60 };
const made = (more: object = {}, header: object = {}) => signedBy(key, { ...claims, ...more } as never, header);
const taken = { id: sessionId };
const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('an ID token', () => {
  test.each<[string, () => Promise<string>]>([
    ['80 of another application', () => made({ aud: newId('client') })],
    ['80 of another application as well', () => made({ aud: [application.id, newId('client')] })],
    ['81 that has expired', () => made({ exp: at })],
    ['81 that has no end', () => made({ exp: undefined })],
    ['81 that ends at a text', () => made({ exp: String(at + 60) })],
    ['81 that does not count yet', () => made({ nbf: at + 60 })],
    ['82 of another identity provider', () => made({ iss: 'https://other.example' })],
    ['82 of our issuer with a slash', () => made({ iss: `${issuer}/` })],
    ['82 by a key of somebody else', async () => signedBy(await newProviderKey(), claims as never)],
    [
      '82 by a key under the name of ours',
      async () => signedBy({ ...(await newProviderKey()), kid: 'ES256' }, claims as never),
    ],
    ['83 that is an access token', () => made({}, { typ: 'at+jwt' })],
    ['83 that is an access token, by its key', () => signedBy(accessKey, claims as never, { typ: 'at+jwt' })],
    ['83 that is a logout token', () => made({}, { typ: 'logout+jwt' })],
    ['83 that is an identity assertion', () => made({}, { typ: 'oauth-id-jag+jwt' })],
    ['83 that is a security event', () => made({}, { typ: 'secevent+jwt' })],
    ['without a signature', async () => `${text({ alg: 'none' })}.${text(claims)}.`],
    [
      'by HS256 with the public key',
      async () => {
        const said = `${text({ alg: 'HS256', kid: 'RS256' })}.${text(claims)}`;
        return `${said}.${createHmac('sha256', JSON.stringify(key.jwk)).update(said).digest('base64url')}`;
      },
    ],
    ['without a session', () => made({ sid: undefined })],
    ['with a session that has no such name', () => made({ sid: 'x' })],
    ['without a tenant', () => made({ tid: undefined })],
    ['without a subject', () => made({ sub: undefined })],
    ['of 9 kB', () => made({ x: 'x'.repeat(9_000) })],
    ['that is a refresh token', async () => 'refresh'],
  ])('%s is none', async (_name, token) => {
    expect(await find(await token())).toMatchObject({ refused: 'subject_token' });
    expect(await find(await made())).toMatchObject(taken);
  });

  test('is taken by either of our keys', async () => {
    expect(await find(await signedBy(accessKey, claims as never))).toMatchObject(taken);
  });

  test.each<[string, object, Known?]>([
    ['90 of a session that is over', {}, { sessions: [] }],
    ['90 of a session that is over where the application is used', {}, { isOver: true }],
    ['of a session of somebody else', { sub: newId('user') }],
    ['of a tenant that the application does not serve', { tid: newId('tenant') }],
    ['of another application’s tenant', {}, { of: { tenantId: newId('tenant') } }],
  ])('%s leads to none', async (_name, more, known = {}) => {
    expect(await find(await made(more), 'id_token', known)).toMatchObject({ refused: 'session' });
  });

  test('of a session that is over says whose it was, to the application that has to do with them', async () => {
    const of = { tenantId: null, tenants: [tenantId] };
    expect(await find(await made(), 'id_token', { sessions: [], of })).toMatchObject({ refused: 'session', tenantId });
    const others = { tenantId: null, tenants: [newId('tenant')] };
    expect(await find(await made(), 'id_token', { sessions: [], of: others })).toMatchObject({ tenantId: null });
    expect(await find(await made({ exp: at }), 'id_token', { of })).toMatchObject({ tenantId: null });
  });
});

describe('a refresh token', () => {
  const by = (known: Known) => find('refresh', 'refresh_token', known);

  test.each<[string, Known, string?]>([
    ['86 that was revoked', { refresh: null }],
    ['86 whose grant is gone', { grant: null }],
    ['that has been followed by another', { refresh: { consumed: at } }],
    ['80 of another application', { refresh: { clientId: newId('client') } }],
    ['whose grant is of another application', { grant: { clientId: newId('client') } }],
    ['whose grant is of somebody else', { grant: { accountId: newId('user') } }],
    ['by which nobody is told who it is', { refresh: { scope: 'offline_access' } }],
    ['that is bound to a key that was not proven', { refresh: { jkt: 'x' } }, 'proof'],
    ['that is bound to another key', { refresh: { jkt: 'x' }, jkt: 'y' }, 'proof'],
    ['90 of a session that is over', { sessions: [] }, 'session'],
    ['of a session of somebody else', { refresh: { accountId: newId('user') }, grant: {} }],
  ])('%s leads to nobody', async (_name, known, because = 'subject_token') => {
    expect(await by(known)).toMatchObject({ refused: because });
    expect(await by({})).toMatchObject(taken);
  });

  test('that is bound to a key is taken with it', async () => {
    expect(await by({ refresh: { jkt: 'x' }, jkt: 'x' })).toMatchObject(taken);
    expect(await by({ jkt: 'x' })).toMatchObject(taken);
  });

  test('is none under the name of an ID token, nor the other way round', async () => {
    expect(await find('refresh')).toMatchObject({ refused: 'subject_token' });
    expect(await find(await made(), 'refresh_token')).toMatchObject({ refused: 'subject_token' });
  });
});
