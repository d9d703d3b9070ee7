// Security events of identity providers over HTTP, by what the plans of the OpenID Foundation for receivers look at
// (standards-2026.md 14), and what forgers, other tenants' providers and other tokens of the same provider get.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { type EventReader, newProviderKey, type ProviderKey, readEvents, signedBy } from '@reeve/testing';
import { FlattenedSign, type JWTPayload, SignJWT } from 'jose';
import { type Auth, startAuth } from '../auth.test-support.ts';
import { type AtTenant, idTokenOf, newCustomer, seconds, signIn, suspend } from './signals.test-support.ts';

let auth: Auth;
let events: EventReader;
let key: ProviderKey;
let acme: AtTenant;
let other: AtTenant;

beforeAll(async () => {
  auth = await startAuth();
  key = await auth.provider.changesItsKeys();
  events = await readEvents('reeve.auth.v1');
  acme = await newCustomer(auth);
  other = await newCustomer(auth);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});

const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const risc = 'https://schemas.openid.net/secevent/risc/event-type';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type';
const revoked = `${caep}/session-revoked`;
const urlOf = ({ connectionId }: Pick<AtTenant, 'connectionId'>) => `${auth.url}/signals/${connectionId}`;

const byName = (at: AtTenant, sub: string) => ({ format: 'iss_sub', iss: at.issuer, sub });
const claimsOf = (at: AtTenant, subId: object, change: object = {}): JWTPayload => ({
  iss: at.issuer,
  aud: at.clientId,
  iat: seconds(),
  jti: randomUUID(),
  txn: randomUUID(),
  sub_id: subId,
  events: { [revoked]: { event_timestamp: seconds(), reason_admin: { en: 'a test' }, initiating_entity: 'admin' } },
  ...change,
});
const setOf = (at: AtTenant, subId: object, change: object = {}, header: object = {}) =>
  signedBy(key, claimsOf(at, subId, change), { typ: 'secevent+jwt', ...header });

async function push(url: string, token: string, type = 'application/secevent+jwt') {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body: token });
  const text = await answer.text();
  const { err, code } = (text === '' ? {} : JSON.parse(text)) as { err?: string; code?: string };
  return [answer.status, err ?? code ?? null];
}
const send = async (at: AtTenant, subId: object, change: object = {}, header: object = {}) =>
  push(urlOf(at), await setOf(at, subId, change, header));

const taken = [202, null];
const person = () => ({ sub: randomUUID(), email: `${randomUUID()}@acme.example` });

