// Identity assertions that are not to be taken, by the numbers of the list that we keep of them: each beside the same
// with nothing wrong. Strangers get one answer, and the tenant's record says why.
import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AssertionRefusal, newEventId, newId, serviceCause } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { type EventReader, eventually, newProviderKey, type ProviderKey, readEvents, signedBy } from '@reeve/testing';
import { newSamlKey } from '@reeve/testing/saml';
import { CompactSign, type JWK } from 'jose';
import { startThirdParties, type ThirdParties } from '../application-grants/third-parties.test-support.ts';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { type Connection, connections } from '../connections/connection.ts';
import { contents } from '../contents.ts';
import { domains } from '../domains/domain.ts';
import {
  type Answer,
  allow,
  claimsOf,
  introspect,
  jwtBearer,
  knowPeople,
  newApi,
  newAssistant,
  newProver,
  newVouching,
  now,
  put,
  redeem,
  type Vouching,
  vouchedBy,
} from '../identity-assertions/assertions.test-support.ts';
import { usedIdentityAssertions } from '../identity-assertions/used-assertions.ts';
import { createUsedOnce } from '../used-once.ts';
import { typeOf } from './token-exchange.test-support.ts';

let third: ThirdParties;
let auth: Auth;
let events: EventReader;
let people: ReturnType<typeof knowPeople>;
let key: ProviderKey;
/** At the provider as well, by an algorithm that the connection does not list. */
let rsa: ProviderKey;
let former: ProviderKey;
let at: Vouching;
let other: Vouching;
let assistant: Application;
let another: Application;
let notes: { id: string; resource: string };
/** Where more is demanded. */
let strict: { id: string; resource: string };
let foreign: { id: string; resource: string };
let prover: Awaited<ReturnType<typeof newProver>>;

beforeAll(async () => {
  third = await startThirdParties();
  ({ auth } = third);
  events = await readEvents('reeve.auth.v1');
  people = knowPeople(auth);
  former = await auth.provider.changesItsKeys();
  key = await auth.provider.changesItsKeys();
  rsa = await newProviderKey('RS256');
  auth.provider.lies({ keys: () => ({ keys: [key.jwk, rsa.jwk] }) });
  at = await newVouching(auth);
  other = await newVouching(auth);
  people.add({ ...at, subject: 'ada' });
  people.add({ ...at, subject: 'gone' }, { status: 'user_deactivated' });
  people.add({ ...other, subject: 'bob' });
  assistant = await newAssistant(auth, at.tenantId);
  another = await newAssistant(auth, at.tenantId);
  notes = await newApi(auth);
  strict = await newApi(auth);
  foreign = await newApi(auth);
  for (const { id: clientId } of [assistant, another]) await allow(auth, at, { clientId, resource: notes.resource });
  const demanding = { requireDpop: true, acrValues: ['high'], maxAgeSeconds: 600 };
  await allow(auth, at, { clientId: assistant.id, resource: strict.resource, ...demanding });
  prover = await newProver(auth);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await third.stop();
});

const claims = (more: object = {}) => claimsOf(auth, at, assistant, { resource: notes.resource, ...more });
const vouched = (more: object = {}, header: object = {}) => vouchedBy(key, claims(more), header);
const refusal = { status: 400, body: { error: 'invalid_grant', error_description: 'grant request is invalid' } };

const refusalsOn = () => events.of(at.tenantId).filter(({ type }) => type === 'identity_assertion.refused');
const redemptionsOn = () => events.of(at.tenantId).filter(({ type }) => type === 'identity_assertion.redeemed');

/** The same with nothing wrong is taken, and what comes after it in the record is there. */
async function assertTaken(answer: Answer): Promise<void> {
  const before = redemptionsOn().length;
  expect(answer).toMatchObject({ status: 200, body: { token_type: expect.any(String) } });
  await eventually('it is on the record', () => redemptionsOn().length > before);
}

