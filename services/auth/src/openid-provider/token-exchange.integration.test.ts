// Token exchange (RFC 8693): an API gets a token for the next one by the token that came to it. Beside each attack
// stands the same with nothing wrong.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore } from '@reeve/store';
import { createBrowser, type EventReader, eventually, newProviderKey, readEvents, signedBy } from '@reeve/testing';
import { calculateJwkThumbprint, createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';
import { contents } from '../contents.ts';
import { type Session, sessions as sessionsOf } from '../sessions/session.ts';
import { exchanging, typeOf } from './token-exchange.test-support.ts';

let auth: Auth;
let on: ReturnType<typeof exchanging>;
let events: EventReader;
let tenantId: TenantId;
let slug: string;
let application: Application;
/** The application that is the API of messages. */
let messenger: Application;
let messages: { id: string; resource: string };
let deliveries: { id: string; resource: string };

const scopes = (...names: string[]) => names.map(name => ({ name }));
const policy = (more: object = {}) => ({
  from: [messages.resource],
  by: [messenger.id],
  scopes: [
    { name: 'deliveries:read', requires: ['messages:read'] },
    { name: 'deliveries:send', requires: ['messages:write'] },
    { name: 'deliveries:purge', requires: ['messages:read', 'messages:write'] },
  ],
  ...more,
});
const deliveryScopes = scopes('deliveries:read', 'deliveries:send', 'deliveries:purge', 'deliveries:all');

beforeAll(async () => {
  auth = await startAuth();
  on = exchanging(auth);
  events = await readEvents('reeve.auth.v1');
  ({ tenantId, slug } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(null, { surface: 'console' });
  messenger = await on.newExchanger();
  messages = await on.newApi({ scopes: scopes('messages:read', 'messages:write'), introspectedBy: [messenger.id] });
  deliveries = await on.newApi({
    scopes: deliveryScopes,
    exchangePolicies: [policy()],
    applications: [],
  });
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});
beforeEach(() => auth.provider.is({ sub: 'ada', email: 'ada@acme.example', amr: ['pwd'] }));

type SignIn = { scope?: string; resource?: string; tenant?: string; by?: Application };

async function signedIn({ scope, resource, tenant = slug, by = application }: SignIn = {}) {
  const asked = { tenant, resource: resource ?? messages.resource, scope: `openid ${scope ?? 'messages:read'}` };
  const { tokens, claims } = await auth.signIn(by, asked);
  const token = tokens['access_token'] ?? '';
  return { token, claims, tokens, sid: String(claims['sid']) as never };
}
const subjectToken = async (more: SignIn = {}) => (await signedIn(more)).token;
const exchange = (subject: string, form: Record<string, string> = {}, by = messenger) =>
  on.exchange(by, { subject, resource: deliveries.resource, form });
const refused = (error: string) => ({ status: 400, body: { error } });
const notExchanged = {
  status: 400,
  body: {
    error: 'invalid_request',
    error_description: 'subject_token counts no more, or is none that this client may exchange for that API',
  },
};
const sessions = (sid: string) => `/v1/tenants/${tenantId}/sessions/${sid}:terminate`;
const terminate = async (sid: string) => auth.ask('POST', sessions(sid), { as: await auth.asPlatform() });

describe('a token that was exchanged', () => {
  test('is for the next API, of the same person and session, narrower, and says who acts', async () => {
    const { token, claims, sid } = await signedIn({ scope: 'messages:read messages:write' });
    const { status, body } = await exchange(token, { scope: 'deliveries:send' });
    expect([status, Object.keys(body).toSorted()]).toEqual([
      200,
      ['access_token', 'expires_in', 'issued_token_type', 'scope', 'token_type'],
    ]);
    expect(body).toMatchObject({
      issued_token_type: typeOf('access_token'),
      token_type: 'Bearer',
      scope: 'deliveries:send',
    });
    const keys = createRemoteJWKSet(new URL(`${auth.url}/jwks`));
    const { payload } = await jwtVerify(body['access_token'] ?? '', keys, {
      issuer: auth.url,
      audience: deliveries.resource,
      typ: 'at+jwt',
    });
    const before = decodeJwt(token);
    expect(payload).toMatchObject({
      sub: claims.sub,
      sid,
      tid: tenantId,
      client_id: messenger.id,
      scope: 'deliveries:send',
      amr: before['amr'],
      auth_time: before['auth_time'],
      surface: before['surface'],
      act: { sub: messenger.id, client_id: messenger.id },
    });
    expect(payload.exp).toBeLessThanOrEqual(before.exp ?? 0);
    expect(payload.exp).toBe((payload.iat ?? 0) + Number(body['expires_in']));
    const told = (await events.seen(tenantId, 'token.exchanged', sid)).data;
    expect(told).toMatchObject({
      outcome: 'success',
      actor: { type: 'client', id: messenger.id },
      context: { sessionId: sid, clientId: messenger.id },
      details: {
        userId: claims.sub,
        clientId: application.id,
        from: messages.resource,
        to: deliveries.resource,
        scopes: ['deliveries:send'],
        actors: [messenger.id],
        tokenId: payload.jti,
        expiresAt: new Date((payload.exp ?? 0) * 1_000).toISOString(),
      },
    });
    expect(JSON.stringify(told)).not.toContain(String(body['access_token']));
  });

  test('is asked for by audience as well, and has all the scopes that there are where none is named', async () => {
    const token = await subjectToken({ scope: 'messages:read messages:write' });
    const form = on.formOf({ subject: token, resource: '' });
    const { body } = await on.post({ ...form, audience: deliveries.resource }, messenger);
    expect(body['scope']).toBe('deliveries:read deliveries:send deliveries:purge');
    const both = { ...form, resource: deliveries.resource, audience: deliveries.resource };
    expect((await on.post(both, messenger)).status).toBe(200);
    const read = await exchange(await subjectToken());
    expect(read.body['scope']).toBe('deliveries:read');
  });

  test('is the grant of the discovery document', async () => {
    const document = (await (await fetch(`${auth.url}/.well-known/openid-configuration`)).json()) as object;
    expect(document).toMatchObject({
      grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:token-exchange']),
    });
  });

  test('may be had again while the subject token counts, each time another, none of them longer', async () => {
    const { token, sid } = await signedIn();
    const all = await Promise.all(Array.from({ length: 4 }, () => exchange(token)));
    const got = all.map(({ body }) => decodeJwt(body['access_token'] ?? ''));
    expect(new Set(got.map(({ jti }) => jti)).size).toBe(4);
    for (const { exp } of got) expect(exp).toBeLessThanOrEqual(decodeJwt(token).exp ?? 0);
    await eventually('each is told of', () => {
      const told = events.of(tenantId).filter(({ type, data }) => type === 'token.exchanged' && data.target.id === sid);
      return told.length === 4;
    });
  });

  test('says how the person had signed in when the subject token was made, and no more', async () => {
    const browser = createBrowser();
    const asked = { tenant: slug, resource: messages.resource, scope: 'openid messages:read', browser };
    const { tokens, claims } = await auth.signIn(application, asked);
    auth.provider.is({ sub: 'ada', amr: ['mfa'], acr: 'urn:mfa' });
    const again = await auth.signIn(application, { ...asked, prompt: 'login' });
    const said = async (token = '') => decodeJwt((await exchange(token)).body['access_token'] ?? '');
    expect(again.claims['sid']).toBe(claims['sid']);
    expect(await said(again.tokens['access_token'])).toMatchObject({ amr: ['fed', 'mfa'], acr: 'urn:mfa' });
    const before = await said(tokens['access_token']);
    expect([before['amr'], before['acr']]).toEqual([['fed', 'pwd'], undefined]);
  });

  test('names the place of its session in the status list, where the API has it so', async () => {
    const listed = { statusList: true };
    const from = await on.newApi({ scopes: scopes('messages:read'), ...listed });
    const to = await on.newApi({
      scopes: deliveryScopes,
      exchangePolicies: [policy({ from: [from.resource] })],
      ...listed,
    });
    const subject = await subjectToken({ resource: from.resource });
    const { body } = await on.exchange(messenger, { subject, resource: to.resource });
    expect(decodeJwt(subject)['status']).toBeDefined();
    expect(decodeJwt(body['access_token'] ?? '')['status']).toEqual(decodeJwt(subject)['status']);
  });

  test('comes from an opaque one as well, and is opaque where the API has it so', async () => {
    const from = await on.newApi({ scopes: scopes('messages:read'), format: 'opaque', tokenSeconds: 3_600 });
    const api = await auth.newApplication(null);
    const to = await on.newApi({
      scopes: deliveryScopes,
      format: 'opaque',
      tokenSeconds: 3_600,
      introspectedBy: [api.id],
      exchangePolicies: [policy({ from: [from.resource], maxLifetimeSeconds: 3_600 })],
    });
    const { token, claims, sid } = await signedIn({ resource: from.resource });
    const { status, body } = await on.exchange(messenger, { subject: token, resource: to.resource });
    expect([status, body['access_token']]).toEqual([200, expect.stringMatching(/^[\w-]{43,}$/)]);
    expect(await on.introspect(api, body['access_token'])).toMatchObject({
      active: true,
      sub: claims.sub,
      client_id: messenger.id,
      aud: to.resource,
      sid,
      tid: tenantId,
      scope: 'deliveries:read',
      act: { sub: messenger.id, client_id: messenger.id },
    });
    const told = await events.seen(tenantId, 'token.exchanged', sid);
    expect([told.data.details['tokenId'], JSON.stringify(told).includes(body['access_token'] ?? '?')]).toEqual([
      null,
      false,
    ]);
    await terminate(sid);
    expect(await on.introspect(api, body['access_token'])).toEqual({ active: false });
  });
});

describe('an exchange is refused', () => {
  test('of a token of another tenant, as of one that is none', async () => {
    const other = await auth.newTenant();
    await auth.newConnection(other.tenantId);
    const own = await on.newExchanger(tenantId);
    const api = await on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ by: [own.id] })] });
    const ask = (subject: string) => on.exchange(own, { subject, resource: api.resource });
    const foreign = await subjectToken({ tenant: other.slug });
    expect(await ask(foreign)).toEqual(notExchanged);
    for (const none of ['nothing', 'a.b.c', `${foreign}A`, foreign.slice(0, -1)])
      expect(await ask(none)).toEqual(notExchanged);
    expect((await ask(await subjectToken())).status).toBe(200);
  });

  test('of an expired token', async () => {
    const brief = await on.newApi({
      scopes: scopes('messages:read'),
      exchangePolicies: [
        policy({ scopes: [{ name: 'messages:read', requires: ['messages:read'] }], maxLifetimeSeconds: 5 }),
      ],
    });
    const api = await on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ from: [brief.resource] })] });
    const short = await on.exchange(messenger, { subject: await subjectToken(), resource: brief.resource });
    expect(short.body['expires_in']).toBe(5);
    const ask = () => on.exchange(messenger, { subject: short.body['access_token'] ?? '', resource: api.resource });
    const inTime = await ask();
    expect([inTime.status, Number(inTime.body['expires_in']) <= 5]).toEqual([200, true]);
    await pause(5_100);
    expect(await ask()).toEqual(notExchanged);
  }, 20_000);

  test('of what is another kind of token, whatever it is called', async () => {
    const { tokens, token } = await signedIn();
    const { code } = await auth.authorize(application, { tenant: slug, resource: messages.resource });
    const { tokens: forNobody } = await auth.signIn(application, { tenant: slug, scope: 'openid' });
    const own = { as: await auth.asPlatform(), resource: auth.url };
    for (const other of [tokens['id_token'], tokens['refresh_token'], code, forNobody['access_token'], own.as])
      for (const type of ['access_token', 'jwt'])
        expect(await exchange(other ?? '', { subject_token_type: typeOf(type) })).toEqual(notExchanged);
    for (const type of ['id_token', 'refresh_token', 'saml2', 'saml1', 'access_token ', 'toString'])
      expect(await exchange(token, { subject_token_type: typeOf(type) })).toMatchObject(refused('invalid_request'));
    expect((await exchange(token, { subject_token_type: typeOf('jwt') })).status).toBe(200);
  });

  test('of a token of a machine, which asks for one of its own', async () => {
    const scope = `messages:read tenant:${slug}`;
    const asked = { grant_type: 'client_credentials', scope, resource: messages.resource };
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const { body } = await auth.token(machine, asked);
    expect(decodeJwt(body['access_token'] ?? '')['tid']).toBe(tenantId);
    expect(await exchange(body['access_token'] ?? '')).toEqual(notExchanged);
  });

  test('to a broader scope', async () => {
    const token = await subjectToken();
    for (const scope of ['deliveries:send', 'deliveries:read deliveries:send', 'deliveries:all', 'deliveries:purge'])
      expect(await exchange(token, { scope })).toMatchObject(refused('invalid_scope'));
    for (const scope of ['messages:read', 'openid', 'platform:admin', `tenant:${slug}`, 'DELIVERIES:READ'])
      expect(await exchange(token, { scope })).toMatchObject(refused('invalid_scope'));
    expect(await exchange(await subjectToken({ scope: 'email' }))).toMatchObject(refused('invalid_scope'));
    expect((await exchange(token, { scope: 'deliveries:read' })).status).toBe(200);
  });

  test('to another audience, be it there or not', async () => {
    const token = await subjectToken();
    const closed = await on.newApi({ scopes: deliveryScopes });
    const ofOthers = await on.newApi({
      scopes: deliveryScopes,
      exchangePolicies: [policy({ by: [application.id] })],
    });
    const answers = [];
    for (const resource of [
      closed.resource,
      ofOthers.resource,
      'https://nobody.example',
      auth.url,
      'x',
      `${deliveries.resource}/`,
    ])
      answers.push(await on.exchange(messenger, { subject: token, resource }));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject(refused('invalid_target'));
    expect(await on.exchange(messenger, { subject: token, resource: '' })).toMatchObject(refused('invalid_target'));
    const two = new URLSearchParams(on.formOf({ subject: token, resource: deliveries.resource }));
    two.append('resource', closed.resource);
    expect(await on.post(two, messenger)).toMatchObject(refused('invalid_target'));
    two.delete('resource', closed.resource);
    expect((await on.post(two, messenger)).status).toBe(200);
  });

  test('of a token that came to another API', async () => {
    const elsewhere = await on.newApi({ scopes: scopes('messages:read') });
    expect(await exchange(await subjectToken({ resource: elsewhere.resource }))).toEqual(notExchanged);
    expect((await exchange(await subjectToken())).status).toBe(200);
  });

  test('to who may not exchange: no policy, no such grant, no secret', async () => {
    const token = await subjectToken();
    const stranger = await on.newExchanger();
    expect(await exchange(token, {}, stranger)).toMatchObject(refused('invalid_target'));
    expect(await exchange(token, {}, application)).toMatchObject(refused('invalid_request'));
    expect(await exchange(token, {}, { ...messenger, secret: 'wrong' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    for (const kind of ['single_page', 'native', 'device'])
      await expect(auth.newApplication(null, { kind, grantTypes: ['token_exchange'] })).rejects.toThrow('grantTypes');
    expect((await exchange(token)).status).toBe(200);
  });

  test('in a session that has ended', async () => {
    const { token, sid } = await signedIn();
    expect((await exchange(token)).status).toBe(200);
    await terminate(sid);
    expect(await exchange(token)).toEqual(notExchanged);
  });

  test('when the application is gone that the token was for, or may ask no more, and a moment after its API is', async () => {
    const gone = await auth.newApplication(null);
    const token = await subjectToken({ by: gone });
    expect((await exchange(token)).status).toBe(200);
    await on.change(`/v1/resource-servers/${messages.id}`, { applications: [{ clientId: application.id }] });
    expect(await exchange(token)).toEqual(notExchanged);
    await on.change(`/v1/resource-servers/${messages.id}`, { applications: 'platform' });
    expect((await exchange(token)).status).toBe(200);
    await on.change(`/v1/applications/${gone.id}`, null);
    expect(await exchange(token)).toEqual(notExchanged);
    const api = await on.newApi({ scopes: scopes('messages:read') });
    const next = await on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ from: [api.resource] })] });
    const subject = await subjectToken({ resource: api.resource });
    const ask = () => on.exchange(messenger, { subject, resource: next.resource });
    expect((await ask()).status).toBe(200);
    await on.change(`/v1/resource-servers/${api.id}`, null);
    expect(await ask()).toEqual(notExchanged);
  });

  test('when the secret was rotated by which the subject token was got', async () => {
    const web = await auth.newApplication(null);
    const token = await subjectToken({ by: web });
    expect((await exchange(token)).status).toBe(200);
    await auth.ask('POST', `/v1/applications/${web.id}:rotate-secret`, { as: await auth.asPlatform(), body: {} });
    expect(await exchange(token)).toEqual(notExchanged);
  });

  test('of a person who is deactivated, as of one who acts and is', async () => {
    const acted = await on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ actor: 'allowed' })] });
    const subject = await subjectToken();
    auth.provider.is({ sub: 'leaving' });
    const { token, claims } = await signedIn();
    const form = { actor_token: token, actor_token_type: typeOf('access_token') };
    const asActor = () => on.exchange(messenger, { subject, resource: acted.resource, form });
    expect([(await exchange(token)).status, (await asActor()).status]).toEqual([200, 200]);
    const details = { email: null, source: 'admin', cause: 'requested' };
    const id = claims.sub as never;
    await auth.announce(tenantId, event('user.deactivated', { id, because: 'requested', details }));
    await eventually('it is exchanged no more', async () => (await exchange(token)).status === 400);
    expect(await exchange(token)).toEqual(notExchanged);
    expect(await asActor()).toMatchObject(refused('invalid_request'));
    expect((await exchange(subject)).status).toBe(200);
  });

  test('of a token by a key that is known to others', async () => {
    const token = await subjectToken();
    expect((await exchange(token)).status).toBe(200);
    const body = { use: 'access_token', compromised: true };
    await auth.ask('POST', '/v1/signing-keys:rotate', { as: await auth.asPlatform(), body });
    expect(await exchange(token)).toEqual(notExchanged);
    expect((await exchange(await subjectToken())).status).toBe(200);
  });

  test('of a suspended tenant', async () => {
    const own = await auth.newTenant();
    await auth.newConnection(own.tenantId);
    const token = await subjectToken({ tenant: own.slug });
    expect((await exchange(token)).status).toBe(200);
    const details = { slug: own.slug, status: 'suspended' };
    const suspended = event('tenant.suspended', { id: own.tenantId, name: own.slug, because: 'requested', details });
    await auth.announce(own.tenantId, suspended);
    await eventually('it is exchanged no more', async () => (await exchange(token)).status === 400);
    expect(await exchange(token)).toEqual(notExchanged);
  });

  test('to an application that is to serve the tenant no more', async () => {
    const few = await on.newExchanger();
    const api = await on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ by: [few.id] })] });
    const subject = await subjectToken();
    const ask = () => on.exchange(few, { subject, resource: api.resource });
    expect((await ask()).status).toBe(200);
    await on.change(`/v1/applications/${few.id}`, { tenants: [] });
    expect(await ask()).toEqual(notExchanged);
  });

  test('in a request that is not of the protocol', async () => {
    const token = await subjectToken();
    const form = on.formOf({ subject: token, resource: deliveries.resource });
    const without = (name: string) => Object.entries(form).filter(([key]) => key !== name);
    for (const name of ['subject_token', 'subject_token_type'])
      expect(await on.post(Object.fromEntries(without(name)), messenger)).toMatchObject(refused('invalid_request'));
    for (const name of Object.keys(form).filter(key => key !== 'resource')) {
      const twice = new URLSearchParams(form);
      twice.append(name, (form as Record<string, string>)[name] ?? '');
      expect(await on.post(twice, messenger)).toMatchObject(refused('invalid_request'));
    }
    for (const type of ['refresh_token', 'id_token', 'saml2', '', 'access_token,'])
      expect(await exchange(token, { requested_token_type: typeOf(type) })).toMatchObject(refused('invalid_request'));
    expect(await exchange(token, { actor_token: token })).toMatchObject(refused('invalid_request'));
    expect(await exchange(token, { actor_token_type: typeOf('jwt') })).toMatchObject(refused('invalid_request'));
    for (const huge of ['a'.repeat(40_000), `${'a'.repeat(9_000)}.${'b'.repeat(9_000)}.${'c'.repeat(9_000)}`])
      expect(await exchange(huge)).toEqual(notExchanged);
    const many = Array.from({ length: 2_000 }, () => 'deliveries:read').join(' ');
    expect(await exchange(token, { scope: many })).toMatchObject({ status: 200, body: { scope: 'deliveries:read' } });
    const asJwt = await exchange(token, { requested_token_type: typeOf('jwt') });
    expect([asJwt.status, asJwt.body['issued_token_type']]).toEqual([200, typeOf('jwt')]);
  });

  test('in longer than the policy, the subject token, the session and the API let it be', async () => {
    auth.provider.is({ sub: 'ada', session_expiry: Math.floor(Date.now() / 1_000) + 40 });
    const brief = await on.newApi({ scopes: deliveryScopes, tokenSeconds: 30, exchangePolicies: [policy()] });
    const byPolicy = await on.newApi({
      scopes: deliveryScopes,
      exchangePolicies: [policy({ maxLifetimeSeconds: 7 })],
    });
    const { tokens } = await auth.signIn(application, {
      tenant: slug,
      resource: messages.resource,
      scope: 'openid messages:read',
      prompt: 'login',
    });
    const subject = tokens['access_token'] ?? '';
    const secondsAt = async ({ resource }: { resource: string }) =>
      Number((await on.exchange(messenger, { subject, resource })).body['expires_in']);
    expect(await secondsAt(brief)).toBe(30);
    expect(await secondsAt(byPolicy)).toBe(7);
    expect(await secondsAt(deliveries)).toBeLessThanOrEqual(40);
    expect(await secondsAt(deliveries)).toBeGreaterThan(30);
  });
});