describe('openid-ssf-receiver-caep-test-plan', () => {
  test.each([
    ['iss_sub', (sub: string) => byName(acme, sub)],
    ['email', (_: string, email: string) => ({ format: 'email', email: email.toUpperCase() })],
    ['opaque', (sub: string) => ({ format: 'opaque', id: sub })],
    ['complex, with a user', (sub: string) => ({ format: 'complex', user: byName(acme, sub) })],
    [
      'complex, with a user of a tenant of theirs',
      (sub: string) => ({ format: 'complex', user: byName(acme, sub), tenant: { format: 'opaque', id: 'acme' } }),
    ],
  ])('session-revoked ends the sessions of a subject in the form %s before it is answered', async (_, subject) => {
    const who = person();
    const [one, second, another] = [
      await signIn(auth, acme, who),
      await signIn(auth, acme, who),
      await signIn(auth, acme, person()),
    ];
    const began = performance.now();
    expect(await send(acme, subject(who.sub, who.email))).toEqual(taken);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect([await one.isOver(), await second.isOver(), await another.isOver()]).toEqual([true, true, false]);
    expect((await events.seen(acme.tenantId, 'session.revoked', one.sid)).data).toMatchObject({
      actor: { type: 'identity_provider', id: acme.connectionId },
      reason: { code: 'provider_signal' },
    });
  });

  test('session-revoked of one session of the provider ends what began in it', async () => {
    const { sub } = person();
    const [first, second] = [
      await signIn(auth, acme, { sub, sid: 'one' }),
      await signIn(auth, acme, { sub, sid: 'two' }),
    ];
    const named = { format: 'complex', user: byName(acme, sub), session: { format: 'opaque', id: 'two' } };
    expect(await send(acme, named)).toEqual(taken);
    expect([await first.isOver(), await second.isOver()]).toEqual([false, true]);
  });

  test('session-revoked of the session ALL, as Keycloak names all of them, ends all', async () => {
    const { sub } = person();
    const [first, second, another] = [
      await signIn(auth, acme, { sub, sid: 'one' }),
      await signIn(auth, acme, { sub, sid: 'two' }),
      await signIn(auth, acme, { ...person(), sid: 'three' }),
    ];
    const all = { format: 'complex', user: byName(acme, sub), session: { format: 'opaque', id: 'ALL' } };
    expect(await send(acme, all)).toEqual(taken);
    expect([await first.isOver(), await second.isOver(), await another.isOver()]).toEqual([true, true, false]);
  });

  test('a person who has signed in once more since then stays', async () => {
    const { sub } = person();
    const one = await signIn(auth, acme, { sub });
    const longAgo = { iat: seconds(-600), events: { [revoked]: { event_timestamp: seconds(-700) } } };
    expect(await send(acme, byName(acme, sub), longAgo)).toEqual(taken);
    expect(await one.isOver()).toBe(false);
    expect(await send(acme, byName(acme, sub))).toEqual(taken);
    expect(await one.isOver()).toBe(true);
  });

  test.each([
    [`${risc}/account-disabled`, true],
    [`${risc}/account-purged`, true],
    [`${risc}/sessions-revoked`, true],
    [`${risc}/credential-compromise`, true],
    [`${risc}/account-enabled`, false],
    [`${caep}/credential-change`, false],
    [`${caep}/token-claims-change`, false],
    [`${caep}/device-compliance-change`, false],
    [`${caep}/session-established`, false],
    [`${ssf}/verification`, false],
    [`${ssf}/stream-updated`, false],
    ['https://schemas.example/unknown', false],
    [`${revoked}/`, false],
  ])('%s is taken; sessions end: %s', async (uri, ends) => {
    const { sub } = person();
    const one = await signIn(auth, acme, { sub });
    expect(await send(acme, byName(acme, sub), { events: { [uri]: {} } })).toEqual(taken);
    expect(await one.isOver()).toBe(ends);
  });
});

