// The quickstart, as somebody follows it who has nothing: its files are taken out of the document, and run as they are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '@reeve/local/ports';
import { platformApi, seedTenant } from '@reeve/local/seed';
import { type Browser, createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import { newProject, type Project, samplesIn } from '../support/published-sdk.ts';
import { type RunningProgram, runProgram, startProgram } from '../support/running-program.ts';
import { demoUser, runningSystem } from '../support/running-system.ts';

const credentials = runningSystem();
const began = performance.now();
const browser: Browser = createBrowser();
const running: RunningProgram[] = [];
let project: Project;
let urls: { APP_URL: string; API_URL: string };

beforeAll(async () => {
  urls = { APP_URL: `http://localhost:${await freePort()}`, API_URL: `http://localhost:${await freePort()}` };
  // As `npm start` makes it.
  await seedTenant(credentials, { slug: credentials.demoTenant, name: 'Acme' });
  project = await newProject(['express']);
  for (const [file, content] of samplesIn('docs/quickstart.md'))
    if (file.endsWith('.mjs')) project.write(file, content);
}, 120_000);
afterAll(async () => {
  await Promise.all(running.map(program => program.stop()));
  project.remove();
});

async function start(file: string, says: string) {
  const { command, args } = project.command(`${file}.mjs`);
  const program = startProgram({ command, args: [`--env-file=${file}.env`, ...args], cwd: project.directory });
  running.push(program);
  await program.says(says);
}

const greeting = async () => {
  const page = await browser.open(`${urls.APP_URL}/messages`, `${credentials.urls.auth}/`);
  return page.text;
};

test('it registers an API, an application and a machine', async () => {
  const file = process.env['REEVE_TEST_CREDENTIALS'] ?? '';
  const registered = await runProgram({
    ...project.command('register.mjs', file),
    cwd: project.directory,
    env: urls,
  });
  expect(registered).toContain('registered');
  // Whoever does it again has nothing to clean up.
  await runProgram({ ...project.command('register.mjs', file), cwd: project.directory, env: urls });
  expect(readFileSync(join(project.directory, 'app.env'), 'utf8')).toContain('CLIENT_SECRET=');
});

test('the API lets nobody in without a token', async () => {
  await start('api', 'the API is at');
  const answer = await fetch(`${urls.API_URL}/messages`);
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
});

test('somebody of the demo tenant signs in at the application, and the API greets them', async () => {
  await start('app', 'the application is at');
  const home = await browser.open(urls.APP_URL);
  expect(home.text).toContain('Sign in');
  const link = /href="([^"]+)"/.exec(home.text)?.[1] ?? '';
  const login = await browser.open(urls.APP_URL + link);
  const messages = await browser.submit(login, demoUser(credentials));
  expect(messages.url.href).toBe(`${urls.APP_URL}/messages`);
  expect(messages.text).toMatch(/Hello usr_\S+ of ten_/);
  expect(performance.now() - began).toBeLessThan(600_000);
});

test('both know when their session is ended', async () => {
  const [, userId = '', tenantId = ''] = /Hello (\S+) of (ten_[\w-]+)/.exec(await greeting()) ?? [];
  const platform = platformApi(credentials);
  const { auth } = credentials.urls;
  const { items } = await platform.get<{ items: { id: string; status: string }[] }>(
    `${auth}/v1/tenants/${tenantId}/users/${userId}/sessions`,
  );
  for (const { id } of items.filter(({ status }) => status === 'live'))
    await platform.post(`${auth}/v1/tenants/${tenantId}/sessions/${id}:terminate`);
  await eventually('the application asks to sign in', async () => !(await greeting()).includes('Hello'), 10_000);
});