/** Null where no tenant is known that would want to know. */
async function assertRefused(bring: () => Promise<Answer>, because: AssertionRefusal | null): Promise<void> {
  const before = refusalsOn().length;
  expect(await bring()).toEqual(refusal);
  if (because !== null) {
    await eventually('its refusal is on the record', () => refusalsOn().length > before);
    expect(refusalsOn().at(-1)?.data.reason.code).toBe(because);
  }
  await assertTaken(await redeem(auth, assistant, { assertion: await vouched() }));
  expect(refusalsOn()).toHaveLength(before + (because === null ? 0 : 1));
}

const cause = serviceCause('auth', { correlationId: newEventId() });

/** As another instance has it. */
async function inStore(work: (store: Store) => Promise<void>): Promise<void> {
  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
  const store = openStore({ uri, database, source: '/test', contents, onError: () => {} });
  await work(store);
  await store.close();
}

const text = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const typ = 'oauth-id-jag+jwt';
const es256 = () => ({ alg: 'ES256', kid: key.kid, typ });
/** As it is written, by the right key. */
const signedText = (said: string) =>
  new CompactSign(Buffer.from(said)).setProtectedHeader(es256()).sign(key.privateKey);

type Brought = Record<string, string>;
type Row = [name: string, because: AssertionRefusal | null, assertion: () => Promise<string>, form?: Brought];

const header: Row[] = [
  ['1 without a type', 'type', () => vouched({}, { typ: undefined })],
  ['2 of the type JWT', 'type', () => vouched({}, { typ: 'JWT' })],
  ['3 of the type at+jwt', 'type', () => vouched({}, { typ: 'at+jwt' })],
  ['4 of the type secevent+jwt', 'type', () => vouched({}, { typ: 'secevent+jwt' })],
  ['6 without a signature', null, async () => `${text({ alg: 'none', typ })}.${text(claims())}.`],
  ['6 by the algorithm none', 'signature', async () => `${text({ alg: 'none', typ })}.${text(claims())}.AAAA`],
  [
    '7 by HS256 with the public key',
    'signature',
    async () => {
      const said = `${text({ alg: 'HS256', kid: key.kid, typ })}.${text(claims())}`;
      return `${said}.${createHmac('sha256', JSON.stringify(key.jwk)).update(said).digest('base64url')}`;
    },
  ],
  ['8 by an algorithm off the list', 'signature', () => vouchedBy(rsa, claims())],
  ['9 by a key that nobody has', 'signature', async () => vouchedBy(await newProviderKey(), claims())],
  ['10 by a key under the name of another', 'signature', async () => vouchedBy({ ...rsa, kid: key.kid }, claims())],
  ...(['jwk', 'jku', 'x5u', 'x5c'] as const).map((name): Row => {
    const value = { jwk: () => key.jwk, jku: () => 'https://x', x5u: () => 'https://x', x5c: () => ['x'] }[name];
    return [`11 with ${name}`, null, () => vouched({}, { [name]: value() })];
  }),
  [
    '12 with crit',
    null,
    async () => {
      const good = (await vouched()).split('.');
      return [text({ ...es256(), crit: ['x'], x: 1 }), good[1], good[2]].join('.');
    },
  ],
  ['13 with a bad signature', 'signature', async () => (await vouched()).replace(/\.[\w-]{86}$/, `.${'A'.repeat(86)}`)],
  [
    '14 that is not encoded',
    null,
    async () => {
      const good = (await vouched()).split('.');
      return [text({ ...es256(), b64: false }), good[1], good[2]].join('.');
    },
  ],
  [
    '15 that says two subjects',
    null,
    () => signedText(JSON.stringify(claims()).replace('"sub":"ada"', '"sub":"bob","sub":"ada"')),
  ],
  ['16 that is encrypted', null, async () => `${text({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.AA.AA.AA.AA`],
  ['17 of one part', null, async () => 'x'],
  ['17 of five parts', null, async () => `${await vouched()}.AA.AA`],
  ['17 of 40 kB', null, () => vouched({ x: 'x'.repeat(30_000) })],
];

