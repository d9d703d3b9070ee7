// Tokens of assistants at an API that verifies them by itself, with the SDK: what rests on a policy of the tenant that
// is gone, or says less by now, is refused within a second; what rests on another policy is not.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ProductApp, registerProductApp, signIn } from '@reeve/local/product-app';
import { platformApi } from '@reeve/local/seed';
import { createVerifier, revocationFeed, type Verifier } from '@reeve/sdk';
import { eventually } from '@reeve/testing/eventually';
import { newProviderKey, type ProviderKey, signedBy } from '@reeve/testing/identity-provider';
import { listen } from '@reeve/testing/listen';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const { auth } = credentials.urls;
const audience = `https://notes-${Date.now()}.product.example`;
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const scopes = ['notes:read', 'notes:write'];
const failures: unknown[] = [];
let own: TestTenant;
let base: string;
let app: ProductApp;
let key: ProviderKey;
let provider: Awaited<ReturnType<typeof listen>>;
let verifier: Verifier;
let subject: string;
let userId: string;

type Registered = { clientId: string; clientSecret: string };

beforeAll(async () => {
  key = await newProviderKey();
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [key.jwk] }));
  });
  provider = await listen(server, Number(process.env['REEVE_TEST_PROVIDER_KEYS']));
  own = await freshTenant(credentials, 'assistants');
  base = `${auth}/v1/tenants/${own.tenant.id}`;
  const platform = platformApi(credentials);
  await platform.post(`${auth}/v1/resource-servers`, {
    name: 'Notes',
    identifier: audience,
    scopes: scopes.map(name => ({ name })),
    applications: 'all',
  });
  const trust = { issuer: provider.url, jwksUri: `${provider.url}/keys`, algorithms: ['ES256'] };
  const path = `${base}/sso-connections/${own.tenant.connectionId}/identity-assertions`;
  expect((await own.api.send('PUT', path, { body: trust })).status).toBe(200);
  app = await registerProductApp(own.api, credentials, own.tenant);
  const person = demoUser(credentials);
  userId = (await signIn(app, own.tenant, person)).claims.sub;
  // As the demo identity provider names its people.
  subject = `idp|${person.email}`;
  const machine = { name: 'The API', kind: 'machine', tenants: 'all', grantTypes: ['client_credentials'] };
  verifier = createVerifier({
    issuer: credentials.issuer,
    audience,
    revocations: {
      from: revocationFeed(await platform.post<Registered>(`${auth}/v1/applications`, machine)),
      staleAfterMs: 10_000,
    },
    onFailure: error => failures.push(error),
  });
  await verifier.start();
}, 60_000);
afterAll(async () => {
  await verifier.stop();
  await provider.stop();
});

/** One of its own, by a policy of its own. */
async function newAssistant() {
  const settings = { name: 'An assistant', kind: 'machine', grantTypes: ['jwt_bearer'] };
  const { clientId, clientSecret } = await own.api.post<Registered>(`${base}/applications`, settings);
  const about = { connectionId: own.tenant.connectionId, clientId, resource: audience };
  const policy = await own.api.post<{ id: string }>(`${base}/assistant-policies`, { ...about, scopes });
  return {
    clientId,
    policyUrl: `${base}/assistant-policies/${policy.id}`,
    async token(): Promise<string> {
      const now = Math.floor(Date.now() / 1_000);
      const whose = { iss: provider.url, sub: subject, aud: credentials.issuer, client_id: clientId };
      const claims = { ...whose, jti: randomUUID(), iat: now, exp: now + 120 };
      const assertion = await signedBy(key, claims, { typ: 'oauth-id-jag+jwt' });
      const answer = await fetch(`${auth}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
        body: new URLSearchParams({ grant_type: jwtBearer, assertion, resource: audience }),
      });
      const body = (await answer.json()) as { access_token?: string };
      if (body.access_token === undefined) throw new Error(JSON.stringify(body));
      return body.access_token;
    },
  };
}

const codeOf = (token: string) =>
  verifier.verify(token).then(
    () => 'good',
    (error: { code: string }) => error.code,
  );
async function assertRefusedWithinASecond(token: string): Promise<void> {
  const began = performance.now();
  await eventually('it is refused', async () => (await codeOf(token)) === 'token_revoked');
  expect(performance.now() - began).toBeLessThan(1_000);
}

test('are refused within a second once their policy is deleted, and those by another one stay good', async () => {
  const [one, other] = [await newAssistant(), await newAssistant()];
  const [gone, stays] = [await one.token(), await other.token()];
  const said = { sub: userId, tenantId: own.tenant.id, isMachine: false };
  expect(await verifier.verify(gone)).toMatchObject({ ...said, clientId: one.clientId });
  expect(await verifier.verify(stays)).toMatchObject({ ...said, clientId: other.clientId });
  await own.api.delete(one.policyUrl);
  await assertRefusedWithinASecond(gone);
  expect(await codeOf(stays)).toBe('good');
  await expect(one.token()).rejects.toThrow('invalid_grant');
  expect(await codeOf(await other.token())).toBe('good');
  expect(failures).toEqual([]);
});

test('are refused within a second once their policy says less, and new ones are good for that', async () => {
  const [one, other] = [await newAssistant(), await newAssistant()];
  const [wide, stays] = [await one.token(), await other.token()];
  expect((await verifier.verify(wide)).scopes).toEqual(scopes);
  await own.api.patch(one.policyUrl, { scopes: ['notes:read'] });
  await assertRefusedWithinASecond(wide);
  expect(await codeOf(stays)).toBe('good');
  expect((await verifier.verify(await one.token())).scopes).toEqual(['notes:read']);
  // What changes nothing ends nothing.
  const narrow = await one.token();
  await own.api.patch(one.policyUrl, { scopes: ['notes:read'] });
  await own.api.delete(other.policyUrl);
  await assertRefusedWithinASecond(stays);
  expect(await codeOf(narrow)).toBe('good');
});