describe('openid-ssf-receiver-test-plan', () => {
  test('an event for our URL is for us as well, and several audiences of which we are one', async () => {
    for (const aud of [urlOf(acme), [acme.clientId], ['https://other.example', urlOf(acme)]]) {
      const { sub } = person();
      const one = await signIn(auth, acme, { sub });
      expect(await send(acme, byName(acme, sub), { aud })).toEqual(taken);
      expect(await one.isOver()).toBe(true);
    }
  });

  test.each<[string, object, object, string]>([
    ['typ JWT', {}, { typ: 'JWT' }, 'invalid_request'],
    ['no typ', {}, { typ: undefined }, 'invalid_request'],
    ['the typ of a request for revocation', {}, { typ: 'global-token-revocation+jwt' }, 'invalid_request'],
    ['the typ of a logout token', {}, { typ: 'logout+jwt' }, 'invalid_request'],
    ['exp', { exp: seconds(300) }, {}, 'invalid_request'],
    ['sub', { sub: 'somebody' }, {}, 'invalid_request'],
    ['nonce', { nonce: 'n' }, {}, 'invalid_request'],
    ['a foreign aud', { aud: 'https://other.example' }, {}, 'invalid_audience'],
    ['no audience in the list', { aud: [] }, {}, 'invalid_audience'],
    ['our issuer as aud', { aud: 'issuer' }, {}, 'invalid_audience'],
    ['no aud', { aud: undefined }, {}, 'invalid_request'],
    ['a foreign iss', { iss: 'https://other.example' }, {}, 'invalid_issuer'],
    ['no iss', { iss: undefined }, {}, 'invalid_request'],
    ['two events', { events: { [revoked]: {}, [`${risc}/account-disabled`]: {} } }, {}, 'invalid_request'],
    ['no event', { events: {} }, {}, 'invalid_request'],
    ['a list of events', { events: [revoked] }, {}, 'invalid_request'],
    ['an event that is no object', { events: { [revoked]: 'yes' } }, {}, 'invalid_request'],
    ['no jti', { jti: undefined }, {}, 'invalid_request'],
    ['no iat', { iat: undefined }, {}, 'invalid_request'],
    ['an iat of ten years ago', { iat: seconds(-10 * 365 * 86_400) }, {}, 'invalid_request'],
    ['an iat to come', { iat: seconds(600) }, {}, 'invalid_request'],
    ['a sub_id that is a text', { sub_id: 'somebody' }, {}, 'invalid_request'],
  ])('an event with %s is refused, in the words of RFC 8935', async (_, change, header, err) => {
    const { sub } = person();
    const one = await signIn(auth, acme, { sub });
    const named = 'aud' in change && change.aud === 'issuer' ? { ...change, aud: auth.url } : change;
    expect(await send(acme, byName(acme, sub), named, header)).toEqual([400, err]);
    expect(await one.isOver()).toBe(false);
    expect(await send(acme, byName(acme, sub))).toEqual(taken);
    expect(await one.isOver()).toBe(true);
  });

  test('one that nobody or somebody else has signed is refused', async () => {
    const { sub } = person();
    const one = await signIn(auth, acme, { sub });
    const claims = claimsOf(acme, byName(acme, sub));
    const part = (text: object) => Buffer.from(JSON.stringify(text)).toString('base64url');
    const forged = await newProviderKey();
    const byPublic = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: key.kid, typ: 'secevent+jwt' })
      .sign(new TextEncoder().encode(JSON.stringify(key.jwk)));
    const [head = '', , signature = ''] = (await setOf(acme, byName(acme, sub))).split('.');
    for (const token of [
      'a.b.c',
      '',
      await signedBy(forged, claims, { typ: 'secevent+jwt' }),
      await signedBy({ ...forged, kid: key.kid }, claims, { typ: 'secevent+jwt' }),
      `${part({ alg: 'none', typ: 'secevent+jwt' })}.${part(claims)}.`,
      byPublic,
      `${head}.${part(claims)}.${signature}`,
    ])
      expect((await push(urlOf(acme), token)).at(0)).toBe(400);
    expect(await push(urlOf(acme), byPublic)).toEqual([400, 'invalid_key']);
    expect(await one.isOver()).toBe(false);
    expect(await send(acme, byName(acme, sub))).toEqual(taken);
    expect(await one.isOver()).toBe(true);
  });

  test('one whose payload is said not to be encoded will never be good, and is not asked for again', async () => {
    const claims = Buffer.from(JSON.stringify(claimsOf(acme, byName(acme, 'ada')))).toString('base64url');
    const { protected: head, signature } = await new FlattenedSign(new TextEncoder().encode(claims))
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'secevent+jwt', b64: false, crit: ['b64'] })
      .sign(key.privateKey);
    expect(await push(urlOf(acme), `${head}.${claims}.${signature}`)).toEqual([400, 'invalid_request']);
  });

  test('one that comes again is answered as before, and ends nothing more', async () => {
    const { sub } = person();
    await signIn(auth, acme, { sub });
    const token = await setOf(acme, byName(acme, sub));
    const all = await Promise.all(Array.from({ length: 5 }, () => push(urlOf(acme), token)));
    expect(all).toEqual(Array.from({ length: 5 }, () => taken));
    const later = await signIn(auth, acme, { sub });
    expect(await push(urlOf(acme), token)).toEqual(taken);
    expect(await later.isOver()).toBe(false);
  });

  test('a subject that nobody is, or of which a part is not known here, is taken, and ends nothing', async () => {
    const { sub } = person();
    const one = await signIn(auth, acme, { sub });
    const user = byName(acme, sub);
    for (const named of [
      byName(acme, randomUUID()),
      { ...user, iss: 'https://other.example' },
      { format: 'phone_number', phone_number: '+1' },
      { format: 'complex', user, device: { format: 'opaque', id: 'a laptop' } },
      { format: 'complex', user, session: { format: 'opaque', id: 'another session' } },
      { format: 'complex', session: { format: 'opaque', id: 'one' } },
      { ...user, email: 'a@b.c' },
    ])
      expect(await send(acme, named)).toEqual(taken);
    expect(await send(acme, user, { sub_id: undefined })).toEqual(taken);
    expect(await one.isOver()).toBe(false);
    expect(await send(acme, user)).toEqual(taken);
    expect(await one.isOver()).toBe(true);
  });

  test('another media type and a megabyte are refused', async () => {
    const token = await setOf(acme, byName(acme, 'nobody'));
    for (const type of ['application/json', 'application/jwt', 'text/plain'])
      expect(await push(urlOf(acme), token, type)).toEqual([415, 'content_type_unsupported']);
    expect(await push(urlOf(acme), 'x'.repeat(1_000_000))).toEqual([413, 'body_too_large']);
    expect(await push(urlOf(acme), token)).toEqual(taken);
  });
});

