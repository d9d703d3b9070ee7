// Assistants that identity providers vouch towards (ID-JAG): what they get, how it ends, and that nothing else gets it.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, type Id } from '@reeve/contracts';
import { type EventReader, engines, eventually, type ProviderKey, readEvents } from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import {
  type Answer,
  allow,
  claimsOf,
  introspect,
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
import { watchStore } from '../store-commands.test-support.ts';

let watched: Awaited<ReturnType<typeof watchStore>>;
let auth: Auth;
let events: EventReader;
let people: ReturnType<typeof knowPeople>;
let key: ProviderKey;
let at: Vouching;
let assistant: Application;
/** The application that is the API. */
let api: Application;
let notes: { id: string; resource: string };
let opaque: { id: string; resource: string };
let ada: Id<'user'>;
let policyId: string;

beforeAll(async () => {
  watched = await watchStore(engines().mongodb);
  auth = await startAuth({ MONGODB_URI: watched.url });
  events = await readEvents('reeve.auth.v1');
  people = knowPeople(auth);
  key = await auth.provider.changesItsKeys();
  at = await newVouching(auth);
  ada = people.add({ ...at, subject: 'ada' });
  assistant = await newAssistant(auth, at.tenantId);
  api = await newAssistant(auth, null, { grantTypes: ['client_credentials'] });
  notes = await newApi(auth);
  opaque = await newApi(auth, { format: 'opaque', introspectedBy: [api.id] });
  ({ id: policyId } = await allow(auth, at, { clientId: assistant.id, resource: notes.resource }));
  await allow(auth, at, { clientId: assistant.id, resource: opaque.resource });
}, 60_000);
afterAll(async () => {
  await events.stop();
  watched.endStopped();
  await auth.stop();
  await watched.stop();
});

const claims = (more: object = {}) => claimsOf(auth, at, assistant, { resource: notes.resource, ...more });
const vouched = (more: object = {}, header: object = {}) => vouchedBy(key, claims(more), header);
const redeemed = async (more: object = {}, form: Record<string, string> = {}) =>
  redeem(auth, assistant, { assertion: await vouched(more), ...form });
const refusal = { status: 400, body: { error: 'invalid_grant', error_description: 'grant request is invalid' } };
const accessTokenOf = ({ status, body }: Answer): string => {
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body['access_token'] ?? '';
};

describe('a token that an identity provider has vouched for', () => {
  test('is for one API, in the name of the person, in a session of the assistant, without a refresh token', async () => {
    const act = { sub: 'agent-7', iss: 'https://agents.example' };
    const said = { act, scope: 'notes:read notes:admin', auth_time: now() - 60, amr: ['pwd'], acr: 'high' };
    const { status, body } = await redeemed(said);
    expect([status, body]).toEqual([
      200,
      {
        access_token: expect.any(String),
        expires_in: 300,
        scope: 'notes:read',
        token_type: 'Bearer',
        resource: notes.resource,
      },
    ]);
    const { payload } = await jwtVerify(body['access_token'] ?? '', createRemoteJWKSet(new URL(`${auth.url}/jwks`)), {
      issuer: auth.url,
      audience: notes.resource,
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({
      sub: ada,
      tid: at.tenantId,
      client_id: assistant.id,
      scope: 'notes:read',
      act: { sub: assistant.id, client_id: assistant.id, act },
      delegated_by: 'id_jag',
      amr: ['fed', 'pwd'],
      acr: 'high',
      auth_time: said.auth_time,
    });
    const sid = String(payload['sid']);
    const told = (await events.seen(at.tenantId, 'identity_assertion.redeemed', sid)).data;
    expect(told).toMatchObject({
      outcome: 'success',
      actor: { type: 'client', id: assistant.id },
      context: { sessionId: sid, connectionId: at.connectionId, clientId: assistant.id },
      details: {
        userId: ada,
        policyId,
        resource: notes.resource,
        scopes: ['notes:read'],
        actors: [assistant.id, 'agent-7'],
        tokenId: payload.jti,
      },
    });
    const { body: session } = await auth.ask('GET', `/v1/tenants/${at.tenantId}/sessions/${sid}`, {
      as: await auth.asPlatform(),
    });
    expect(session).toMatchObject({ userId: ada, delegate: { clientId: assistant.id, by: 'id_jag' } });
  });

  test('says three who act at most, the assistant first, and so does the log', async () => {
    const act = { sub: 'agent-7', act: { sub: 'agent-8' } };
    const token = decodeJwt(accessTokenOf(await redeemed({ act })));
    expect(token['act']).toEqual({ sub: assistant.id, client_id: assistant.id, act });
    const isIt = ({ data }: ReturnType<EventReader['of']>[number]) => data.details['tokenId'] === token.jti;
    const told = await eventually('it is told', () => events.of(at.tenantId).find(isIt));
    expect(told.data.details['actors']).toEqual([assistant.id, 'agent-7', 'agent-8']);
    expect(await redeemed({ act: { sub: 'agent-6', act } })).toEqual(refusal);
    const isLong = (one: ReturnType<EventReader['of']>[number]) =>
      one.type === 'identity_assertion.refused' && one.data.reason.code === 'actor';
    const refused = await eventually('that is told', () => events.of(at.tenantId).find(isLong));
    expect(refused.data.details['detail']).toBe('with the assistant there are more than 3 actors');
  });

  test('is introspected as what it says', async () => {
    const act = { sub: 'agent-7' };
    const token = accessTokenOf(await redeemed({ resource: opaque.resource, scope: 'notes:read', act }));
    expect(await introspect(auth, api, token)).toMatchObject({
      active: true,
      sub: ada,
      aud: opaque.resource,
      scope: 'notes:read',
      client_id: assistant.id,
      tid: at.tenantId,
      sid: expect.stringMatching(/^ses_/),
      act: { sub: assistant.id, client_id: assistant.id, act },
      delegated_by: 'id_jag',
    });
  });

  test('is one session for all of the same policy, and another for another one', async () => {
    const sidOf = async (resource: string) => decodeJwt(accessTokenOf(await redeemed({ resource })))['sid'];
    expect(await sidOf(notes.resource)).toBe(await sidOf(notes.resource));
    const token = accessTokenOf(await redeemed({ resource: opaque.resource }));
    expect((await introspect(auth, api, token))['sid']).not.toBe(await sidOf(notes.resource));
  });

  test('is the profile of both documents', async () => {
    for (const path of ['openid-configuration', 'oauth-authorization-server']) {
      const document = (await (await fetch(`${auth.url}/.well-known/${path}`)).json()) as Record<string, string[]>;
      expect(document['authorization_grant_profiles_supported']).toEqual([
        'urn:ietf:params:oauth:grant-profile:id-jag',
      ]);
      expect(document['grant_types_supported']).toContain('urn:ietf:params:oauth:grant-type:jwt-bearer');
      expect(JSON.stringify(document)).not.toContain(auth.provider.issuer);
    }
  });

  test('is bound to the key that is proven, where one is', async () => {
    const { jkt, proof } = await newProver(auth);
    const bound = await redeemed({}, { dpop: await proof() });
    expect([bound.body['token_type'], decodeJwt(accessTokenOf(bound))['cnf']]).toEqual(['DPoP', { jkt }]);
    const named = await redeemed({ cnf: { jkt } }, { dpop: await proof() });
    expect(decodeJwt(accessTokenOf(named))['cnf']).toEqual({ jkt });
  });
});

describe('it ends', () => {
  type Held = { jwt: string; token: string; isActive: () => Promise<unknown>; of: Vouching; by: Application };

  /** What an assistant of its own holds, in a tenant of its own. */
  async function held(): Promise<Held & { policies: string[]; userId: Id<'user'> }> {
    const of = await newVouching(auth);
    const userId = people.add({ ...of, subject: 'ada' });
    const by = await newAssistant(auth, of.tenantId);
    const policies: string[] = [];
    const tokens: string[] = [];
    for (const { resource } of [notes, opaque]) {
      policies.push((await allow(auth, of, { clientId: by.id, resource })).id);
      const assertion = await vouchedBy(key, claimsOf(auth, of, by, { resource }));
      tokens.push(accessTokenOf(await redeem(auth, by, { assertion })));
    }
    const [jwt = '', token = ''] = tokens;
    const isActive = async () => (await introspect(auth, api, token))['active'];
    expect(await isActive()).toBe(true);
    return { jwt, token, isActive, of, by, policies, userId };
  }
  const ask = async (method: string, path: string, body?: object) =>
    auth.ask(method, path, { as: await auth.asPlatform(), ...(body ? { body } : {}) });
  const gone = (one: Held) => eventually('the token counts no more', async () => (await one.isActive()) === false);
  const again = async (one: Held) =>
    redeem(auth, one.by, {
      assertion: await vouchedBy(key, claimsOf(auth, one.of, one.by, { resource: opaque.resource })),
    });

  test('with its policy, of which verifiers are told, and with what the policy was before', async () => {
    const one = await held();
    const path = `/v1/tenants/${one.of.tenantId}/assistant-policies/${one.policies[1]}`;
    await ask('PATCH', path, { scopes: ['notes:read'] });
    expect(await one.isActive()).toBe(false);
    const next = accessTokenOf(await again(one));
    expect(await introspect(auth, api, next)).toMatchObject({ active: true, scope: 'notes:read' });
    await ask('DELETE', path);
    expect(await introspect(auth, api, next)).toEqual({ active: false });
    expect(await again(one)).toEqual(refusal);
  });

  test('with the word of the connection for others, and with the connection', async () => {
    const one = await held();
    await put(auth, one.of, { tenantClaim: one.of.tenantId, algorithms: ['ES256'], enabled: false });
    expect(await one.isActive()).toBe(false);
    expect(await again(one)).toEqual(refusal);
    await put(auth, one.of, { tenantClaim: one.of.tenantId, algorithms: ['ES256'] });
    const next = accessTokenOf(await again(one));
    expect(await introspect(auth, api, next)).toMatchObject({ active: true });
    await ask('DELETE', `/v1/tenants/${one.of.tenantId}/sso-connections/${one.of.connectionId}`);
    expect(await introspect(auth, api, next)).toEqual({ active: false });
    await eventually('its policies are gone', async () => {
      const { body } = await ask('GET', `/v1/tenants/${one.of.tenantId}/assistant-policies`);
      return (body as { items: unknown[] }).items.length === 0;
    });
  });

  test('with the session, the application, and the person', async () => {
    const one = await held();
    const sid = String((await introspect(auth, api, one.token))['sid']);
    await ask('POST', `/v1/tenants/${one.of.tenantId}/sessions/${sid}:terminate`);
    expect(await one.isActive()).toBe(false);
    expect((await again(one)).status).toBe(200);
    const two = await held();
    await ask('DELETE', `/v1/tenants/${two.of.tenantId}/applications/${two.by.id}`);
    expect(await two.isActive()).toBe(false);
    const three = await held();
    const person = { id: three.userId, because: 'requested', details: { email: null, source: 'api', cause: 'x' } };
    await auth.announce(three.of.tenantId, event('user.deactivated', person as never));
    await gone(three);
  });

  test('with its tenant', async () => {
    const one = await held();
    const { tenantId, slug } = one.of;
    const details = { slug, status: 'suspended' };
    await auth.announce(
      tenantId,
      event('tenant.suspended', { id: tenantId, name: slug, because: 'requested', details }),
    );
    await gone(one);
    expect((await again(one)).status).toBe(400);
  });
});

describe('an assertion', () => {
  test('counts once, also for twenty who come at once; as often as it comes where the connection says so', async () => {
    const assertion = await vouched();
    const all = await Promise.all(Array.from({ length: 20 }, () => redeem(auth, assistant, { assertion })));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(all.filter(({ status }) => status === 400)).toHaveLength(19);
    expect(await redeem(auth, assistant, { assertion })).toEqual(refusal);
    const of = await newVouching(auth);
    people.add({ ...of, subject: 'ada' });
    const by = await newAssistant(auth, of.tenantId);
    await allow(auth, of, { clientId: by.id, resource: notes.resource });
    await put(auth, of, { tenantClaim: of.tenantId, algorithms: ['ES256'], reuse: 'until_expiry' });
    const again = await vouchedBy(key, claimsOf(auth, of, by));
    for (let times = 1; times <= 3; times += 1) expect((await redeem(auth, by, { assertion: again })).status).toBe(200);
  });

  test('may come again where nothing came of it, since we could not ask', async () => {
    const of = await newVouching(auth);
    const by = await newAssistant(auth, of.tenantId);
    await allow(auth, of, { clientId: by.id, resource: notes.resource });
    const assertion = await vouchedBy(key, claimsOf(auth, of, by));
    expect(await redeem(auth, by, { assertion })).toEqual(refusal);
    people.add({ ...of, subject: 'ada' });
    expect((await redeem(auth, by, { assertion })).status).toBe(200);
    expect(await redeem(auth, by, { assertion })).toEqual(refusal);
  });

  test.each(['insert sessions', 'insert used_identity_assertions'])(
    'may come again, once, where whoever had it was killed at its “%s”',
    async command => {
      const subject = randomUUID();
      people.add({ ...at, subject });
      const assertion = await vouched({ sub: subject });
      const isStopped = watched.stopAt(command);
      void redeem(auth, assistant, { assertion }).catch(() => undefined);
      await isStopped;
      const token = accessTokenOf(await redeem(auth, assistant, { assertion }));
      expect(decodeJwt(token).sub).toBeDefined();
      expect(await redeem(auth, assistant, { assertion })).toEqual(refusal);
    },
  );

  test('with the id of another one is taken of another issuer', async () => {
    const jti = randomUUID();
    const of = await newVouching(auth);
    people.add({ ...of, subject: 'ada' });
    const by = await newAssistant(auth, of.tenantId);
    await allow(auth, of, { clientId: by.id, resource: notes.resource });
    expect((await redeemed({ jti })).status).toBe(200);
    expect((await redeem(auth, by, { assertion: await vouchedBy(key, claimsOf(auth, of, by, { jti })) })).status).toBe(
      200,
    );
    expect(await redeemed({ jti })).toEqual(refusal);
  });

  test('by a new key is taken at once, and by the former one no more', async () => {
    const of = await newVouching(auth);
    people.add({ ...of, subject: 'ada' });
    const by = await newAssistant(auth, of.tenantId);
    await allow(auth, of, { clientId: by.id, resource: notes.resource });
    const former = key;
    key = await auth.provider.changesItsKeys();
    const next = await redeem(auth, by, { assertion: await vouchedBy(key, claimsOf(auth, of, by)) });
    expect(next.status).toBe(200);
    expect(await redeem(auth, by, { assertion: await vouchedBy(former, claimsOf(auth, of, by)) })).toEqual(refusal);
  });
});

describe('a second connection of a tenant', () => {
  test('is not taken at its word for an issuer that the first is, until that is so no more', async () => {
    const first = await newVouching(auth);
    const { tenantId } = first;
    const oidc = { issuer: auth.provider.issuer, clientId: randomUUID(), clientSecret: 'a secret' };
    const second = { tenantId, connectionId: await auth.newConnection(tenantId, { oidc }) };
    const same = { tenantClaim: tenantId, algorithms: ['ES256'] };
    const taken = { status: 409, body: { code: 'assertion_issuer_taken' } };
    expect(await put(auth, second, same)).toMatchObject(taken);
    // What tells them apart is the claim; what is not in use may be so again.
    expect(await put(auth, second, { ...same, tenantClaim: 'another' })).toMatchObject({ status: 200 });
    expect(await put(auth, second, same)).toMatchObject(taken);
    expect(await put(auth, first, { ...same, enabled: false })).toMatchObject({ status: 200 });
    expect(await put(auth, second, same)).toMatchObject(taken);
    const path = `/v1/tenants/${tenantId}/sso-connections/${first.connectionId}`;
    const as = await auth.asPlatform();
    expect((await auth.ask('DELETE', `${path}/identity-assertions`, { as })).status).toBe(204);
    expect(await put(auth, second, same)).toMatchObject({ status: 200 });
    expect(await put(auth, first, same)).toMatchObject(taken);
    // Of another tenant it says nothing.
    expect(await put(auth, await newVouching(auth), same)).toMatchObject({ status: 200 });
  });

  test('is taken at its word at once where the first is deleted', async () => {
    const first = await newVouching(auth);
    const { tenantId } = first;
    const oidc = { issuer: auth.provider.issuer, clientId: randomUUID(), clientSecret: 'a secret' };
    const second = { tenantId, connectionId: await auth.newConnection(tenantId, { oidc }) };
    const path = `/v1/tenants/${tenantId}/sso-connections/${first.connectionId}`;
    const as = await auth.asPlatform();
    expect((await auth.ask('DELETE', path, { as })).status).toBe(204);
    expect(await put(auth, second, { tenantClaim: tenantId, algorithms: ['ES256'] })).toMatchObject({ status: 200 });
    people.add({ ...second, subject: 'ada' });
    const by = await newAssistant(auth, tenantId);
    await allow(auth, second, { clientId: by.id, resource: notes.resource });
    const bring = async () => redeem(auth, by, { assertion: await vouchedBy(key, claimsOf(auth, second, by)) });
    expect((await bring()).status).toBe(200);
  });
});

describe('a tenant that trusts the same issuer', () => {
  /** Of the platform, and of both tenants: nothing but what they say tells them apart. */
  async function twoTenants() {
    const shared = await newAssistant(auth, null);
    const both = [await newVouching(auth), await newVouching(auth)] as const;
    for (const of of both) {
      await put(auth, of, { algorithms: ['ES256'] });
      people.add({ ...of, subject: 'ada' });
      await allow(auth, of, { clientId: shared.id, resource: notes.resource });
    }
    const bring = async (more: object, form: Record<string, string> = {}) => {
      const said = claimsOf(auth, both[0], shared, { tenant: undefined, ...more });
      return redeem(auth, shared, { assertion: await vouchedBy(key, said), ...form });
    };
    return { both, bring };
  }

  test('makes an assertion that is for either count in neither, unless it says which', async () => {
    const { both, bring } = await twoTenants();
    expect(await bring({})).toEqual(refusal);
    for (const of of both) {
      const because = events.of(of.tenantId).filter(({ type }) => type === 'identity_assertion.refused');
      expect(because.length).toBeLessThanOrEqual(1);
      await eventually('it is on the record of both', () =>
        events.of(of.tenantId).some(({ data }) => data.reason?.code === 'ambiguous'),
      );
      const named = accessTokenOf(await bring({ aud_tenant: of.slug }));
      expect(decodeJwt(named)['tid']).toBe(of.tenantId);
      expect(decodeJwt(accessTokenOf(await bring({ aud_tenant: of.tenantId })))['tid']).toBe(of.tenantId);
      // Or the assistant does: another tenant cannot keep it from this one by trusting its issuer.
      for (const tenant of [of.slug, of.tenantId])
        expect(decodeJwt(accessTokenOf(await bring({}, { tenant })))['tid']).toBe(of.tenantId);
    }
    for (const tenant of [at.slug, 'nobody-has-this', '']) expect(await bring({}, { tenant })).toEqual(refusal);
    expect(await bring({ aud_tenant: both[0].slug }, { tenant: both[1].slug })).toEqual(refusal);
    expect(await bring({ aud_tenant: at.tenantId })).toEqual(refusal);
  });

  test('and whose keys never come keeps others waiting once, and whoever says their tenant not at all', async () => {
    const shared = await newAssistant(auth, null);
    const [good, ...hanging] = [await newVouching(auth), await newVouching(auth), await newVouching(auth)] as const;
    const paths = hanging.map((_, index) => `/hangs-${index}`);
    auth.provider.lies({ answers: Object.fromEntries(paths.map(path => [path, () => undefined])) });
    const { issuer } = auth.provider;
    await put(auth, good, { algorithms: ['ES256'] });
    for (const [index, of] of hanging.entries())
      await put(auth, of, { algorithms: ['ES256'], issuer, jwksUri: `${issuer}${paths[index]}` });
    for (const of of [good, ...hanging]) {
      people.add({ ...of, subject: 'ada' });
      await allow(auth, of, { clientId: shared.id, resource: notes.resource });
    }
    const redemption = async (form: Record<string, string>) => {
      const said = claimsOf(auth, good, shared, { tenant: undefined });
      const began = performance.now();
      const { status } = await redeem(auth, shared, { assertion: await vouchedBy(key, said), ...form });
      return { status, ms: performance.now() - began };
    };
    const named = await redemption({ tenant: good.slug });
    expect([named.status, named.ms < 2_000]).toEqual([200, true]);
    const unnamed = await redemption({});
    // Each of them takes five seconds to be given up.
    expect([unnamed.status, unnamed.ms < 8_000]).toEqual([200, true]);
    auth.provider.lies({});
  });
});

test('nothing of an assertion is in an event', async () => {
  const assertion = await vouched();
  await redeem(auth, assistant, { assertion });
  const told = JSON.stringify(events.of(at.tenantId));
  expect(told).toContain('identity_assertion.redeemed');
  expect(told).not.toContain(assertion.slice(-60));
});
