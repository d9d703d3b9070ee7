// Two instances of Reeve that know nothing of each other but what any two do: people of the first sign in at the second
// by a connection, and what the first vouches for is redeemed at the second as that of any identity provider.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { decodeJwt } from 'jose';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';
import { allow, newApi, newAssistant, newProver, put, redeem } from '../identity-assertions/assertions.test-support.ts';
import { askToVouch, type Form, newAsking, tokenType, vouchFor } from '../vouching/vouching.test-support.ts';

let first: Auth;
let second: Auth;
let home: TenantId;
let away: { tenantId: TenantId; connectionId: Id<'connection'> };
/** The same program, as each of the two knows it. */
let desk: Application;
let deskAway: Application;
let notes: { resource: string };
let policy: { path: string };
let idToken: string;
/** Who the person is at the second. */
let userIdAway: string;

beforeAll(async () => {
  first = await startAuth();
  second = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: first.url });
  ({ tenantId: home } = await first.newTenant());
  await first.newConnection(home);
  const { tenantId } = await second.newTenant();
  // As what the second is known at the first, where it has people sign in.
  const redirects = [callback];
  const relying = await first.newApplication(home, { redirectUris: redirects });
  const oidc = { issuer: first.url, clientId: relying.id, clientSecret: relying.secret };
  const connectionId = await second.newConnection(tenantId, { oidc });
  away = { tenantId, connectionId };
  await first.ask('PATCH', `/v1/tenants/${home}/applications/${relying.id}`, {
    as: await first.asPlatform(),
    body: { redirectUris: [...redirects, `${second.url}/oidc/${connectionId}/callback`] },
  });
  expect(await put(second, away, { tenantClaim: home })).toMatchObject({ status: 200, body: { issuer: first.url } });

  desk = await newAsking(first, home);
  deskAway = await newAssistant(second, tenantId);
  notes = await newApi(second);
  policy = await vouchFor(first, home, {
    clientId: desk.id,
    audience: second.url,
    audienceClientId: deskAway.id,
    resources: [notes.resource],
    scopes: ['notes:read', 'notes:write'],
  });
  await allow(second, away, { clientId: deskAway.id, resource: notes.resource, scopes: ['notes:read'] });

  first.provider.is({ sub: 'ada', email: 'ada@acme.example' });
  idToken = (await first.signIn(desk, { tenant: home })).tokens['id_token'] ?? '';
  const product = await second.newApplication(tenantId);
  userIdAway = String((await second.signIn(product, { tenant: tenantId })).claims.sub);
}, 120_000);
afterAll(async () => {
  await second.stop();
  await first.stop();
});

const vouched = async (form: Form = {}, headers: object = {}) => {
  const asked = { subject_token: idToken, subject_token_type: tokenType('id_token'), audience: second.url };
  const { body } = await askToVouch(first, desk, { ...asked, resource: notes.resource, ...form }, headers);
  if (typeof body['access_token'] !== 'string') throw new Error(JSON.stringify(body));
  return body['access_token'];
};
const refused = { status: 400, body: { error: 'invalid_grant' } };

test('what the first vouches for is an access token of the same person at the second, once', async () => {
  const assertion = await vouched();
  const { status, body } = await redeem(second, deskAway, { assertion });
  expect([status, body]).toMatchObject([200, { token_type: 'Bearer', scope: 'notes:read', resource: notes.resource }]);
  expect(decodeJwt(body['access_token'] ?? '')).toMatchObject({
    iss: second.url,
    aud: notes.resource,
    sub: userIdAway,
    tid: away.tenantId,
    client_id: deskAway.id,
    auth_time: decodeJwt(idToken)['auth_time'],
    delegated_by: 'id_jag',
  });
  expect(await redeem(second, deskAway, { assertion })).toMatchObject(refused);
});

test('no application gets anything by it that it is not for, nor any other authorization server', async () => {
  const other = await newAssistant(second, away.tenantId);
  await allow(second, away, { clientId: other.id, resource: notes.resource, scopes: ['notes:read'] });
  const assertion = await vouched();
  expect(await redeem(second, other, { assertion })).toMatchObject(refused);
  const atHome = await newAssistant(first, home);
  expect(await redeem(first, atHome, { assertion })).toMatchObject(refused);
  expect((await redeem(second, deskAway, { assertion })).status).toBe(200);
});

test('it is of no use without the key that it is bound to', async () => {
  const here = await newProver(first);
  const there = await newProver(second);
  // One key, shown at either.
  const bound = async () => vouched({}, { dpop: await here.proof() });
  expect(await redeem(second, deskAway, { assertion: await bound() })).toMatchObject(refused);
  expect(await redeem(second, deskAway, { assertion: await bound(), dpop: await there.proof() })).toMatchObject(
    refused,
  );
  const proof = () => here.proof({ htu: `${second.url}/token` });
  const { body } = await redeem(second, deskAway, { assertion: await bound(), dpop: await proof() });
  expect([body['token_type'], decodeJwt(body['access_token'] ?? '')['cnf']]).toEqual(['DPoP', { jkt: here.jkt }]);
});

test('a tenant of the first with another name is nobody to the second', async () => {
  await put(second, away, { tenantClaim: 'ten_other' });
  expect(await redeem(second, deskAway, { assertion: await vouched() })).toMatchObject(refused);
  await put(second, away, { tenantClaim: home });
  expect((await redeem(second, deskAway, { assertion: await vouched() })).status).toBe(200);
});

test('keys of the first that follow others are taken at once', async () => {
  const path = '/v1/signing-keys:rotate';
  const as = await first.asPlatform();
  const { status } = await first.ask('POST', path, { as, body: { use: 'access_token', compromised: true } });
  expect(status).toBeLessThan(300);
  expect((await redeem(second, deskAway, { assertion: await vouched() })).status).toBe(200);
});

test('what is over at the first is vouched for no more', async () => {
  await first.ask('DELETE', policy.path, { as: await first.asPlatform() });
  await expect(vouched()).rejects.toThrow('invalid_target');
});
