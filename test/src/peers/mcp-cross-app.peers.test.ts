// An assistant that nobody signs in to: the tenant's identity provider vouches for its person (ID-JAG), by the client that
// others wrote.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { given } from '@reeve/testing/given';
import { decodeJwt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { demoUser, runningSystem } from '../support/running-system.ts';
import type { Assistant, Outcome } from './mcp-assistant-worker.ts';
import { type McpSystem, startMcpSystem } from './mcp-system.ts';
import { lackingMcp, runningPeers } from './running-peers.ts';

const { mcp, site } = runningPeers();

given(mcp !== null, lackingMcp).describe('an assistant that the identity provider vouches for', () => {
  const credentials = runningSystem();
  const { auth } = credentials.urls;
  const { email } = demoUser(credentials);
  let system: McpSystem;
  let key: JWK;
  let clientId: string;
  let clientSecret: string;

  beforeAll(async () => {
    system = await startMcpSystem();
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    key = { ...(await exportJWK(privateKey)), kid: 'vouching' };
    system.answer('/jwks', { keys: [{ ...(await exportJWK(publicKey)), kid: 'vouching', alg: 'ES256', use: 'sig' }] });
    const { id: tenantId, connectionId } = system.own.tenant;
    ({ clientId, clientSecret } = await system.own.api.post<{ clientId: string; clientSecret: string }>(
      `${auth}/v1/tenants/${tenantId}/applications`,
      { name: 'An assistant', kind: 'machine', grantTypes: ['jwt_bearer'] },
    ));
    const vouching = `${auth}/v1/tenants/${tenantId}/sso-connections/${connectionId}/identity-assertions`;
    const trusted = await system.own.api.send('PUT', vouching, {
      body: { issuer: site.origin, jwksUri: `${site.origin}/jwks`, algorithms: ['ES256'] },
    });
    expect(trusted.status).toBe(200);
    await system.own.api.post(`${auth}/v1/tenants/${tenantId}/assistant-policies`, {
      connectionId,
      clientId,
      resource: system.url,
      scopes: ['notes:read'],
    });
  }, 120_000);
  afterAll(() => system?.stop());

  async function get(claims: Record<string, unknown> = {}): Promise<Outcome> {
    const settings: Assistant = {
      modules: String(mcp),
      url: system.url,
      issuer: credentials.issuer,
      clientId,
      clientSecret,
      key,
      claims: { iss: site.origin, sub: `idp|${email}`, ...claims },
    };
    const worker = new Worker(new URL('./mcp-assistant-worker.ts', import.meta.url), { workerData: settings });
    const [outcome] = (await once(worker, 'message')) as [Outcome];
    await worker.terminate();
    return outcome;
  }

  test('gets in for a person who is known, and in nobody else’s name', async () => {
    const refused = { error: 'OAuthError: grant request is invalid' };
    expect(await get()).toEqual(refused);
    await system.signIn();
    const { text, accessToken } = await get();
    expect(text).toEqual(expect.any(String));
    expect(decodeJwt(accessToken ?? '')).toMatchObject({
      aud: system.url,
      tid: system.own.tenant.id,
      client_id: clientId,
      scope: 'notes:read',
      act: { sub: clientId },
    });
    for (const claims of [
      { sub: 'idp|nobody@acme.example' },
      { aud: `${credentials.issuer}/` },
      { client_id: 'another' },
      { resource: `${system.url}/` },
      { iss: 'https://elsewhere.example' },
    ])
      expect(await get(claims)).toEqual(refused);
  }, 180_000);
});