describe('a policy', () => {
  test('is refused by name where it says what cannot be, and changed like all settings of the API', async () => {
    const { id } = await on.newApi({ scopes: deliveryScopes });
    const path = `/v1/resource-servers/${id}`;
    const read = await auth.ask<{ exchangePolicies: object[]; mayAct: null }>('GET', path, {
      as: await auth.asPlatform(),
    });
    expect(read.body).toMatchObject({ exchangePolicies: [], mayAct: null });
    for (const [wrong, field] of [
      [{ exchangePolicies: [policy({ from: [`${auth.url}/x`] })] }, 'exchangePolicies.0.from.0'],
      [{ exchangePolicies: [policy(), policy()] }, 'exchangePolicies.1'],
      [{ exchangePolicies: [policy({ actor: 'sometimes' })] }, 'exchangePolicies.0.actor'],
      [{ exchangePolicies: [policy({ scopes: [] })] }, 'exchangePolicies.0.scopes'],
      [{ scopes: [], exchangePolicies: [policy()] }, 'exchangePolicies.0.scopes.0.name'],
      [{ mayAct: 'somebody' }, 'mayAct'],
    ] as const) {
      const { status, body } = await on.change(path, wrong);
      expect([status, body.errors?.map(error => error.field)]).toEqual([400, [field]]);
    }
    expect((await on.change(path, { exchangePolicies: [policy()] })).status).toBe(200);
    // A scope that a policy gives is not taken from the API without it.
    expect((await on.change(path, { scopes: [] })).body.errors).toMatchObject([
      { field: 'exchangePolicies.0.scopes.0.name' },
    ]);
  });
});

