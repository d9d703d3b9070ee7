// Reeve as the identity provider that vouches (ID-JAG): what an application gets, by the policies of the tenant, and
// what it does not get, by the numbers of the list of attacks that we keep. Beside each refusal stands the same that is
// given.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  event,
  newEventId,
  newId,
  platformTenantId,
  serviceCause,
  type TenantId,
  type VouchingRefusal,
} from '@reeve/contracts';
import { openStore } from '@reeve/store';
import { type EventReader, eventually, readEvents } from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { contents } from '../contents.ts';
import { newApi, newProver, now } from '../identity-assertions/assertions.test-support.ts';
import { type Session, sessions } from '../sessions/session.ts';
import {
  type Answer,
  askToVouch,
  type Form,
  newAsking,
  tokenType,
  vouchFor,
} from '../vouching/vouching.test-support.ts';

const audience = 'https://as.example';
const [notes, files] = ['https://notes.example/mcp', 'https://files.example'];
const scopes = ['read', 'write', 'email'];

let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;
let another: Application;
let signedIn: Awaited<ReturnType<typeof person>>;
let policy: Awaited<ReturnType<typeof vouchFor>>;

const offline = { scope: 'openid email profile offline_access', prompt: 'consent' };

async function person(by: Application, sub = 'ada', more: object = {}) {
  auth.provider.is({ sub, email: `${sub}@acme.example`, name: sub, ...more });
  const { tokens, claims } = await auth.signIn(by, { ...offline, tenant: tenantId });
  const { id_token: idToken = '', refresh_token: refreshToken = '', access_token: accessToken = '' } = tokens;
  return { idToken, refreshToken, accessToken, claims, sid: String(claims['sid']), userId: String(claims.sub) };
}

beforeAll(async () => {
  auth = await startAuth();
  events = await readEvents('reeve.auth.v1');
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await newAsking(auth, tenantId);
  another = await newAsking(auth, tenantId);
  policy = await allow({ clientId: application.id });
  await allow({ clientId: another.id });
  signedIn = await person(application);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});

const allow = (settings: object) =>
  vouchFor(auth, tenantId, { audience, audienceClientId: 'desk', resources: [notes, files], scopes, ...settings });
const typed = (token: string, type: string) => ({ subject_token: token, subject_token_type: tokenType(type) });
const byIdToken = (token = signedIn.idToken) => typed(token, 'id_token');
const byRefreshToken = (token = signedIn.refreshToken) => typed(token, 'refresh_token');
const ask = (form: Form = {}, by = application, headers: object = {}) =>
  askToVouch(auth, by, { ...byIdToken(), audience, resource: notes, ...form }, headers);
const change = async (method: string, path: string, body?: object) =>
  auth.ask<Record<string, unknown>>(method, path, { as: await auth.asPlatform(), ...(body ? { body } : {}) });

const issuedOn = () => events.of(tenantId).filter(({ type }) => type === 'identity_assertion.issued');
const notIssuedOn = (at = tenantId) => events.of(at).filter(({ type }) => type === 'identity_assertion.not_issued');

async function verified(answer: Answer): Promise<JWTPayload> {
  expect(answer).toMatchObject({ status: 200 });
  const keys = createRemoteJWKSet(new URL(`${auth.url}/jwks`));
  const { payload, protectedHeader } = await jwtVerify(String(answer.body['access_token']), keys, { issuer: auth.url });
  expect(protectedHeader).toEqual({ alg: 'ES256', kid: expect.any(String), typ: 'oauth-id-jag+jwt' });
  return payload;
}

