// The SDK at an API of the product, against the running system: what is revoked is refused within a second, by the feed
// of server-sent events.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callback, type ProductApp, signIn } from '@reeve/local/product-app';
import { platformApi } from '@reeve/local/seed';
import { createVerifier, revocationFeed, type Verifier } from '@reeve/sdk';
import { eventually } from '@reeve/testing/eventually';
import * as client from 'openid-client';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const { auth, provisioning } = credentials.urls;
const audience = `https://api-${Date.now()}.product.example`;
const failures: unknown[] = [];
let own: TestTenant;
let app: ProductApp;
let verifier: Verifier;

type Registered = { clientId: string; clientSecret: string };

beforeAll(async () => {
  own = await freshTenant(credentials, 'sdk');
  const platform = platformApi(credentials);
  await platform.post(`${auth}/v1/resource-servers`, {
    name: 'Messages',
    identifier: audience,
    scopes: [{ name: 'messages:read' }],
    claims: ['roles', 'groups'],
  });
  const { clientId, clientSecret } = await platform.post<Registered>(`${auth}/v1/applications`, {
    name: 'Chat',
    kind: 'web',
    tenants: 'all',
    redirectUris: [callback],
    grantTypes: ['authorization_code', 'refresh_token'],
    defaultResource: audience,
  });
  const configuration = await client.discovery(new URL(credentials.issuer), clientId, clientSecret, undefined, {
    execute: [client.allowInsecureRequests],
  });
  app = { configuration, clientId, clientSecret };
  const machine = await platform.post<Registered>(`${auth}/v1/applications`, {
    name: 'The API',
    kind: 'machine',
    tenants: 'all',
    grantTypes: ['client_credentials'],
  });
  verifier = createVerifier({
    issuer: credentials.issuer,
    audience,
    revocations: { from: revocationFeed(machine), staleAfterMs: 10_000 },
    onFailure: error => failures.push(error),
  });
  await verifier.start();
});
afterAll(() => verifier.stop());

test('a person who signs in is let in, with their tenant and roles', async () => {
  const { tokens, claims } = await signIn(app, own.tenant, demoUser(credentials));
  expect(await verifier.verify(tokens.access_token)).toMatchObject({
    sub: claims.sub,
    tenantId: own.tenant.id,
    sessionId: claims['sid'],
    clientId: app.clientId,
    roles: ['tenant_member'],
    isMachine: false,
  });
  await expect(verifier.verify(tokens.id_token ?? '')).rejects.toMatchObject({ code: 'token_invalid' });
});

test('a group that they are taken out of is theirs no more in a second, in the token that they have as well', async () => {
  const groups = `${provisioning}/v1/tenants/${own.tenant.id}/groups`;
  const [support, sales] = [await own.api.post<{ id: string }>(groups, { name: 'Support' }), { name: 'Sales' }];
  const before = await signIn(app, own.tenant, demoUser(credentials));
  const member = `${groups}/${support.id}/members/${before.claims.sub}`;
  await own.api.send('PUT', member);
  const groupsOf = async (token: string) => (await verifier.verify(token)).groups;
  await eventually('they are in it', async () => {
    const { tokens } = await signIn(app, own.tenant, demoUser(credentials));
    return String(await groupsOf(tokens.access_token)) === support.id;
  });
  const { tokens } = await signIn(app, own.tenant, demoUser(credentials));
  const other = await own.api.post<{ id: string }>(groups, sales);
  await own.api.send('PUT', `${groups}/${other.id}/members/${before.claims.sub}`);
  await own.api.delete(member);
  const began = performance.now();
  await eventually('they are in the other', async () => String(await groupsOf(tokens.access_token)) === other.id);
  expect(performance.now() - began).toBeLessThan(1_000);
  await own.api.delete(`${groups}/${other.id}`);
  await eventually('they are in none', async () => (await groupsOf(tokens.access_token)).length === 0);
});

test('and is refused within a second once their session is ended, by nobody else', async () => {
  const [one, other] = [
    await signIn(app, own.tenant, demoUser(credentials, 0)),
    await signIn(app, own.tenant, demoUser(credentials, 1)),
  ];
  await verifier.verify(one.tokens.access_token);
  await own.api.post(`${auth}/v1/tenants/${own.tenant.id}/sessions/${one.claims['sid'] as string}:terminate`);
  const began = performance.now();
  await eventually('it is refused', async () => {
    const code = await verifier.verify(one.tokens.access_token).catch((error: { code: string }) => error.code);
    return code === 'token_revoked';
  });
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(await verifier.verify(other.tokens.access_token)).toMatchObject({ sub: other.claims.sub });
  expect(failures).toEqual([]);
});

test('a person who is deactivated is refused within a second or so', async () => {
  const { tokens, claims } = await signIn(app, own.tenant, demoUser(credentials, 1));
  await verifier.verify(tokens.access_token);
  await own.api.post(`${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users/${claims.sub}:deactivate`);
  await eventually('it is refused', async () => {
    const code = await verifier.verify(tokens.access_token).catch((error: { code: string }) => error.code);
    return code === 'token_revoked';
  });
});
