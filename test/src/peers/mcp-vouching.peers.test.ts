// A client that others wrote, which has Reeve vouch for its person towards the authorization server of somebody else
// (ID-JAG): the other side of mcp-cross-app.peers.test.ts.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import { given } from '@reeve/testing/given';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';
import type { Outcome, Vouched } from './mcp-vouched-worker.ts';
import { startOtherAuthorizationServer } from './other-authorization-server.ts';
import { lackingMcp, runningPeers } from './running-peers.ts';

const { mcp } = runningPeers();

given(mcp !== null, lackingMcp).describe('a client whose identity provider is Reeve', () => {
  const credentials = runningSystem();
  const { auth } = credentials.urls;
  const there = { clientId: 'desk', clientSecret: 'a secret' };
  let own: TestTenant;
  let elsewhere: Awaited<ReturnType<typeof startOtherAuthorizationServer>>;
  let client: Awaited<ReturnType<typeof registerProductApp>>;
  let person: Awaited<ReturnType<typeof signIn>>;
  let policies: string;

  beforeAll(async () => {
    own = await freshTenant(credentials, 'vouching');
    elsewhere = await startOtherAuthorizationServer({ issuer: credentials.issuer, jwksUri: `${auth}/jwks`, ...there });
    client = await registerProductApp(own.api, credentials, own.tenant);
    await own.api.send('PATCH', `${auth}/v1/tenants/${own.tenant.id}/applications/${client.clientId}`, {
      body: { grantTypes: ['authorization_code', 'refresh_token', 'token_exchange'] },
    });
    person = await signIn(client, own.tenant, demoUser(credentials));
    policies = `${auth}/v1/tenants/${own.tenant.id}/vouching-policies`;
  }, 120_000);
  afterAll(() => elsewhere?.stop());

  async function get(more: Partial<Vouched> = {}): Promise<Outcome> {
    const { clientId, clientSecret } = client;
    const settings: Vouched = {
      modules: String(mcp),
      url: elsewhere.mcpUrl,
      issuer: elsewhere.url,
      there,
      idpUrl: credentials.issuer,
      here: { clientId, clientSecret },
      idToken: String(person.tokens.id_token),
      ...more,
    };
    const worker = new Worker(new URL('./mcp-vouched-worker.ts', import.meta.url), { workerData: settings });
    const [outcome] = (await once(worker, 'message')) as [Outcome];
    await worker.terminate();
    return outcome;
  }

  test('gets a token there by the tenant’s policy, and none before it or by anything else', async () => {
    const noTarget = { error: expect.stringContaining('Token exchange failed: invalid_target') };
    expect(await get()).toEqual(noTarget);
    const { id } = await own.api.post<{ id: string }>(policies, {
      clientId: client.clientId,
      audience: elsewhere.url,
      audienceClientId: there.clientId,
      resources: [elsewhere.mcpUrl],
      scopes: ['read'],
    });
    expect(await get()).toEqual({ result: 'AUTHORIZED', accessToken: expect.any(String) });
    expect(elsewhere.redeemed).toEqual([
      expect.objectContaining({
        iss: credentials.issuer,
        tenant: own.tenant.id,
        sub: person.claims.sub,
        aud: elsewhere.url,
        client_id: there.clientId,
        resource: elsewhere.mcpUrl,
        scope: 'read',
      }),
    ]);
    expect(await get({ idToken: person.tokens.access_token })).toEqual({
      error: expect.stringContaining('Token exchange failed: invalid_grant'),
    });
    expect(await get({ scope: 'admin' })).toEqual({
      error: expect.stringContaining('Token exchange failed: invalid_scope'),
    });
    expect(await get({ there: { ...there, clientSecret: 'another' } })).toEqual({ error: expect.any(String) });
    await own.api.send('DELETE', `${policies}/${id}`);
    expect(await get()).toEqual(noTarget);
    expect(elsewhere.redeemed).toHaveLength(1);
  }, 180_000);
});
