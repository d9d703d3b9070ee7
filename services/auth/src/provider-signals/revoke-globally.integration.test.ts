// Global token revocation over HTTP, as Okta asks for it, and what forgers, other tenants' providers and other tokens
// of the same provider get. Beside each refusal stands the request that differs in nothing else and is taken.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { type EventReader, eventually, newProviderKey, type ProviderKey, readEvents, signedBy } from '@reeve/testing';
import { type JWTPayload, SignJWT } from 'jose';
import { type Auth, startAuth } from '../auth.test-support.ts';
import { type AtTenant, idTokenOf, newCustomer, seconds, signIn, suspend } from './signals.test-support.ts';

let auth: Auth;
let events: EventReader;
let revocations: EventReader;
let key: ProviderKey;
let acme: AtTenant;
let other: AtTenant;

beforeAll(async () => {
  auth = await startAuth();
  key = await auth.provider.changesItsKeys();
  events = await readEvents('reeve.auth.v1');
  revocations = await readEvents('reeve.revocations.v1');
  acme = await newCustomer(auth);
  other = await newCustomer(auth);
}, 60_000);
afterAll(async () => {
  await Promise.all([events.stop(), revocations.stop()]);
  await auth.stop();
});

const path = '/v1/global-token-revocation';
const claimsOf = (at: AtTenant): JWTPayload => ({
  iss: at.issuer,
  sub: at.clientId,
  aud: auth.url + path,
  jti: randomUUID(),
  nbf: seconds(-300),
  iat: seconds(),
  exp: seconds(300),
});
const typed = { typ: 'global-token-revocation+jwt' };

const asserted = (at: AtTenant, change: object = {}, header: object = {}) =>
  signedBy(key, { ...claimsOf(at), ...change }, { ...typed, ...header });