describe('who acts', () => {
  const self = (api: { resource: string }, by: Application[], more: object = {}) => ({
    from: [messages.resource, api.resource],
    by: by.map(({ id }) => id),
    scopes: [{ name: 'messages:read', requires: ['messages:read'] }],
    ...more,
  });
  const asActor = (token: string) => ({ actor_token: token, actor_token_type: typeOf('access_token') });
  const machineToken = async (machine: Application, tenant = slug, resource = messages.resource) => {
    const scope = `messages:read tenant:${tenant}`;
    return (
      (await auth.token(machine, { grant_type: 'client_credentials', scope, resource })).body['access_token'] ?? ''
    );
  };
  const actOf = ({ body }: { body: Record<string, string> }) => decodeJwt(body['access_token'] ?? '')['act'];

  test('stands in the token one within the other, and the chain ends', async () => {
    const second = await on.newExchanger();
    const api = await on.newApi({ scopes: scopes('messages:read') });
    const path = `/v1/resource-servers/${api.id}`;
    expect((await on.change(path, { exchangePolicies: [self(api, [messenger, second])] })).status).toBe(200);
    const { token: first, sid } = await signedIn();
    const ask = (subject: string, by: Application) => on.exchange(by, { subject, resource: api.resource });
    const one = await ask(first, messenger);
    const two = await ask(one.body['access_token'] ?? '', second);
    const [a, b] = [messenger, second].map(({ id }) => ({ sub: id, client_id: id }));
    expect(actOf(two)).toEqual({ ...b, act: a });
    const three = await ask(two.body['access_token'] ?? '', messenger);
    const four = await ask(three.body['access_token'] ?? '', second);
    expect(actOf(four)).toEqual({ ...b, act: { ...a, act: { ...b, act: a } } });
    const five = await ask(four.body['access_token'] ?? '', messenger);
    expect(five).toMatchObject(refused('invalid_request'));
    const denied = await eventually('it is on the record', () =>
      events.of(tenantId).find(({ data }) => data.target.id === sid && data.reason.code === 'chain_too_long'),
    );
    expect(denied.data).toMatchObject({ outcome: 'denied', actor: { id: messenger.id } });
    const exps = [first, ...[one, two, three, four].map(({ body }) => body['access_token'] ?? '')];
    const times = exps.map(text => decodeJwt(text).exp ?? 0);
    expect(times).toEqual(times.toSorted((x, y) => y - x));
  });

  test('is said by an actor token of the same tenant, where the policy has it so', async () => {
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const [allowed, required] = await Promise.all(
      ['allowed', 'required'].map(actor =>
        on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ actor })] }),
      ),
    );
    const { token, sid } = await signedIn();
    const ask = (api: { resource: string } | undefined, form: Record<string, string> = {}) =>
      on.exchange(messenger, { subject: token, resource: api?.resource ?? '', form });
    const actor = await machineToken(machine);
    for (const api of [allowed, required])
      expect(actOf(await ask(api, asActor(actor)))).toEqual({ sub: machine.id, client_id: machine.id });
    expect(actOf(await ask(allowed))).toEqual({ sub: messenger.id, client_id: messenger.id });
    expect(await ask(required)).toMatchObject(refused('invalid_request'));
    expect(await ask(deliveries, asActor(actor))).toMatchObject(refused('invalid_request'));
    auth.provider.is({ sub: 'bob' });
    const bob = await signedIn();
    expect(actOf(await ask(allowed, asActor(bob.token)))).toEqual({ sub: bob.claims.sub, client_id: application.id });
    expect((await events.seen(tenantId, 'token.exchanged', sid)).data.details['actors']).toEqual([machine.id]);
    // Nobody acts for themselves, and nobody for somebody for whom another acts.
    expect(await ask(allowed, asActor(token))).toMatchObject(refused('invalid_request'));
    const acted = await on.exchange(messenger, { subject: bob.token, resource: allowed?.resource ?? '' });
    expect(await ask(allowed, asActor(acted.body['access_token'] ?? ''))).toMatchObject(refused('invalid_request'));
  });

  test('is nobody of another tenant, nobody who came elsewhere, and nobody who is gone', async () => {
    const other = await auth.newTenant();
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const api = await on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ actor: 'allowed' })] });
    const elsewhere = await on.newApi({ scopes: scopes('messages:read') });
    const subject = await subjectToken();
    const ask = (token: string) => on.exchange(messenger, { subject, resource: api.resource, form: asActor(token) });
    const refusedActor = (await ask('nothing')).body;
    expect(refusedActor['error']).toBe('invalid_request');
    for (const token of [
      await machineToken(machine, other.slug),
      await machineToken(machine, slug, elsewhere.resource),
      (await signedIn()).tokens['id_token'] ?? '',
      await auth.asPlatform(),
    ])
      expect((await ask(token)).body).toEqual(refusedActor);
    auth.provider.is({ sub: 'bob' });
    const bob = await signedIn();
    const ofMachine = await machineToken(machine);
    for (const token of [bob.token, ofMachine]) expect((await ask(token)).status).toBe(200);
    await terminate(bob.sid);
    await on.change(`/v1/applications/${machine.id}`, null);
    for (const token of [bob.token, ofMachine]) expect((await ask(token)).body).toEqual(refusedActor);
  });

  test('is the one that may, by the subject token and by its API, in every exchange that follows', async () => {
    const only = await on.newExchanger();
    const from = await on.newApi({ scopes: scopes('messages:read'), mayAct: only.id });
    const to = await on.newApi({ scopes: scopes('messages:read') });
    const by = [only, messenger];
    const policies = [{ ...self(to, by), from: [from.resource, to.resource], actor: 'allowed' }];
    await on.change(`/v1/resource-servers/${to.id}`, { exchangePolicies: policies });
    const { token, sid } = await signedIn({ resource: from.resource });
    expect(decodeJwt(token)['may_act']).toEqual({ sub: only.id });
    const ask = (subject: string, asking: Application, form: Record<string, string> = {}) =>
      on.exchange(asking, { subject, resource: to.resource, form });
    expect(await ask(token, messenger)).toMatchObject(refused('invalid_request'));
    const denied = await events.seen(tenantId, 'token.exchanged', sid);
    expect(denied.data).toMatchObject({ outcome: 'denied', reason: { code: 'actor_refused' } });
    const machine = await auth.newApplication(null, { grantTypes: ['client_credentials'], redirectUris: [] });
    const actor = asActor(await machineToken(machine, slug, from.resource));
    expect(await ask(token, only, actor)).toMatchObject(refused('invalid_request'));
    const first = await ask(token, only);
    expect(first.status).toBe(200);
    const got = first.body['access_token'] ?? '';
    // An exchange without an actor takes nothing off (keycloak#52691).
    expect(decodeJwt(got)['may_act']).toEqual({ sub: only.id });
    expect(await ask(got, messenger)).toMatchObject(refused('invalid_request'));
    expect(await ask(got, messenger, actor)).toMatchObject(refused('invalid_request'));
    expect((await ask(got, only)).status).toBe(200);
    // One for an API that has one of its own says that.
    const last = await on.newApi({
      scopes: deliveryScopes,
      mayAct: only.id,
      exchangePolicies: [policy()],
    });
    const to2 = await on.exchange(messenger, { subject: await subjectToken(), resource: last.resource });
    expect(decodeJwt(to2.body['access_token'] ?? '')['may_act']).toEqual({ sub: only.id });
    // What the API says now counts of tokens from before as well.
    const plain = await subjectToken({ resource: from.resource });
    await on.change(`/v1/resource-servers/${from.id}`, { mayAct: messenger.id });
    expect(await ask(plain, only)).toMatchObject(refused('invalid_request'));
  });
});