describe('an assertion', () => {
  test('says who has signed in, how, of which tenant, and for what; 89 without a refresh token', async () => {
    const answer = await ask({ scope: 'read write admin' });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        access_token: expect.any(String),
        issued_token_type: tokenType('id-jag'),
        token_type: 'N_A',
        expires_in: 120,
        scope: 'read write',
        resource: notes,
      },
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const said = await verified(answer);
    expect(said).toEqual({
      iss: auth.url,
      sub: signedIn.userId,
      aud: audience,
      client_id: 'desk',
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: Number(said.iat) + 120,
      tenant: tenantId,
      scope: 'read write',
      resource: notes,
      auth_time: signedIn.claims['auth_time'],
      amr: signedIn.claims['amr'],
    });
    await eventually('it is on the record', () =>
      issuedOn().some(({ data }) => data.details['assertionId'] === said.jti),
    );
    expect(issuedOn().at(-1)?.data).toMatchObject({
      outcome: 'success',
      target: { id: signedIn.sid },
      actor: { type: 'client', id: application.id },
      context: { sessionId: signedIn.sid, clientId: application.id },
      details: {
        userId: signedIn.userId,
        clientId: application.id,
        policyId: policy.id,
        audience,
        audienceClientId: 'desk',
        resources: [notes],
        scopes: ['read', 'write'],
        expiresAt: new Date(Number(said.exp) * 1_000).toISOString(),
      },
    });
  });

  test('is got by a refresh token as well, which goes on as it is', async () => {
    const { jti, ...said } = await verified(await ask(byRefreshToken()));
    const { jti: next, ...same } = await verified(await ask());
    expect(jti).not.toBe(next);
    expect({ ...said, iat: 0, exp: 0 }).toEqual({ ...same, iat: 0, exp: 0 });
    const { status, body } = await auth.refresh(application, signedIn.refreshToken);
    expect(status).toBe(200);
    signedIn = { ...signedIn, refreshToken: body['refresh_token'] ?? '' };
  });

  test('is for all that the policy names, where nothing is asked for', async () => {
    const answer = await ask({ resource: [files, notes] });
    expect(answer.body).toMatchObject({ scope: 'read write email', resource: [files, notes] });
    expect(await verified(answer)).toMatchObject({ resource: [files, notes], scope: 'read write email' });
  });

  test('holds an address where that is among the scopes, and is the person’s own', async () => {
    expect(await verified(await ask())).not.toHaveProperty('email');
    auth.provisioning.answers(({ email }) => ({
      userId: newId('user'),
      email,
      emailVerified: true,
      displayName: null,
      roles: [],
      created: false,
    }));
    const { idToken } = await person(application, 'rita');
    auth.provisioning.answers(null);
    expect(await verified(await ask(byIdToken(idToken)))).toMatchObject({ email: 'rita@acme.example' });
    expect(await verified(await ask({ ...byIdToken(idToken), scope: 'read' }))).not.toHaveProperty('email');
  });

  test('is bound to a key that is proven', async () => {
    const { jkt, proof } = await newProver(auth);
    const dpop = await proof();
    expect(await verified(await ask({}, application, { dpop }))).toMatchObject({ cnf: { jkt } });
    expect(await ask({}, application, { dpop })).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    expect(await ask({}, application, { dpop: await proof({ htm: 'GET' }) })).toMatchObject({
      status: 400,
      body: { error: 'invalid_dpop_proof' },
    });
  });

  test('is what both documents say that it can be asked for', async () => {
    for (const path of ['openid-configuration', 'oauth-authorization-server']) {
      const document = (await (await fetch(`${auth.url}/.well-known/${path}`)).json()) as Record<string, unknown>;
      expect(document['identity_chaining_requested_token_types_supported']).toEqual([tokenType('id-jag')]);
      expect(document['grant_types_supported']).toContain('urn:ietf:params:oauth:grant-type:token-exchange');
      expect(JSON.stringify(document)).not.toContain(audience);
    }
  });

  test('is no token of ours, under no name', async () => {
    const assertion = String((await ask()).body['access_token']);
    expect((await auth.ask('GET', '/v1/me/sessions', { as: assertion })).status).toBe(401);
    for (const name of ['id_token', 'refresh_token'])
      expect(await ask({ subject_token: assertion, subject_token_type: tokenType(name) })).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    const machine = await auth.newApplication(tenantId, {
      kind: 'machine',
      grantTypes: ['jwt_bearer'],
      redirectUris: [],
    });
    expect(
      await auth.token(machine, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    ).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('leaves nothing of itself and of what it was asked by in an event', async () => {
    const answer = await ask(byRefreshToken());
    const { jti } = await verified(answer);
    await ask({ subject_token: `${signedIn.idToken.slice(0, -8)}AAAAAAAA` });
    await eventually('both are on the record', () => {
      const told = JSON.stringify(events.of(tenantId));
      return told.includes(String(jti)) && told.includes('subject_token');
    });
    const told = JSON.stringify(events.of(tenantId));
    for (const token of [answer.body['access_token'], signedIn.idToken, signedIn.refreshToken])
      expect(told).not.toContain(String(token).slice(-40, -10));
  });
});

/** Each beside the same with nothing wrong, which is given. */
async function assertRefused(
  bring: () => Promise<Answer>,
  error: string,
  because: VouchingRefusal | null,
): Promise<void> {
  const before = notIssuedOn().length;
  const answer = await bring();
  expect([answer.status, answer.body['error'], answer.body['access_token'], answer.body['refresh_token']]).toEqual([
    400,
    error,
    undefined,
    undefined,
  ]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  if (because !== null) {
    await eventually('it is on the record', () => notIssuedOn().length > before);
    expect(notIssuedOn().at(-1)?.data).toMatchObject({
      outcome: 'denied',
      reason: { code: because },
      actor: { type: 'client' },
    });
  }
  const given = await ask();
  const { jti } = await verified(given);
  await eventually('the other is on the record', () =>
    issuedOn().some(({ data }) => data.details['assertionId'] === jti),
  );
  expect(notIssuedOn()).toHaveLength(before + (because === null ? 0 : 1));
}

type Row = [name: string, error: string, because: VouchingRefusal | null, form: () => Promise<Form> | Form];
const malformed = ['invalid_request', null] as const;
const noSubject = ['invalid_grant', 'subject_token'] as const;
const noAudience = ['invalid_target', 'audience'] as const;
const noResource = ['invalid_target', 'resource'] as const;

const subject: Row[] = [
  ['80 by an ID token of another client', ...noSubject, async () => byIdToken((await person(another)).idToken)],
  ['80 by a refresh token of one', ...noSubject, async () => byRefreshToken((await person(another)).refreshToken)],
  ['81 by an ID token that was changed', ...noSubject, () => byIdToken(`${signedIn.idToken.slice(0, -8)}AAAAAAAA`)],
  ['83 by an access token', ...malformed, () => typed(signedIn.accessToken, 'access_token')],
  ['83 by an access token that is said to be an ID token', ...noSubject, () => byIdToken(signedIn.accessToken)],
  ['83 by one that is said to be a refresh token', ...noSubject, () => byRefreshToken(signedIn.accessToken)],
  ['84 85 by an assertion of SAML', ...malformed, () => typed('PHNhbWw-', 'saml2')],
  ['by a token without a type', ...malformed, () => ({ subject_token_type: '' })],
  ['by a type without a token', ...malformed, () => ({ subject_token: '' })],
  ['by an ID token that is said to be a refresh token', ...noSubject, () => byRefreshToken(signedIn.idToken)],
  ['by a refresh token that is said to be an ID token', ...noSubject, () => byIdToken(signedIn.refreshToken)],
  ['by 9 kB', ...noSubject, () => byIdToken('x'.repeat(9_000))],
  ['91 by a token whose type is none', ...malformed, () => typed(signedIn.idToken, 'id-token')],
  ['91 by a token whose type is in capitals', ...malformed, () => typed(signedIn.idToken, 'ID_TOKEN')],
  ['91 by a type that every object has', ...malformed, () => ({ subject_token_type: 'constructor' })],
  ['91 for an assertion of a type that is none', ...malformed, () => ({ requested_token_type: tokenType('idjag') })],
  ['with an actor', ...malformed, () => ({ actor_token: 'x', actor_token_type: tokenType('access_token') })],
];

const target: Row[] = [
  ['87 for an audience that no policy names', ...noAudience, () => ({ audience: 'https://other.example' })],
  ['87 for an audience with a slash', ...noAudience, () => ({ audience: `${audience}/` })],
  ['87 for an audience in capitals', ...noAudience, () => ({ audience: audience.toUpperCase() })],
  ['87 for ourselves', ...noAudience, () => ({ audience: auth.url })],
  ['87 for an API in place of an authorization server', ...noAudience, () => ({ audience: notes })],
  ['87 for two', 'invalid_target', null, () => ({ audience: [audience, 'https://other.example'] })],
  ['87 for nobody', ...malformed, () => ({ audience: '' })],
  ['for an API that the policy does not name', ...noResource, () => ({ resource: 'https://other.example' })],
  ['for an API with a slash', ...noResource, () => ({ resource: `${notes}/` })],
  ['for one API and another', ...noResource, () => ({ resource: [notes, 'https://other.example'] })],
  ['for no API of several', ...noResource, () => ({ resource: '' })],
  ['for scopes that the policy does not name', 'invalid_scope', 'scope', () => ({ scope: 'admin' })],
];

describe.each(Object.entries({ subject, target }))('nobody is vouched for by what is wrong in the %s', (_, rows) => {
  test.each(rows)('%s', async (_name, error, because, form) => {
    const said = await form();
    await assertRefused(() => ask(said), error, because);
  });
});

describe('who asks', () => {
  const post = async (form: Record<string, string>) => {
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' };
    const wanted = { requested_token_type: tokenType('id-jag'), audience, resource: notes, ...byIdToken() };
    const body = new URLSearchParams({ ...grant, ...wanted, ...form });
    const answer = await fetch(`${auth.url}/token`, { method: 'POST', body });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  test('proves which application it is, by its secret in the form or in the header', async () => {
    expect(await post({ client_id: application.id })).toMatchObject({ body: { error: 'invalid_client' } });
    expect(await post({ client_id: application.id, client_secret: 'x' })).toMatchObject({
      body: { error: 'invalid_client' },
    });
    expect(await post({ client_id: application.id, client_secret: application.secret })).toMatchObject({ status: 200 });
    expect((await ask()).status).toBe(200);
  });

  test('is an application that keeps a secret and may use the grant', async () => {
    const page = await auth.newApplication(tenantId, { kind: 'single_page' });
    const other = await auth.newApplication(tenantId, {});
    const unauthorized = { status: 400, body: { error: 'unauthorized_client' } };
    expect(await post({ client_id: page.id, ...byIdToken((await person(page)).idToken) })).toMatchObject(unauthorized);
    expect(await ask(byIdToken((await person(other)).idToken), other)).toMatchObject(unauthorized);
    for (const { id: clientId } of [page, other, { id: newId('client') }])
      expect(await allow({ clientId })).toMatchObject({ status: 400, body: { errors: [{ field: 'clientId' }] } });
  });

  test('gets what is said of itself, and nothing of what is said of others or by other tenants', async () => {
    const stranger = await newAsking(auth, tenantId);
    const { idToken } = await person(stranger);
    expect(await ask(byIdToken(idToken), stranger)).toMatchObject({ body: { error: 'invalid_target' } });
    await vouchFor(auth, (await auth.newTenant()).tenantId, {
      clientId: stranger.id,
      audience,
      audienceClientId: 'x',
      scopes,
    });
    const unknown = await ask({ ...byIdToken(idToken), audience: 'https://nobody.example' }, stranger);
    expect((await ask(byIdToken(idToken), stranger)).body).toEqual(unknown.body);
    await allow({ clientId: stranger.id, audienceClientId: 'other' });
    expect(await verified(await ask(byIdToken(idToken), stranger))).toMatchObject({ client_id: 'other' });
  });

  test('of the platform is told apart by the tenant of the person', async () => {
    const shared = await newAsking(auth, null);
    const { tenantId: elsewhere } = await auth.newTenant();
    await vouchFor(auth, elsewhere, { clientId: shared.id, audience, audienceClientId: 'x', scopes });
    const { idToken } = await person(shared);
    expect(await ask(byIdToken(idToken), shared)).toMatchObject({ body: { error: 'invalid_target' } });
    await allow({ clientId: shared.id });
    expect(await verified(await ask(byIdToken(idToken), shared))).toMatchObject({
      tenant: tenantId,
      client_id: 'desk',
    });
    // Of whom an unknown token is nobody knows: it is on the record of whose the application is.
    await ask(byIdToken('x'), shared);
    const isTold = () => notIssuedOn(platformTenantId).some(({ data }) => data.target.id === shared.id);
    await eventually('the platform has it on record', isTold);
  });
});

describe('88 a policy that demands something', () => {
  test('of the person gives nothing to those who are in none of its groups', async () => {
    const by = await newAsking(auth, tenantId);
    const group = newId('group');
    auth.provisioning.answers(({ subject, email }) => ({
      userId: newId('user'),
      email,
      displayName: subject,
      roles: [],
      groups: subject === 'grace' ? [group] : [],
      created: false,
    }));
    const inside = await person(by, 'grace');
    const outside = await person(by, 'heidi');
    auth.provisioning.answers(null);
    await allow({ clientId: by.id, groups: [group] });
    await assertRefused(() => ask(byIdToken(outside.idToken), by), 'invalid_grant', 'group');
    expect(await verified(await ask(byIdToken(inside.idToken), by))).toMatchObject({ sub: inside.userId });
  });

  test('of the sign-in says so, and gives what is asked for once the person has signed in so', async () => {
    const by = await newAsking(auth, tenantId);
    const demanding = await allow({ clientId: by.id, maxAgeSeconds: 600 });
    const old = await person(by, 'ivan', { auth_time: now() - 3_600 });
    const bring = () => ask(byIdToken(old.idToken), by);
    await assertRefused(bring, 'insufficient_user_authentication', 'authentication');
    expect((await bring()).body).toEqual({
      error: 'insufficient_user_authentication',
      error_description: expect.any(String),
      max_age: 600,
    });
    const fresh = await person(by, 'judy', { auth_time: now() - 60, acr: 'high' });
    await verified(await ask(byIdToken(fresh.idToken), by));
    await change('PATCH', demanding.path, { acrValues: ['higher', 'highest'] });
    expect((await ask(byIdToken(fresh.idToken), by)).body).toMatchObject({
      acr_values: 'higher highest',
      max_age: 600,
    });
    await change('PATCH', demanding.path, { acrValues: ['higher', 'high'] });
    expect(await verified(await ask(byIdToken(fresh.idToken), by))).toMatchObject({ acr: 'high' });
  });
});

describe('it ends', () => {
  /** Somebody of their own, of an application of its own: neither token is good any more. */
  async function held(sub: string) {
    const by = await newAsking(auth, tenantId);
    const { path } = await allow({ clientId: by.id });
    const of = await person(by, sub);
    const both = async () => {
      const answers = [await ask(byIdToken(of.idToken), by), await ask(byRefreshToken(of.refreshToken), by)];
      return answers.map(({ status, body }) => (status === 200 ? 'given' : body['error']));
    };
    expect(await both()).toEqual(['given', 'given']);
    return { by, of, path, both };
  }
  const refusedBoth = ['invalid_grant', 'invalid_grant'];

  async function changeSession(sid: string, to: Partial<Session>): Promise<void> {
    const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
    const store = openStore({ uri, database, source: '/test', contents, onError: () => {} });
    const decide = (state: Session | null) => state && { state: { ...state, ...to }, events: [] };
    const cause = serviceCause('auth', { correlationId: newEventId() });
    await store.collection(sessions).in(tenantId).change(sid, decide, { cause });
    await store.close();
  }

  test('90 with the session', async () => {
    const { of, both } = await held('kim');
    await change('POST', `/v1/tenants/${tenantId}/sessions/${of.sid}:terminate`);
    expect(await both()).toEqual(refusedBoth);
    expect((await ask()).status).toBe(200);
  });

  test('54 with the person', async () => {
    const { of, both } = await held('lee');
    const gone = { id: of.userId, because: 'requested', details: { email: null, source: 'api', cause: 'x' } };
    await auth.announce(tenantId, event('user.deactivated', gone as never));
    await eventually('nobody is vouched for', async () => (await both()).join() === refusedBoth.join());
  });

  test('86 with the refresh token that is revoked', async () => {
    const { by, of, both } = await held('mia');
    const headers = { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}` };
    const body = new URLSearchParams({ token: of.refreshToken });
    await fetch(`${auth.url}/token/revocation`, { method: 'POST', headers, body });
    // The session goes on: who has signed in there is still who they are.
    expect(await both()).toEqual(['given', 'invalid_grant']);
  });

  test('with the policy, at once', async () => {
    const { path, both } = await held('noa');
    await change('PATCH', path, { scopes: ['read'] });
    expect(await both()).toEqual(['given', 'given']);
    await change('DELETE', path);
    expect(await both()).toEqual(['invalid_target', 'invalid_target']);
  });

  test('with the application', async () => {
    const { by, both } = await held('oli');
    await change('DELETE', `/v1/tenants/${tenantId}/applications/${by.id}`);
    expect(await both()).toEqual(['invalid_client', 'invalid_client']);
  });

  test('with the tenant', async () => {
    const { tenantId: theirs, slug } = await auth.newTenant();
    const shared = await newAsking(auth, null);
    await auth.newConnection(theirs);
    await vouchFor(auth, theirs, { clientId: shared.id, audience, audienceClientId: 'x', resources: [notes], scopes });
    auth.provider.is({ sub: 'pat' });
    const { tokens } = await auth.signIn(shared, { ...offline, tenant: theirs });
    const bring = () => ask(byIdToken(tokens['id_token']), shared);
    expect(await verified(await bring())).toMatchObject({ tenant: theirs });
    const details = { slug, status: 'suspended' };
    await auth.announce(theirs, event('tenant.suspended', { id: theirs, name: slug, because: 'requested', details }));
    await eventually('nobody is vouched for', async () => (await bring()).body['error'] === 'invalid_grant');
    const isTold = () => notIssuedOn(theirs).some(({ data }) => data.reason.code === 'session');
    await eventually('the tenant has it on record', isTold);
  });

  test('no later than the session', async () => {
    const { by, of } = await held('ray');
    const expiresAt = new Date((now() + 60) * 1_000).toISOString();
    await changeSession(of.sid, { expiresAt });
    const answer = await ask(byIdToken(of.idToken), by);
    expect((await verified(answer)).exp).toBe(Date.parse(expiresAt) / 1_000);
    expect(answer.body['expires_in']).toBeLessThanOrEqual(60);
  });

  test('and does not begin in a session in which somebody acts for the person', async () => {
    const { by, of, both } = await held('quinn');
    await changeSession(of.sid, { delegate: { clientId: by.id, name: 'A bot', by: 'bot', key: 'x' } });
    expect(await both()).toEqual(refusedBoth);
    const isTold = () => notIssuedOn().some(({ data }) => data.reason.code === 'delegated');
    await eventually('it is on the record', isTold);
  });
});

describe('policies', () => {
  test('are made once, changed, listed and deleted, and each change is told', async () => {
    const by = await newAsking(auth, tenantId);
    const { status, body, path, id } = await allow({ clientId: by.id });
    expect([status, body]).toMatchObject([
      201,
      { id, clientId: by.id, audience, audienceClientId: 'desk', resources: [notes, files], scopes, groups: [] },
    ]);
    expect(await allow({ clientId: by.id })).toMatchObject({ status: 409, body: { code: 'vouching_policy_exists' } });
    expect(await allow({ clientId: by.id, audience: `${audience}/other` })).toMatchObject({ status: 201 });
    expect((await change('GET', path)).body).toMatchObject({ id, acrValues: [], maxAgeSeconds: null });
    const { body: list } = await change('GET', `/v1/tenants/${tenantId}/vouching-policies`);
    expect((list['items'] as { id: string }[]).some(one => one.id === id)).toBe(true);
    expect((await change('PATCH', path, { audience: 'https://other.example' })).status).toBe(400);
    expect((await change('PATCH', path, { scopes: ['read'] })).body).toMatchObject({ scopes: ['read'] });
    expect((await change('DELETE', path)).status).toBe(204);
    expect((await change('GET', path)).status).toBe(404);
    expect(await allow({ clientId: by.id })).toMatchObject({ status: 201 });
    const told = () => events.of(tenantId).filter(({ data }) => data.details['name'] === id);
    await eventually('each is told', () => told().length === 3);
    expect(told().map(({ data }) => data.reason.code)).toEqual(['requested', 'requested', 'reset']);
  });

  test('are not for Reeve itself, however its name is written', async () => {
    const by = await newAsking(auth, tenantId);
    const endpoints = ['token', 'elsewhere', '.well-known/openid-configuration'].map(path => `${auth.url}/${path}`);
    for (const own of [auth.url, `${auth.url}/`, auth.url.toUpperCase().replace('HTTP', 'http'), ...endpoints])
      expect(await allow({ clientId: by.id, audience: own })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'audience' }] },
      });
    expect(await allow({ clientId: by.id, audience: 'https://elsewhere.example/token' })).toMatchObject({
      status: 201,
    });
    // Nor an API here, whose tokens are for nobody but the platform to say.
    const own = `https://${newId('request').replace('_', '-')}.product.example/`;
    const as = await auth.asPlatform();
    const registering = { name: 'Own', identifier: own, scopes: [{ name: 'own:all' }], applications: 'all' };
    const before = await allow({ clientId: application.id, audience: own.slice(0, -1), scopes: ['own:all'] });
    expect(before.status).toBe(201);
    expect((await ask({ audience: own.slice(0, -1) })).status).toBe(200);
    expect((await auth.ask('POST', '/v1/resource-servers', { as, body: registering })).status).toBe(201);
    for (const audience of [own, own.slice(0, -1), own.toUpperCase().replace('HTTPS', 'https')])
      expect(await allow({ clientId: by.id, audience })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'audience', message: expect.stringContaining('an API here') }] },
      });
    const said = await ask({ audience: own.slice(0, -1) });
    expect([said.status, said.body['error']]).toEqual([400, 'invalid_target']);
    for (const scope of ['platform:admin', 'openid', 'offline_access'])
      expect(await allow({ clientId: by.id, audience: 'https://x.example', scopes: [scope] })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'scopes.0' }] },
      });
  });

  test('are not for applications of another tenant', async () => {
    const { id: clientId } = await newAsking(auth, (await auth.newTenant()).tenantId);
    expect(await allow({ clientId })).toMatchObject({ status: 400, body: { errors: [{ field: 'clientId' }] } });
  });
});

test('an exchange for an API is what it was', async () => {
  const api = await newApi(auth);
  const asked = { requested_token_type: tokenType('access_token'), audience: '', resource: api.resource };
  const answer = await ask({
    ...asked,
    subject_token: signedIn.accessToken,
    subject_token_type: tokenType('access_token'),
  });
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  expect(decodeJwt(signedIn.idToken)).toMatchObject({ sid: signedIn.sid });
});
