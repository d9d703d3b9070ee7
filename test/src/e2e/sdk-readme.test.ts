// The samples in the README of the SDK are programs: each is type-checked and run in a project that has installed the
// SDK as it is published, against the running system.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Api } from '@reeve/local/api';
import { freePort } from '@reeve/local/ports';
import { platformApi } from '@reeve/local/seed';
import { createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import { newProject, type Project, samplesIn } from '../support/published-sdk.ts';
import { runProgram, startProgram } from '../support/running-program.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const { auth, audit, provisioning } = credentials.urls;
const samples = samplesIn('packages/sdk/README.md');
const audience = `https://readme-${Date.now()}.product.example`;
let own: TestTenant;
let platform: Api;
let project: Project;
let machine: Registered;

type Registered = { clientId: string; clientSecret: string };

beforeAll(async () => {
  project = await newProject(['express', '@types/express', '@types/node']);
  for (const [file, content] of samples) project.write(file, content);
  own = await freshTenant(credentials, 'readme');
  platform = platformApi(credentials);
  await platform.post(`${auth}/v1/resource-servers`, {
    name: 'Messages',
    identifier: audience,
    scopes: [{ name: 'messages:read' }],
  });
  machine = await platform.post<Registered>(`${auth}/v1/applications`, {
    name: 'A machine',
    kind: 'machine',
    tenants: 'all',
    grantTypes: ['client_credentials'],
  });
}, 120_000);
afterAll(() => project.remove());

async function tokenOf({ clientId, clientSecret }: Registered, scope: string): Promise<string> {
  const response = await fetch(`${auth}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

const environment = () => ({
  ISSUER: credentials.issuer,
  AUDIENCE: audience,
  CLIENT_ID: machine.clientId,
  CLIENT_SECRET: machine.clientSecret,
});

test('the archive holds what the package says that it needs, and nothing of this repository', () => {
  expect(Object.keys(project.manifest.dependencies).filter(name => name.startsWith('@reeve/'))).toEqual([]);
  expect(Object.keys(project.manifest)).not.toEqual(expect.arrayContaining(['private']));
});

test('the samples type-check, with the declarations of the SDK', async () => {
  expect([...samples.keys()]).toEqual(['api.ts', 'fetch.ts', 'app.ts', 'events.ts', 'webhooks.ts', 'audit.ts']);
  expect(await project.typecheck()).toBe('');
}, 60_000);

test('an API', async () => {
  const port = await freePort();
  const api = startProgram({ ...project.command('api.ts'), env: { ...environment(), PORT: String(port) } });
  await api.says('listening');
  const ask = async (token?: string, method = 'GET') => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`http://localhost:${port}/messages`, { headers, method });
    return [response.status, response.headers.get('www-authenticate')];
  };
  const tenant = `tenant:${own.tenant.id}`;
  expect(await ask(await tokenOf(machine, `${tenant} messages:read`))).toEqual([200, null]);
  expect(await ask()).toEqual([401, 'Bearer']);
  expect(await ask(await tokenOf(machine, tenant))).toEqual([403, expect.stringContaining('scope="messages:read"')]);
  expect(await ask(await tokenOf(machine, tenant), 'DELETE')).toEqual([
    401,
    expect.stringContaining('error="insufficient_user_authentication"'),
  ]);
  await api.stop();
});

test('a handler of the fetch style', async () => {
  const token = await tokenOf(machine, `tenant:${own.tenant.id}`);
  const said = await runProgram({ ...project.command('fetch.ts'), env: { ...environment(), TOKEN: token } });
  expect(said).toContain(`200 {"sub":"${machine.clientId}"}`);
  const refused = await runProgram({ ...project.command('fetch.ts'), env: { ...environment(), TOKEN: 'x' } });
  expect(refused).toContain('401');
});

test('an application with a server', async () => {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const web = await own.api.post<Registered>(`${auth}/v1/tenants/${own.tenant.id}/applications`, {
    name: 'An application',
    kind: 'web',
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: [`${url}/auth/callback`],
    postLogoutRedirectUris: [`${url}/`],
    backchannelLogoutUri: `${url}/auth/back-channel-logout`,
  });
  const env = {
    ISSUER: credentials.issuer,
    CLIENT_ID: web.clientId,
    CLIENT_SECRET: web.clientSecret,
    PUBLIC_URL: url,
    PORT: String(port),
  };
  const app = startProgram({ ...project.command('app.ts'), env });
  await app.says('listening');
  const browser = createBrowser();
  expect((await fetch(`${url}/token-for-an-api`)).status).toBe(401);
  const login = await browser.open(`${url}/auth/sign-in?tenant=${own.tenant.slug}`);
  const home = await browser.submit(login, demoUser(credentials));
  expect([home.url.href, home.status]).toEqual([`${url}/`, 200]);
  expect(home.text).toMatch(/<p>usr_/);
  expect((await browser.open(`${url}/token-for-an-api`)).text).toMatch(/\{"length":\d+\}/);
  const out = await browser.submit(home, {});
  expect(out.url.origin).toBe(new URL(auth).origin);
  const cookie = await browser.jar.getCookieString(url);
  expect((await fetch(`${url}/token-for-an-api`, { headers: { cookie } })).status).toBe(401);
  await app.stop();
});

test('events', async () => {
  const env = { KAFKA_BROKERS: credentials.kafka, TENANT: own.tenant.id };
  const consumer = startProgram({ ...project.command('events.ts'), env });
  const user = await own.api.post<{ id: string }>(`${provisioning}/v1/tenants/${own.tenant.id}/users`, {
    email: `ada-${Date.now()}@acme.example`,
    displayName: 'Ada',
  });
  await consumer.says(`created ${user.id}`, 30_000);
  await consumer.stop();
}, 60_000);

test('webhooks', async () => {
  expect(await runProgram(project.command('webhooks.ts'))).toContain('accepted msg_1');
});

test('an audit log', async () => {
  const url = `${audit}/v1/tenants/${own.tenant.id}/audit/export`;
  const text = await eventually('the log', async () => {
    const exported = await (await own.api.send('GET', url)).text();
    return exported.split('\n').length > 3 && exported;
  });
  const [log, keys] = [join(project.directory, 'log.ndjson'), join(project.directory, 'keys.json')];
  writeFileSync(log, text);
  writeFileSync(keys, await (await fetch(`${audit}/.well-known/reeve-audit-keys`)).text());
  expect(await runProgram(project.command('audit.ts', log, keys))).toMatch(/\d+ records, nothing is wrong/);
  writeFileSync(log, text.replace('"subject":"', '"subject":"x'));
  expect(await runProgram(project.command('audit.ts', log, keys))).toMatch(/line 2: \w+/);
});