async function post(token: string | null, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(auth.url + path, {
    method: 'POST',
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, code: text === '' ? null : (JSON.parse(text) as { code: string }).code };
}
const revoke = async (at: AtTenant, subId: object, change: object = {}) =>
  post(await asserted(at, change), { sub_id: subId });

const nobody = { email: null, displayName: null, roles: ['tenant_member'], created: false };
const person = () => ({ sub: randomUUID(), email: `${randomUUID()}@acme.example` });
const byName = (at: AtTenant, sub: string) => ({ format: 'iss_sub', iss: at.issuer, sub });
const byEmail = (email: string) => ({ format: 'email', email });
const opaque = (id: string) => ({ format: 'opaque', id });
const done = { status: 204, code: null };
const invalid = { status: 401, code: 'token_invalid' };
const unknown = { status: 404, code: 'subject_unknown' };

test('the discovery document says where it is, and how to prove who one is', async () => {
  const { body } = await auth.ask<Record<string, unknown>>('GET', '/.well-known/openid-configuration');
  expect(body).toMatchObject({
    global_token_revocation_endpoint: auth.url + path,
    global_token_revocation_endpoint_auth_methods_supported: ['private_key_jwt', 'Bearer'],
  });
});

describe('an identity provider ends the sessions of a person', () => {
  test.each([
    ['by the name that it has for them', (sub: string) => byName(acme, sub)],
    ['by address, in any case', (_: string, email: string) => byEmail(email.toUpperCase())],
    ['by that name alone', (sub: string) => opaque(sub)],
    ['by the id that they have here', (_: string, __: string, userId: string) => opaque(userId)],
  ])('%s: all of them, with their tokens, everywhere, on the record', async (_, name) => {
    const who = person();
    const [first, second, another] = [
      await signIn(auth, acme, who),
      await signIn(auth, acme, who),
      await signIn(auth, acme, person()),
    ];
    for (const one of [first, second, another]) expect(await one.isOver()).toBe(false);
    expect(await revoke(acme, name(who.sub, who.email, first.userId))).toEqual(done);
    expect([await first.isOver(), await second.isOver(), await another.isOver()]).toEqual([true, true, false]);
    expect(await auth.refresh(acme.application, first.refreshToken)).toMatchObject({ status: 400 });
    for (const { sid } of [first, second]) {
      const told = await events.seen(acme.tenantId, 'session.revoked', sid);
      expect(told.data).toMatchObject({
        actor: { type: 'identity_provider', id: acme.connectionId },
        reason: { code: 'global_token_revocation' },
      });
      await eventually('the verifiers know', () =>
        revocations.of(acme.tenantId).some(({ subject }) => subject === `session/${sid}`),
      );
    }
    // A second time there is nothing to do, and nothing more is told.
    expect(await revoke(acme, name(who.sub, who.email, first.userId))).toEqual(done);
    const again = await signIn(auth, acme, who);
    expect(await again.isOver()).toBe(false);
    const ends = events.of(acme.tenantId).filter(({ type }) => type === 'session.revoked');
    expect(ends.filter(({ data }) => data.target.id === first.sid)).toHaveLength(1);
  });

  test('also those that began by another connection of the tenant', async () => {
    const who = person();
    const userId = newId('user');
    auth.provisioning.answers(() => ({ userId, email: who.email, displayName: null, roles: [], created: false }));
    const at = await newCustomer(auth);
    const oidc = { issuer: auth.provider.issuer, clientId: randomUUID(), clientSecret: 'a secret' };
    const second = await auth.newConnection(at.tenantId, { name: 'Another', oidc });
    const here = await signIn(auth, at, who);
    const there = await signIn(auth, { ...at, connectionId: second }, { sub: 'another name' });
    auth.provisioning.answers(null);
    expect(await revoke(at, byName(at, who.sub))).toEqual(done);
    expect([await here.isOver(), await there.isOver()]).toEqual([true, true]);
  });

  test('also one that begins in that moment: who is on their way has to sign in once more', async () => {
    const who = person();
    const { userId } = await signIn(auth, acme, who);
    auth.provisioning.answers(async () => {
      expect(await revoke(acme, byName(acme, who.sub))).toEqual(done);
      return { userId, email: who.email, displayName: null, roles: [], created: false };
    });
    auth.provider.is(who);
    const { page } = await auth.authorize(acme.application, { connection: acme.connectionId });
    auth.provisioning.answers(null);
    expect([page.url.origin, page.status]).toEqual([auth.url, 400]);
    expect(await (await signIn(auth, acme, who)).isOver()).toBe(false);
  });

  test('as whom they come now, and not as whom they came when a session of before began', async () => {
    const who = person();
    const before = await signIn(auth, acme, who);
    await auth.ask('POST', `/v1/tenants/${acme.tenantId}/sessions/${before.sid}:terminate`, {
      as: await auth.asPlatform(),
    });
    // Of that person there is another session, by another identity; the name is somebody else's by now.
    auth.provisioning.answers(() => ({ ...nobody, userId: before.userId }));
    const other = await signIn(auth, acme, person());
    const userId = newId('user');
    auth.provisioning.answers(() => ({ ...nobody, userId }));
    const now = await signIn(auth, acme, who);
    auth.provisioning.answers(null);
    expect(await revoke(acme, byName(acme, who.sub))).toEqual(done);
    expect([await other.isOver(), await now.isOver()]).toEqual([false, true]);
  });

  test('who has none and is known is not unknown; who is not known is', async () => {
    const who = person();
    const one = await signIn(auth, acme, who);
    await auth.ask('POST', `/v1/tenants/${acme.tenantId}/sessions/${one.sid}:terminate`, {
      as: await auth.asPlatform(),
    });
    expect(await revoke(acme, byName(acme, who.sub))).toEqual(done);
    expect(await revoke(acme, byName(acme, randomUUID()))).toEqual(unknown);
    expect(await revoke(acme, byEmail(`${randomUUID()}@acme.example`))).toEqual(unknown);
    expect(await revoke(acme, opaque(newId('user')))).toEqual(unknown);
    expect(await revoke(acme, { format: 'iss_sub', iss: 'https://other.example', sub: who.sub })).toEqual(unknown);
  });
});

describe('nobody else does', () => {
  test('one who is not the provider: by no token, a forged one, none that is signed, or a secret that is public', async () => {
    const who = person();
    const one = await signIn(auth, acme, who);
    const body = { sub_id: byName(acme, who.sub) };
    const forged = await newProviderKey();
    const part = (text: object) => Buffer.from(JSON.stringify(text)).toString('base64url');
    const unsigned = (alg: string) => `${part({ alg, ...typed })}.${part(claimsOf(acme))}.`;
    const byPublic = await new SignJWT(claimsOf(acme))
      .setProtectedHeader({ alg: 'HS256', kid: key.kid, ...typed })
      .sign(new TextEncoder().encode(JSON.stringify(key.jwk)));
    const [head = '', , signature = ''] = (await asserted(acme)).split('.');
    expect(await post(null, body)).toEqual({ status: 401, code: 'token_missing' });
    for (const token of [
      'a.b.c',
      await signedBy(forged, claimsOf(acme), typed),
      await signedBy({ ...forged, kid: key.kid }, claimsOf(acme), typed),
      unsigned('none'),
      `${unsigned('none')}AA`,
      byPublic,
      `${head}.${part(claimsOf(acme))}.${signature}`,
      `${await asserted(acme)}=`,
    ])
      expect(await post(token, body)).toEqual(invalid);
    expect(await one.isOver()).toBe(false);
    expect(await post(await asserted(acme), body)).toEqual(done);
    expect(await one.isOver()).toBe(true);
  });

  test('what the provider has signed for another purpose: an ID token, a security event, one without a type', async () => {
    const who = person();
    const one = await signIn(auth, acme, who);
    const body = { sub_id: byName(acme, who.sub) };
    for (const token of [
      await idTokenOf(key, { iss: acme.issuer, sub: who.sub, aud: acme.clientId }),
      // Even one that says all the rest.
      await idTokenOf(key, claimsOf(acme)),
      await asserted(acme, {}, { typ: 'JWT' }),
      await asserted(acme, {}, { typ: undefined }),
      await asserted(acme, {}, { typ: 'secevent+jwt' }),
      await asserted(acme, {}, { typ: 'logout+jwt' }),
      await asserted(acme, {}, { typ: 'at+jwt' }),
    ])
      expect(await post(token, body)).toEqual(invalid);
    expect(await one.isOver()).toBe(false);
    expect(await post(await asserted(acme, {}, { typ: 'application/Global-Token-Revocation+JWT' }), body)).toEqual(
      invalid,
    );
    expect(await revoke(acme, byName(acme, who.sub))).toEqual(done);
  });

  test.each<[string, (at: AtTenant) => object]>([
    ['another issuer', () => ({ iss: 'https://other.example' })],
    ['no issuer', () => ({ iss: undefined })],
    ['an issuer that is no text', () => ({ iss: ['x'] as never })],
    ['another audience', () => ({ aud: 'https://other.example/v1/global-token-revocation' })],
    ['our issuer as the audience', () => ({ aud: auth.url })],
    ['what we are called there as the audience', at => ({ aud: at.clientId })],
    ['the endpoint with a query as the audience', () => ({ aud: `${auth.url}${path}?a=b` })],
    ['several audiences', () => ({ aud: [auth.url + path, 'https://other.example'] })],
    ['no audience', () => ({ aud: undefined })],
    ['another application of the provider', () => ({ sub: 'another' })],
    ['nobody', () => ({ sub: undefined })],
    ['no id', () => ({ jti: undefined })],
    ['an id that is no text', () => ({ jti: 7 as never })],
    ['no time', () => ({ iat: undefined })],
    ['a time to come', () => ({ iat: seconds(120), exp: seconds(400) })],
    ['a beginning to come', () => ({ nbf: seconds(120) })],
    ['no end', () => ({ exp: undefined })],
    ['an end that is past', () => ({ iat: seconds(-400), exp: seconds(-100) })],
    ['a year', () => ({ iat: seconds(), exp: seconds(365 * 86_400) })],
    ['an end before its beginning', () => ({ iat: seconds(30), exp: seconds(20) })],
  ])('an assertion of the provider with %s', async (_, change) => {
    const { sub } = person();
    const one = await signIn(auth, acme, { sub });
    expect(await revoke(acme, byName(acme, sub), change(acme))).toEqual(invalid);
    expect(await one.isOver()).toBe(false);
    expect(await revoke(acme, byName(acme, sub))).toEqual(done);
  });

  test('one that has been used, however many come at once', async () => {
    const { sub } = person();
    const token = await asserted(acme);
    const body = { sub_id: byName(acme, sub) };
    await signIn(auth, acme, { sub });
    const all = await Promise.all(Array.from({ length: 8 }, () => post(token, body)));
    expect(all.filter(({ status }) => status === 204)).toHaveLength(1);
    const later = await signIn(auth, acme, { sub });
    expect(await post(token, body)).toEqual(invalid);
    expect(await later.isOver()).toBe(false);
  });

  test('the provider of a connection that is a draft, was deleted, or is of a suspended tenant', async () => {
    const at = await newCustomer(auth);
    const { sub } = person();
    const one = await signIn(auth, at, { sub });
    const as = await auth.asPlatform();
    const oidc = { issuer: at.issuer, clientId: randomUUID(), clientSecret: 'a secret' };
    const draft = { ...at, clientId: oidc.clientId };
    await auth.ask('POST', `/v1/tenants/${at.tenantId}/sso-connections`, {
      as,
      body: { name: 'Draft', kind: 'oidc', oidc },
    });
    expect(await revoke(draft, byName(at, sub))).toEqual(invalid);
    expect(await revoke(at, byName(at, randomUUID()))).toEqual(unknown);
    await auth.ask('DELETE', `/v1/tenants/${at.tenantId}/sso-connections/${at.connectionId}`, { as });
    expect(await revoke(at, byName(at, sub))).toEqual(invalid);
    expect(await one.isOver()).toBe(false);

    const shut = await newCustomer(auth);
    const { accessToken } = await signIn(auth, shut, { sub });
    expect(await revoke(shut, byName(shut, randomUUID()))).toEqual(unknown);
    await suspend(auth, shut, accessToken);
    expect(await revoke(shut, byName(shut, sub))).toEqual(invalid);
  });
});

describe('another tenant', () => {
  test('is not reached by the provider of one, by no name of the person', async () => {
    const who = person();
    const [mine, theirs] = [await signIn(auth, acme, who), await signIn(auth, other, who)];
    expect(mine.userId).toBe(theirs.userId);
    for (const name of [byName(acme, who.sub), byEmail(who.email), opaque(who.sub), opaque(theirs.userId)]) {
      expect(await revoke(acme, name)).toEqual(done);
      expect(await theirs.isOver()).toBe(false);
    }
    expect(await mine.isOver()).toBe(true);
    const alone = person();
    const one = await signIn(auth, other, alone);
    for (const name of [byName(acme, alone.sub), byEmail(alone.email)])
      expect((await revoke(acme, name)).status).not.toBe(401);
    expect(await one.isOver()).toBe(false);
    expect(await revoke(other, byEmail(alone.email))).toEqual(done);
    expect(await one.isOver()).toBe(true);
  });

  test('gets nothing by a connection that names the provider of another as its own', async () => {
    // It may: anybody may name any issuer. Its keys are the issuer's, and the people who count are its own.
    const copy = await newCustomer(auth, { clientId: acme.clientId });
    const who = person();
    const [mine, theirs] = [await signIn(auth, acme, who), await signIn(auth, copy, { sub: randomUUID() })];
    expect(await revoke(acme, byName(acme, who.sub))).toEqual(done);
    expect([await mine.isOver(), await theirs.isOver()]).toEqual([true, false]);
    const as = await auth.asPlatform();
    await auth.ask('DELETE', `/v1/tenants/${copy.tenantId}/sso-connections/${copy.connectionId}`, { as });
  });
});

describe('a machine of the tenant', () => {
  const machine = (areas: string[] | null, tenantId = acme.tenantId) =>
    auth.newApplication(tenantId, { kind: 'machine', grantTypes: ['client_credentials'], redirectUris: [], areas });
  async function tokenOf(areas: string[] | null, tenantId = acme.tenantId) {
    const asked = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
    return (await auth.token(await machine(areas, tenantId), asked)).body['access_token'] ?? '';
  }

  test('ends the sessions of the tenant’s people where it reaches sessions', async () => {
    const who = person();
    const one = await signIn(auth, acme, who);
    const body = { sub_id: byEmail(who.email) };
    expect(await post(await tokenOf(['webhooks']), body)).toEqual({ status: 403, code: 'access_denied' });
    expect(await post(await tokenOf(null, other.tenantId), body)).toEqual(unknown);
    expect(await one.isOver()).toBe(false);
    expect(await post(await tokenOf(['sessions']), body)).toEqual(done);
    expect(await one.isOver()).toBe(true);
    expect((await events.seen(acme.tenantId, 'session.revoked', one.sid)).data.actor.type).toBe('client');
    expect(await post(await tokenOf(['sessions']), { sub_id: byEmail('nobody@acme.example') })).toEqual(unknown);
  });

  test('of the platform, or a person, has other ways', async () => {
    const who = person();
    const one = await signIn(auth, acme, who);
    const body = { sub_id: byName(acme, who.sub) };
    for (const token of [await auth.asPlatform(), one.accessToken])
      expect(await post(token, body)).toEqual({ status: 403, code: 'access_denied' });
    expect(await one.isOver()).toBe(false);
  });
});

describe('the request', () => {
  beforeEach(() => auth.provider.is({ sub: 'somebody' }));

  test.each<[string, unknown, object]>([
    ['no subject', {}, { status: 400, code: 'input_invalid' }],
    ['the name of before', { subject: { format: 'opaque', id: 'x' } }, { status: 400, code: 'input_invalid' }],
    ['a list', [], { status: 400, code: 'input_invalid' }],
    [
      'another format',
      { sub_id: { format: 'phone_number', phone_number: '+1' } },
      { status: 400, code: 'input_invalid' },
    ],
    [
      'two formats',
      { sub_id: { format: 'email', email: 'a@b.c', iss: 'x', sub: 'y' } },
      { status: 400, code: 'input_invalid' },
    ],
    ['something else beside it', { sub_id: opaque('x'), tenant: 'y' }, { status: 400, code: 'input_invalid' }],
    [
      'a subject that is a query',
      { sub_id: { format: 'opaque', id: { $ne: '' } } },
      { status: 400, code: 'input_invalid' },
    ],
    ['a zero byte', { sub_id: opaque('x\0') }, { status: 400, code: 'input_invalid' }],
    ['no JSON', '{', { status: 400, code: 'body_malformed' }],
    [
      'one member twice',
      `{"sub_id":{"format":"opaque","id":"x"},"sub_id":{"format":"opaque","id":"y"}}`,
      { status: 400, code: 'body_malformed' },
    ],
    ['megabytes', JSON.stringify({ sub_id: opaque('x'.repeat(2_000_000)) }), { status: 413, code: 'body_too_large' }],
  ])('with %s is refused', async (_, body, refused) => {
    expect(await post(await asserted(acme), body)).toEqual(refused);
  });

  test('of another type is refused, and who has not proven anything is told of nothing else', async () => {
    const body = { sub_id: opaque('x') };
    const type = { 'content-type': 'text/plain' };
    expect(await post(await asserted(acme), body, type)).toEqual({ status: 415, code: 'content_type_unsupported' });
    expect(await post('a.b.c', '{', type)).toEqual(invalid);
    expect(await post(await asserted(acme), body)).toEqual(unknown);
  });
});