const issuer: Row[] = [
  ['18 of an unknown issuer', null, () => vouched({ iss: 'https://idp.unknown.example' })],
  ['19 of another tenant', null, () => vouchedBy(key, claimsOf(auth, other, assistant))],
  ['20 of an issuer with a slash', null, () => vouched({ iss: `${auth.provider.issuer}/` })],
  ['20 of an issuer in capitals', null, () => vouched({ iss: auth.provider.issuer.toUpperCase() })],
  ['22 without the tenant', 'tenant', () => vouched({ tenant: undefined })],
  ['23 of a tenant that is none here', 'tenant', () => vouched({ tenant: 'foreign' })],
  ['24 of several tenants', 'tenant', () => vouched({ tenant: [at.tenantId] })],
  ['25 of our own issuer', null, () => vouched({ iss: auth.url })],
  ['26 by a key that was rotated out', 'signature', () => vouchedBy(former, claims())],
];

const audience: Row[] = [
  ['28 for the token endpoint', 'audience', () => vouched({ aud: `${auth.url}/token` })],
  ['29 for two', 'audience', () => vouched({ aud: [auth.url, 'https://api.example'] })],
  ['29 for us twice', 'audience', () => vouched({ aud: [auth.url, auth.url] })],
  ['30 for the issuer of a tenant', 'audience', () => vouched({ aud: `${auth.url}/t/${at.tenantId}` })],
  ['30 for another tenant of ours', 'tenant', () => vouched({ aud_tenant: other.tenantId })],
  ['31 for nobody', 'audience', () => vouched({ aud: [] })],
  ['32 without a client', 'client', () => vouched({ client_id: undefined })],
  ['33 for another client', 'client', () => vouched({ client_id: another.id })],
  ['39 for a client in capitals', 'client', () => vouched({ client_id: assistant.id.toUpperCase() })],
];

const time: Row[] = [
  ['40 without an end', 'time', () => vouched({ exp: undefined })],
  ['41 that has ended', 'time', () => vouched({ iat: now() - 200, exp: now() - 60 })],
  ['42 that lasts longer than 300 seconds', 'time', () => vouched({ exp: now() + 400 })],
  ['42 that lasts longer, from before', 'time', () => vouched({ iat: now() - 250, exp: now() + 100 })],
  ['43 that was made tomorrow', 'time', () => vouched({ iat: now() + 86_400, exp: now() + 86_460 })],
  ['44 that does not count yet', 'time', () => vouched({ nbf: now() + 100 })],
  ['45 that ends at a text', 'time', () => vouched({ exp: String(now() + 100) as never })],
  ['45 that ends at a fraction', 'time', () => vouched({ exp: now() + 100.5 })],
  ['46 without an id', 'malformed', () => vouched({ jti: undefined })],
  ['46 with an empty id', 'malformed', () => vouched({ jti: '' })],
  ['46 with a number as id', 'malformed', () => vouched({ jti: 7 as never })],
];

const subject: Row[] = [
  ['53 of somebody unknown', 'identity_unknown', () => vouched({ sub: 'mallory' })],
  ['54 of somebody who is deactivated', 'user_inactive', () => vouched({ sub: 'gone' })],
  ['55 of somebody of another tenant', 'identity_unknown', () => vouched({ sub: 'bob' })],
  ['56 with the address of another', 'identity_unknown', () => vouched({ sub: 'eve', email: 'ada@acme.example' })],
  ['58 that says another user of ours', 'subject', () => vouched({ aud_sub: newId('user') })],
  ['59 by a name of SAML', 'subject', () => vouched({ sub_id: { format: 'saml-nameid', issuer: 'x', nameid: 'ada' } })],
  ['62 without a subject', 'subject', () => vouched({ sub: undefined, sub_id: { format: 'email', email: 'a@b.c' } })],
  ['63 by a format that is unknown', 'subject', () => vouched({ sub_id: { format: 'opaque', id: 'ada' } })],
  ['63 that says somebody else', 'subject', () => vouched({ sub_id: { format: 'iss_sub', iss: 'x', sub: 'ada' } })],
  ['64 of 10 kB', 'subject', () => vouched({ sub: 'x'.repeat(10_000) })],
  ['64 with NUL', 'subject', () => vouched({ sub: 'ada\0' })],
];