describe('an opaque token that was exchanged', () => {
  let api: Application;
  let from: { id: string; resource: string };
  let to: { id: string; resource: string };

  beforeAll(async () => {
    api = await auth.newApplication(null);
    from = await on.newApi({ scopes: scopes('messages:read'), format: 'opaque' });
    to = await on.newApi({
      scopes: deliveryScopes,
      format: 'opaque',
      introspectedBy: [api.id],
      exchangePolicies: [policy({ from: [from.resource] })],
    });
  });

  const inactive = { active: false };
  const got = async (by = application) => {
    const before = await signedIn({ resource: from.resource, by });
    const { body } = await on.exchange(messenger, { subject: before.token, resource: to.resource });
    const token = body['access_token'] ?? '';
    expect(await on.introspect(api, token)).toMatchObject({ active: true });
    return { before, token };
  };
  const revoke = (token: string, by: Application) =>
    fetch(`${auth.url}/token/revocation`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}` },
      body: new URLSearchParams({ token }),
    });

  test('ends with the grant of the subject token, and the other way round it does not', async () => {
    const { before, token } = await got();
    await revoke(token, messenger);
    expect(await on.introspect(api, token)).toEqual(inactive);
    expect((await on.exchange(messenger, { subject: before.token, resource: to.resource })).status).toBe(200);
    expect((await auth.refresh(application, before.tokens['refresh_token'] ?? '')).status).toBe(200);
    const other = await got();
    await revoke(other.before.tokens['refresh_token'] ?? '', application);
    expect(await on.introspect(api, other.token)).toEqual(inactive);
    expect(await on.exchange(messenger, { subject: other.before.token, resource: to.resource })).toEqual(notExchanged);
  });

  test('ends with the application whose token it was, with the one that exchanged, and with the policy', async () => {
    const web = await auth.newApplication(null);
    const { token } = await got(web);
    await on.change(`/v1/applications/${web.id}`, null);
    expect(await on.introspect(api, token)).toEqual(inactive);
    const other = await got();
    const path = `/v1/resource-servers/${to.id}`;
    await on.change(path, { exchangePolicies: [] });
    expect(await on.introspect(api, other.token)).toEqual(inactive);
    await on.change(path, { exchangePolicies: [policy({ from: [from.resource] })] });
    expect(await on.introspect(api, other.token)).toMatchObject({ active: true });
    await auth.ask('POST', `/v1/applications/${messenger.id}:rotate-secret`, {
      as: await auth.asPlatform(),
      body: { keepPreviousSeconds: 600 },
    });
    expect(await on.introspect(api, other.token)).toMatchObject({ active: true });
  });

  test('goes on as the session does where the person is, and not where the exchange was', async () => {
    const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
    const store = openStore({ uri, database, source: '/test', contents, onError: () => {} });
    const cause = serviceCause('auth', { correlationId: newEventId() });
    const unusedFor = (sid: string, seconds: number) => {
      const lastSeenAt = new Date(Date.now() - seconds * 1_000).toISOString();
      const decide = (session: Session | null) => session && { state: { ...session, lastSeenAt }, events: [] };
      return store.collection(sessionsOf).in(tenantId).change(sid, decide, { cause });
    };
    const dashboard = await auth.newApplication(null, { surface: 'dashboard' });
    await on.change(`/v1/applications/${messenger.id}`, { surface: 'assistant' });
    const [atDashboard, atConsole] = [await got(dashboard), await got()];
    for (const { before } of [atDashboard, atConsole]) await unusedFor(before.sid, 2 * 3_600);
    expect(await on.introspect(api, atDashboard.token)).toMatchObject({ active: true, surface: 'dashboard' });
    expect(await on.introspect(api, atConsole.token)).toEqual(inactive);
    const again = (subject: string) => on.exchange(messenger, { subject, resource: to.resource });
    expect((await again(atDashboard.before.token)).status).toBe(200);
    expect(await again(atConsole.before.token)).toEqual(notExchanged);
    await store.close();
  });

  test('is nothing to who exchanged it for somebody else, and to strangers', async () => {
    const { token } = await got();
    expect(await on.introspect(application, token)).toEqual(inactive);
    expect(await on.introspect(messenger, token)).toMatchObject({ active: true });
    const me = await fetch(`${auth.url}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(me.status).toBe(403);
  });
});

