// The sidecar with a private key in place of a secret: what it gives, Reeve takes at the bot routes and nowhere else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { freePort } from '@reeve/local/ports';
import { platformApi } from '@reeve/local/seed';
import { eventually } from '@reeve/testing/eventually';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { type RunningProgram, startProgram } from '../support/running-program.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const { auth } = credentials.urls;
const scope = encodeURIComponent('https://api.botframework.com/.default');
const asked = `optionsOverride.Scopes=${scope}&optionsOverride.RequestAppToken=true`;
const afresh = `${asked}&optionsOverride.AcquireTokenOptions.ForceRefresh=true`;

let own: TestTenant;
let base: string;
let application: string;
let sidecar: RunningProgram;
let url: string;
const directory = mkdtempSync(join(tmpdir(), 'reeve-sidecar-'));
const file = join(directory, 'key.json');

async function newKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const common = { alg: 'ES256', kid };
  return { own: { ...(await exportJWK(privateKey)), ...common }, told: { ...(await exportJWK(publicKey)), ...common } };
}
const put = (jwk: JWK) => writeFileSync(file, JSON.stringify(jwk), { mode: 0o600 });
const byKeys = (...keys: JWK[]) => ({ method: 'private_key_jwt', jwks: { keys } });

beforeAll(async () => {
  own = await freshTenant(credentials, 'sidecar');
  base = `${auth}/v1/tenants/${own.tenant.id}`;
  const resource = `https://messages-${own.tenant.slug}.example`;
  const server = { name: 'Messages', identifier: resource, scopes: [{ name: 'read' }], applications: 'all' };
  await platformApi(credentials).post(`${auth}/v1/resource-servers`, server);
  await own.api.post(`${base}/auth-keys`, { authKey: 'default', connectionId: own.tenant.connectionId });
  const first = await newKey('first');
  put(first.own);
  const machine = { name: 'Concierge', kind: 'machine', grantTypes: ['client_credentials'] };
  const made = await own.api.post<{ clientId: string; clientSecret: string | null }>(`${base}/applications`, {
    ...machine,
    authentication: byKeys(first.told),
  });
  expect(made.clientSecret).toBeNull();
  application = made.clientId;
  const connections = [{ name: 'product', authKey: 'default', resource, scopes: ['read'] }];
  await own.api.post(`${base}/bots`, { name: 'Concierge', clientId: application, connections });
  const port = await freePort();
  url = `http://localhost:${port}/AuthorizationHeaderUnauthenticated/reeve`;
  sidecar = startProgram({
    command: nodeBinary,
    args: [join(repositoryRoot, 'packages/bot-sidecar/bin/reeve-bot-sidecar.mjs')],
    env: {
      REEVE_ISSUER: credentials.issuer,
      REEVE_CLIENT_ID: application,
      REEVE_CLIENT_KEY_FILE: file,
      PORT: String(port),
    },
  });
  await sidecar.says('listening');
}, 60_000);
afterAll(async () => {
  await sidecar.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Null where the sidecar has none to give. */
async function headerBy(query: string): Promise<string | null> {
  const answer = await fetch(`${url}?${query}`);
  return answer.ok ? ((await answer.json()) as { authorizationHeader: string }).authorizationHeader : null;
}
const statusOf = async (path: string, authorization: string) =>
  (await fetch(auth + path, { headers: { authorization } })).status;

test('gives a token that is one of the bot, and of nothing else', async () => {
  const authorization = (await headerBy(asked)) ?? '';
  const user = new URLSearchParams({ userId: 'u', connectionName: 'product', channelId: 'webchat' });
  expect(await statusOf(`/bot/sign-in-resource?${user}`, authorization)).toBe(200);
  expect(await statusOf(`/v1/tenants/${own.tenant.id}/bots`, authorization)).toBe(403);
});

test('goes on by the key that is put in its place, and not by one that Reeve does not know', async () => {
  const [next, stranger] = [await newKey('next'), await newKey('first')];
  put(stranger.own);
  expect(await headerBy(afresh)).toBeNull();
  await own.api.patch(`${base}/applications/${application}`, { authentication: byKeys(next.told) });
  put(next.own);
  // Whom Reeve has refused, the sidecar asks about again after a while.
  await eventually('there is a token', async () => (await headerBy(afresh)) !== null, 30_000);
  expect(sidecar.said()).not.toContain(next.own.d);
}, 60_000);