const resource: Row[] = [
  ['65 for an API that is not ours', 'resource', () => vouched({ resource: 'https://elsewhere.example' })],
  ['65 for an API that no policy names', 'resource', () => vouched({ resource: foreign.resource })],
  ['66 for one and another', 'resource', () => vouched({ resource: [notes.resource, foreign.resource] })],
  ['67 for one twice', 'resource', () => vouched({ resource: [notes.resource, notes.resource] })],
  ['67 for a path', 'resource', () => vouched({ resource: '/notes' })],
  ['67 for a fragment', 'resource', () => vouched({ resource: `${notes.resource}#x` })],
  ['67 with a slash', 'resource', () => vouched({ resource: `${notes.resource}/` })],
  ['68 for none', 'resource', () => vouched({ resource: [] })],
  ['70 for scopes that none allows', 'scope', () => vouched({ scope: 'notes:read' }), { scope: 'notes:write' }],
  ['71 for a scope that the client may not have', 'scope', () => vouched({ scope: 'notes:admin' })],
  ['71 for nothing', 'scope', () => vouched({ scope: '' })],
  [
    '72 with details of another kind',
    'authorization_details',
    () => vouched({ authorization_details: [{ type: 'payment' }] }),
  ],
];

const binding: Row[] = [
  ['74 to a key, without a proof', 'proof', () => vouched({ cnf: { jkt: prover.jkt } })],
  ['78 to a certificate', 'proof', () => vouched({ cnf: { 'x5t#S256': prover.jkt } })],
  ['78 to a key and a certificate', 'proof', () => vouched({ cnf: { jkt: prover.jkt, 'x5t#S256': prover.jkt } })],
  ['79 to something', 'proof', () => vouched({ cnf: 'x' })],
  ['79 to nothing', 'proof', () => vouched({ cnf: {} })],
  [
    'with actors four deep',
    'actor',
    () => vouched({ act: { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd' } } } } }),
  ],
  [
    'with actors three deep, behind the assistant',
    'actor',
    () => vouched({ act: { sub: 'a', act: { sub: 'b', act: { sub: 'c' } } } }),
  ],
  ['with an actor that is a text', 'actor', () => vouched({ act: 'a' })],
];

describe.each(Object.entries({ header, issuer, audience, time, subject, resource, binding }))(
  'what is wrong in %s',
  (_, rows) => {
    test.each(rows)('%s is refused', async (_name, because, assertion, form = {}) => {
      const brought = await assertion();
      await assertRefused(() => redeem(auth, assistant, { assertion: brought, ...form }), because);
    });
  },
);

describe('what is right', () => {
  test.each<[string, () => Promise<string>, Brought?]>([
    ['5 in a type that is written out', () => vouched({}, { typ: `application/${typ}` })],
    ['29 for us in a list', () => vouched({ aud: [auth.url] })],
    ['30 for our tenant', () => vouched({ aud_tenant: at.slug })],
    ['58 with the name that the person has here', async () => vouched({ aud_sub: await userIdOf() })],
    [
      '63 with the same name twice',
      () => vouched({ sub_id: { format: 'iss_sub', iss: auth.provider.issuer, sub: 'ada' } }),
    ],
    ['66 for one of two', () => vouched({ resource: [notes.resource, strict.resource] }), { resource: 'notes' }],
    ['with actors two deep, behind the assistant', () => vouched({ act: { sub: 'a', act: { sub: 'b' } } })],
  ])('%s is taken', async (_name, assertion, form = {}) => {
    const asked = 'resource' in form ? { resource: notes.resource } : {};
    await assertTaken(await redeem(auth, assistant, { assertion: await assertion(), ...asked }));
  });

  const userIdOf = async () => {
    const { body } = await redeem(auth, assistant, { assertion: await vouched() });
    const token = JSON.parse(Buffer.from(body['access_token']?.split('.')[1] ?? '', 'base64url').toString()) as object;
    return (token as { sub: string }).sub;
  };
});

describe('who brings it', () => {
  const post = async (
    form: Record<string, string>,
    headers: Record<string, string> = {},
    query = '',
  ): Promise<Answer> => {
    const body = new URLSearchParams({ grant_type: jwtBearer, ...form });
    const answer = await fetch(`${auth.url}/token${query}`, { method: 'POST', headers, body });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };

  test('27 a connection that has another provider by now is asked of that one', async () => {
    const moved = await newVouching(auth);
    people.add({ ...moved, subject: 'ada' });
    const by = await newAssistant(auth, moved.tenantId);
    await allow(auth, moved, { clientId: by.id, resource: notes.resource });
    const bring = async () => redeem(auth, by, { assertion: await vouchedBy(key, claimsOf(auth, moved, by)) });
    expect((await bring()).status).toBe(200);
    await inStore(async store => {
      const decide = (state: Connection | null) => {
        const settings = state?.settings as { metadata: object } | undefined;
        const metadata = { ...settings?.metadata, issuer: 'https://idp.elsewhere.example' };
        return state && { state: { ...state, settings: { ...settings, metadata } }, events: [] };
      };
      await store.collection(connections).in(moved.tenantId).change(moved.connectionId, decide, { cause });
    });
    // Of what another instance changes it is known a second later.
    await eventually('the connection has moved', async () => (await bring()).status === 400);
    const told = () => events.of(moved.tenantId).findLast(({ type }) => type === 'identity_assertion.refused');
    await eventually('it is on the record', () => told()?.data.reason.code === 'issuer');
  });

  test('34 another client than it is for', async () => {
    const assertion = await vouched();
    await assertRefused(() => redeem(auth, another, { assertion }), 'client');
    await assertTaken(await redeem(auth, assistant, { assertion }));
  });

  test('38 a client that no policy names', async () => {
    const stranger = await newAssistant(auth, at.tenantId);
    const assertion = await vouched({ client_id: stranger.id });
    await assertRefused(() => redeem(auth, stranger, { assertion }), 'not_allowed');
    await allow(auth, at, { clientId: stranger.id, resource: notes.resource });
    await assertTaken(await redeem(auth, stranger, { assertion }));
  });

  test('35 37 a client that keeps no secret, and one that may not use the grant', async () => {
    const page = await auth.newApplication(at.tenantId, { kind: 'single_page' });
    const machine = await auth.newApplication(at.tenantId, {
      kind: 'machine',
      grantTypes: ['client_credentials'],
      redirectUris: [],
    });
    const unauthorized = { status: 400, body: { error: 'unauthorized_client' } };
    const toPage = await vouched({ client_id: page.id });
    expect(await post({ assertion: toPage, client_id: page.id })).toMatchObject(unauthorized);
    expect(await redeem(auth, machine, { assertion: await vouched({ client_id: machine.id }) })).toMatchObject(
      unauthorized,
    );
    for (const { id: clientId } of [page, machine])
      expect(await allow(auth, at, { clientId, resource: notes.resource })).toMatchObject({
        status: 400,
        body: { code: 'input_invalid', errors: [{ field: 'clientId' }] },
      });
    const kept = await auth.ask('POST', `/v1/tenants/${at.tenantId}/applications`, {
      as: await auth.asPlatform(),
      body: {
        name: 'x',
        kind: 'single_page',
        grantTypes: ['authorization_code', 'jwt_bearer'],
        redirectUris: ['https://x.example/'],
      },
    });
    expect(kept.status).toBe(400);
  });

  test('36 a client that does not prove itself', async () => {
    const assertion = await vouched();
    expect((await post({ assertion, client_id: assistant.id })).body).toMatchObject({ error: 'invalid_client' });
    const wrong = { authorization: `Basic ${btoa(`${assistant.id}:wrong`)}` };
    expect((await post({ assertion }, wrong)).body).toMatchObject({ error: 'invalid_client' });
    expect((await post({ assertion })).body['error']).toMatch(/^invalid_(client|request)$/);
    await assertTaken(await redeem(auth, assistant, { assertion }));
  });

  test('39 a client that nobody registered, by its document and a key, where the tenant names it', async () => {
    const own = await newProviderKey('ES256');
    const { kty, crv, x, y } = own.jwk;
    const document = third.publish({
      grant_types: ['authorization_code', jwtBearer],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ kty, crv, x, y, kid: own.kid } as JWK] },
    });
    const open = third.publish({ grant_types: ['authorization_code', jwtBearer] });
    await third.say([third.host]);
    await third.say([third.host], at.tenantId);
    const api = await newApi(auth, { thirdPartyScopes: ['notes:read'] });
    const about = { clientId: document.id, resource: api.resource };
    expect(await allow(auth, at, { ...about, scopes: ['notes:write'] })).toMatchObject({ status: 400 });
    expect(await allow(auth, at, { ...about, clientId: open.id, scopes: ['notes:read'] })).toMatchObject({
      status: 400,
    });
    expect(await allow(auth, at, { ...about, scopes: ['notes:read'] })).toMatchObject({ status: 201 });
    const bring = async (more: object = {}) => {
      const proof = { iss: document.id, sub: document.id, aud: auth.url, jti: randomUUID(), exp: now() + 60 };
      return post({
        assertion: await vouched({ client_id: document.id, resource: api.resource, ...more }),
        client_id: document.id,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await signedBy(own, proof),
      });
    };
    await assertTaken(await bring());
    const capitals = document.id.replace('/app', '/APP');
    await assertRefused(() => bring({ client_id: capitals }), 'client');
    await third.say([], at.tenantId);
    await eventually('the tenant takes it no more', async () => (await bring()).status === 400);
  });

  test('17 nothing, and more than there is room for', async () => {
    expect((await redeem(auth, assistant, { assertion: '' })).body).toMatchObject({ error: 'invalid_request' });
    expect((await redeem(auth, assistant, { assertion: 'x'.repeat(1_000_000) })).status).toBe(413);
  });

  test('21 by a connection whose word for others is not in use', async () => {
    const usual = { tenantClaim: at.tenantId, algorithms: ['ES256'] };
    await put(auth, at, { ...usual, enabled: false });
    const before = refusalsOn().length;
    expect(await redeem(auth, assistant, { assertion: await vouched() })).toEqual(refusal);
    await put(auth, at, usual);
    await eventually('its refusal is on the record', () => refusalsOn().length > before);
    expect(refusalsOn().at(-1)?.data.reason.code).toBe('issuer');
    await assertTaken(await redeem(auth, assistant, { assertion: await vouched() }));
  });

  test('47 50 the same once more, also at another instance and after a restart', async () => {
    const jti = randomUUID();
    const assertion = await vouched({ jti });
    await assertTaken(await redeem(auth, assistant, { assertion }));
    await assertRefused(() => redeem(auth, assistant, { assertion }), 'replayed');
    await inStore(async store => {
      const used = createUsedOnce(store.platformRecords(usedIdentityAssertions));
      expect(await used.use(at.connectionId, jti, new Date(Date.now() + 60_000))).toBe(false);
    });
  });

  test('51 52 for an API where more is demanded than was shown', async () => {
    const enough = { resource: strict.resource, acr: 'high', auth_time: now() - 60, cnf: { jkt: prover.jkt } };
    const bring = async (more: object, dpop?: string) =>
      redeem(auth, assistant, {
        assertion: await vouched({ ...enough, ...more }),
        dpop: dpop ?? (await prover.proof()),
      });
    await assertTaken(await bring({}));
    await assertRefused(() => bring({ auth_time: now() - 3_600 }), 'authentication');
    await assertRefused(() => bring({ auth_time: undefined }), 'authentication');
    await assertRefused(() => bring({ auth_time: now() + 3_600 }), 'authentication');
    await assertRefused(() => bring({ acr: 'low' }), 'authentication');
    await assertRefused(() => bring({ acr: undefined }), 'authentication');
    const unbound = await vouched({ ...enough, cnf: undefined });
    await assertRefused(() => redeem(auth, assistant, { assertion: unbound }), 'proof');
  });

  test('57 for an address that another tenant speaks for', async () => {
    const name = `${randomUUID().slice(0, 8)}.example`;
    const about = { name, status: 'verified', token: 'x', policy: 'open', connectionId: null, breakGlass: [] };
    const times = { claimedAt: new Date().toISOString(), expiresAt: null, verifiedAt: new Date().toISOString() };
    const held = { ...about, ...times, checkedAt: null, nextCheckAt: null, failingSince: null, lastCheck: null };
    const state = { ...held, askedAt: null, contestedAt: null, lease: null };
    await inStore(async store => {
      const decision = { state: state as never, events: [] };
      await store.collection(domains).in(other.tenantId).create(newId('domain'), decision, cause);
    });
    const email = `ada@${name}`;
    await assertRefused(async () => redeem(auth, assistant, { assertion: await vouched({ email }) }), 'domain');
    await assertTaken(await redeem(auth, assistant, { assertion: await vouched({ email: 'ada@free.example' }) }));
  });

  test('69 70 whoever asks for more than it says gets no more', async () => {
    const bring = async (more: object, form: Brought) =>
      redeem(auth, assistant, { assertion: await vouched(more), ...form });
    await assertRefused(() => bring({}, { resource: strict.resource }), 'resource');
    await assertRefused(() => bring({}, { resource: foreign.resource }), 'resource');
    const both = { resource: [notes.resource, strict.resource] };
    await assertRefused(() => bring(both, {}), 'resource');
    const wider = await bring({ scope: 'notes:read' }, { scope: 'notes:read notes:write notes:admin' });
    expect(wider.body['scope']).toBe('notes:read');
    const all = await bring({ scope: 'notes:read notes:write notes:admin' }, {});
    expect(all.body['scope']).toBe('notes:read notes:write');
  });

  test('73 whoever asks by details of authorization gets nothing', async () => {
    const details = { authorization_details: '[{"type":"payment"}]', resource: notes.resource };
    const form = { assertion: await vouched(), ...details };
    expect((await redeem(auth, assistant, form)).body).toMatchObject({ error: 'invalid_request' });
  });

  test('75 76 77 with a proof by another key, one from before, and one for another place', async () => {
    const stranger = await newProver(auth);
    const bound = { cnf: { jkt: prover.jkt } };
    const bring = async (dpop: string) => redeem(auth, assistant, { assertion: await vouched(bound), dpop });
    const proof = await prover.proof();
    await assertTaken(await bring(proof));
    expect(await bring(proof)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    // What was refused for its proof may come with another one.
    const assertion = await vouched(bound);
    expect((await redeem(auth, assistant, { assertion, dpop: proof })).body['error']).toBe('invalid_dpop_proof');
    await assertTaken(await redeem(auth, assistant, { assertion, dpop: await prover.proof() }));
    const byStranger = await stranger.proof();
    await assertRefused(() => bring(byStranger), 'proof');
    for (const wrong of [{ htu: notes.resource }, { htm: 'GET' }])
      expect(await bring(await prover.proof(wrong))).toMatchObject({
        status: 400,
        body: { error: 'invalid_dpop_proof' },
      });
    await assertTaken(await bring(await prover.proof()));
  });

  test('92 93 94 95 as what it is not', async () => {
    const assertion = await vouched();
    const me = await auth.ask('GET', '/v1/me/sessions', { as: assertion });
    expect(me.status).toBe(401);
    const asProof = await post({
      assertion: await vouched(),
      client_id: assistant.id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await vouched(),
    });
    expect([asProof.status, asProof.body['error']]).toEqual([400, 'invalid_request']);
    const exchanger = await newAssistant(auth, at.tenantId, { grantTypes: ['token_exchange'] });
    const exchanged = await redeem(auth, exchanger, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: assertion,
      subject_token_type: typeOf('jwt'),
      resource: notes.resource,
    });
    expect([exchanged.status, exchanged.body['access_token']]).toEqual([400, undefined]);
    // As of any JWT: it says itself what it says.
    expect(await introspect(auth, assistant, assertion)).toMatchObject({ error: 'unsupported_token_type' });
    await assertTaken(await redeem(auth, assistant, { assertion }));
  });

  test('96 in a URL, where it is not read', async () => {
    const assertion = await vouched();
    const headers = { authorization: `Basic ${btoa(`${assistant.id}:${assistant.secret}`)}` };
    const query = `?${new URLSearchParams({ assertion })}`;
    expect((await post({}, headers, query)).body).toMatchObject({ error: 'invalid_request' });
    await assertTaken(await post({ assertion }, headers));
  });

  test('97 at a second authorization server', async () => {
    const second = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: auth.provider.issuer });
    const peopleThere = knowPeople(second);
    const there = await newVouching(second, { issuer: auth.provider.issuer });
    peopleThere.add({ ...there, subject: 'ada' });
    const by = await newAssistant(second, there.tenantId);
    const api = await newApi(second);
    await allow(second, there, { clientId: by.id, resource: api.resource });
    const said = { ...claimsOf(second, there, by), iss: auth.provider.issuer };
    const bring = async (more: object) => redeem(second, by, { assertion: await vouchedBy(key, { ...said, ...more }) });
    expect(await bring({ aud: auth.url })).toEqual(refusal);
    expect((await bring({ jti: randomUUID() })).status).toBe(200);
    await second.stop();
  });
});