describe('a token that is bound to a key', () => {
  const publicOf = ({ jwk: { kty, crv, x, y } }: Awaited<ReturnType<typeof newProviderKey>>) => ({ kty, crv, x, y });
  const now = () => Math.floor(Date.now() / 1_000);

  test('is exchanged for one that is bound to the key of who exchanges, and for no other', async () => {
    const [person, exchanger] = [await newProviderKey('ES256'), await newProviderKey('ES256')];
    const proof = (by: typeof person, more: object = {}) => {
      const said = { jti: randomUUID(), iat: now(), htm: 'POST', htu: `${auth.url}/token`, ...more };
      return signedBy(by, said, { typ: 'dpop+jwt', jwk: publicOf(by), kid: undefined });
    };
    const { code, verifier } = await auth.authorize(application, {
      tenant: slug,
      resource: messages.resource,
      scope: 'openid messages:read',
    });
    const form = {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: callback,
      code_verifier: verifier,
      resource: messages.resource,
    };
    const { body } = await on.post(form, application, { dpop: await proof(person) });
    const subject = body['access_token'] ?? '';
    expect(decodeJwt(subject)['cnf']).toBeDefined();
    const ask = (headers: Record<string, string>) =>
      on.exchange(messenger, { subject, resource: deliveries.resource, headers });
    expect(await ask({})).toMatchObject(refused('invalid_request'));
    expect((await ask({ dpop: await proof(exchanger, { htu: deliveries.resource }) })).status).toBe(400);
    const header = { dpop: await proof(exchanger) };
    const bound = await ask(header);
    expect([bound.status, bound.body['token_type']]).toEqual([200, 'DPoP']);
    expect(decodeJwt(bound.body['access_token'] ?? '')['cnf']).toEqual({
      jkt: await calculateJwkThumbprint(publicOf(exchanger) as never),
    });
    // A proof counts once.
    expect((await ask(header)).status).toBe(400);
  });

  test('is what an application gets that is to have no others', async () => {
    const strict = await auth.newApplication(null, {
      kind: 'machine',
      grantTypes: ['token_exchange'],
      redirectUris: [],
      dpopRequired: true,
    });
    const api = await on.newApi({ scopes: deliveryScopes, exchangePolicies: [policy({ by: [strict.id] })] });
    const subject = await subjectToken();
    expect(await on.exchange(strict, { subject, resource: api.resource })).toMatchObject(refused('invalid_grant'));
  });
});