describe('an identity provider', () => {
  test('says nothing by tokens that it has made for another purpose', async () => {
    const { sub } = person();
    const one = await signIn(auth, acme, { sub });
    const about = { iss: acme.issuer, aud: acme.clientId, events: { [revoked]: {} }, jti: randomUUID() };
    for (const token of [
      await idTokenOf(key, { ...about, sub }),
      await idTokenOf(key, { ...about, sub, sub_id: byName(acme, sub) }),
      one.accessToken,
    ])
      expect((await push(urlOf(acme), token)).at(0)).toBe(400);
    expect(await one.isOver()).toBe(false);
  });

  test('speaks for its own connection, and for nobody of another tenant’s, whatever it is called there', async () => {
    const who = person();
    const [mine, theirs] = [await signIn(auth, acme, who), await signIn(auth, other, who)];
    const token = await setOf(acme, byName(acme, who.sub));
    expect(await push(urlOf(other), token)).toEqual([400, 'invalid_audience']);
    for (const named of [
      byName(acme, who.sub),
      { format: 'email', email: who.email },
      { format: 'opaque', id: who.sub },
    ])
      expect(await send(acme, named)).toEqual(taken);
    expect(await send(acme, { format: 'opaque', id: theirs.userId })).toEqual(taken);
    expect([await mine.isOver(), await theirs.isOver()]).toEqual([true, false]);
    expect(await send(other, byName(other, who.sub))).toEqual(taken);
    expect(await theirs.isOver()).toBe(true);
  });

  test('of another connection of the tenant speaks for those who come by it', async () => {
    const elsewhere = { issuer: auth.provider.issuer, clientId: randomUUID(), clientSecret: 'a secret' };
    const second = await auth.newConnection(acme.tenantId, { name: 'Another', oidc: elsewhere });
    const who = person();
    const one = await signIn(auth, acme, who);
    const theirs = { ...acme, connectionId: second, clientId: elsewhere.clientId };
    for (const named of [byName(acme, `not ${who.sub}`), { format: 'email', email: who.email }])
      expect(await send(theirs, named)).toEqual(taken);
    expect(await one.isOver()).toBe(false);
    const there = await signIn(auth, theirs, person());
    expect(await send(theirs, { format: 'opaque', id: there.userId })).toEqual(taken);
    expect([await there.isOver(), await one.isOver()]).toEqual([true, false]);
  });

  test('has no place here where the connection is a draft, was deleted, or is of a suspended tenant', async () => {
    const gone = [404, 'not_found'];
    const at = await newCustomer(auth);
    const as = await auth.asPlatform();
    const oidc = { issuer: at.issuer, clientId: randomUUID(), clientSecret: 'a secret' };
    const { body } = await auth.ask<{ id: `con_${string}` }>('POST', `/v1/tenants/${at.tenantId}/sso-connections`, {
      as,
      body: { name: 'Draft', kind: 'oidc', oidc },
    });
    expect(await send({ ...at, connectionId: body.id, clientId: oidc.clientId }, byName(at, 'x'))).toEqual(gone);
    expect(await send({ ...at, connectionId: newId('connection') }, byName(at, 'x'))).toEqual(gone);
    const { accessToken } = await signIn(auth, at, person());
    expect(await send(at, byName(at, 'x'))).toEqual(taken);
    await suspend(auth, at, accessToken);
    expect(await send(at, byName(at, 'x'))).toEqual(gone);
    const deleted = await newCustomer(auth);
    expect(await send(deleted, byName(deleted, 'x'))).toEqual(taken);
    await auth.ask('DELETE', `/v1/tenants/${deleted.tenantId}/sso-connections/${deleted.connectionId}`, { as });
    expect(await send(deleted, byName(deleted, 'x'))).toEqual(gone);
  });
});