describe('a name of a SAML provider', () => {
  const entityId = 'https://idp.acme.example/saml';
  const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
  const qualifiers = { name_qualifier: 'corp', sp_name_qualifier: 'reeve' };
  let saml: { tenantId: Vouching['tenantId']; connectionId: Vouching['connectionId'] };
  let by: Application;

  beforeAll(async () => {
    const { tenantId } = await auth.newTenant();
    const { certificate } = await newSamlKey();
    const byHand = { entityId, ssoUrl: 'https://idp.acme.example/sso', certificates: [certificate] };
    const connectionId = await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml: byHand });
    saml = { tenantId, connectionId };
    const keys = { issuer: auth.provider.issuer, jwksUri: `${auth.provider.issuer}/keys`, tenantClaim: tenantId };
    expect(await put(auth, saml, keys)).toMatchObject({ body: { errors: [{ field: 'nameId' }] } });
    expect(await put(auth, saml, { nameId: { format: persistent } })).toMatchObject({
      body: { errors: [{ field: 'issuer' }] },
    });
    const nameId = { format: persistent, nameQualifier: 'corp', spNameQualifier: 'reeve' };
    expect(await put(auth, saml, { ...keys, nameId })).toMatchObject({ status: 200 });
    by = await newAssistant(auth, tenantId);
    await allow(auth, saml, { clientId: by.id, resource: notes.resource });
    people.add({ ...saml, subject: 'corp!ada' });
    people.add({ ...saml, subject: 'ada' });
  });

  const good = { format: 'saml-nameid', issuer: entityId, nameid: 'ada', nameid_format: persistent, ...qualifiers };
  const bring = async (more: object, rest: object = {}) =>
    redeem(auth, by, {
      assertion: await vouchedBy(
        key,
        claimsOf(auth, saml, by, { sub: 'opaque', sub_id: { ...good, ...more }, ...rest }),
      ),
    });

  test.each<[string, object, object?]>([
    ['59 by the name alone', { nameid_format: undefined, name_qualifier: undefined, sp_name_qualifier: undefined }],
    ['60 of another provider', { issuer: 'https://idp.other.example/saml' }],
    ['61 without the qualifier', { name_qualifier: undefined }],
    ['61 of another qualifier', { name_qualifier: 'other' }],
    ['61 without the format', { nameid_format: undefined }],
    ['61 for another service', { sp_name_qualifier: 'other' }],
    ['61 with a name that we gave', { sp_provided_id: 'ada' }],
    ['62 without a subject', {}, { sub: undefined }],
    ['62 without the name', {}, { sub_id: undefined }],
    ['63 in another format', { format: 'opaque' }],
  ])('%s is refused', async (_name, more, rest = {}) => {
    expect(await bring(more, rest)).toEqual(refusal);
    const told = () => events.of(saml.tenantId).filter(({ type }) => type === 'identity_assertion.refused');
    await eventually('its refusal is on the record', () => told().at(-1)?.data.reason.code === 'subject');
    expect((await bring({})).status).toBe(200);
  });
});
