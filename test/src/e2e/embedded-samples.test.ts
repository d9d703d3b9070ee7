// The samples of docs/embedded.md, in a real browser: a page and an app of a customer's, on an origin of their own and
// under a policy without anything inline, with the demo identity provider, and with an API that verifies what it gets.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { repositoryRoot } from '@reeve/local/paths';
import { platformApi } from '@reeve/local/seed';
import { createVerifier } from '@reeve/sdk';
import { protectFetch } from '@reeve/sdk/fetch';
import { type Browser, chromiumHint, chromiumPath, openChromium, type Page } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { listen } from '@reeve/testing/listen';
import { newProject, samplesIn } from '../support/published-sdk.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const run = promisify(execFile);
const credentials = runningSystem();
const { auth } = credentials.urls;
const samples = samplesIn('docs/embedded.md');
const alice = demoUser(credentials);
const headers = { 'Reeve-Reason': 'samples' };

/** Says whom it is asked by. Answers pages of any origin, since it lets nobody in without a token and its key. */
async function startApi() {
  let handle: (request: Request) => Promise<Response>;
  const cors = {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'authorization, dpop, content-type',
  };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = new Request(`${api.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]),
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const said = await handle(asked);
    response.writeHead(said.status, { ...cors, 'content-type': 'application/json' }).end(await said.text());
  }
  const server = createServer((request, response) => {
    if (request.method === 'OPTIONS') response.writeHead(204, cors).end();
    else void answer(request, response);
  });
  const api = await listen(server);
  const verifier = createVerifier({ issuer: credentials.issuer, audience: api.url, revocations: 'not_followed' });
  await verifier.start();
  handle = protectFetch(verifier, async (request, { sub }) => {
    const { question } = (await request.json()) as { question: string };
    return Response.json({ answer: `${sub} asked: ${question}` });
  });
  return {
    url: api.url,
    async stop() {
      await verifier.stop();
      await api.stop();
    },
  };
}

/** A site of the customer's, with the names of the sample in place of those of the document. */
async function startSite(files: () => Record<string, [type: string, text: string]>) {
  const site = await listen(
    createServer((request, response) => {
      const [type, text] = files()[request.url ?? ''] ?? ['text/plain', ''];
      const policy = `default-src 'none'; script-src 'self' ${auth}; connect-src ${auth} ${api.url}`;
      response.setHeader('Content-Security-Policy', policy).setHeader('Content-Type', type).end(text);
    }),
  );
  return { ...site, origin: site.url };
}

let api: Awaited<ReturnType<typeof startApi>>;
let site: Awaited<ReturnType<typeof startSite>>;
let own: TestTenant;
let app = '';

const filled = (text = '') =>
  text
    .replaceAll('https://id.myproduct.example', auth)
    .replaceAll('https://assistant.myproduct.example', api.url)
    .replaceAll('domain=acme', `domain=${own.tenant.slug}`)
    .replaceAll("domain: 'acme'", `domain: '${own.tenant.slug}'`);

/** As a customer's own tools make it. */
async function bundled(text: string): Promise<string> {
  const project = await newProject(['react', 'react-dom']);
  project.write('assistant.jsx', text);
  const tool = join(repositoryRoot, 'node_modules/.bin/rolldown');
  await run(tool, ['assistant.jsx', '--platform', 'browser', '--format', 'iife', '--file', 'app.js'], {
    cwd: project.directory,
  });
  const made = readFileSync(join(project.directory, 'app.js'), 'utf8');
  project.remove();
  return made;
}

given(chromiumPath !== undefined, chromiumHint).describe('in a real browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openChromium();
    own = await freshTenant(credentials, 'embedded');
    api = await startApi();
    site = await startSite(() => ({
      '/portal': ['text/html', filled(samples.get('portal.html'))],
      '/portal.js': ['text/javascript', filled(samples.get('portal.js'))],
      '/app': [
        'text/html',
        `<!doctype html><title>App</title><div id="assistant"></div><script src="${auth}/embed/reeve.js"></script><script src="/app.js"></script>`,
      ],
      '/app.js': ['text/javascript', app],
    }));
    app = await bundled(filled(samples.get('assistant.jsx')));
    const platform = platformApi(credentials);
    await platform.post(`${auth}/v1/resource-servers`, {
      name: 'Assistant',
      identifier: api.url,
      scopes: [{ name: 'ask' }],
      applications: 'all',
    });
    const of = `${auth}/v1/tenants/${own.tenant.id}`;
    const { connectionId } = own.tenant;
    await platform.post(`${of}/auth-keys`, { authKey: 'default', connectionId, description: '' }, { headers });
    const application = await platform.post<{ clientId: string }>(
      `${of}/applications`,
      {
        name: 'Assistant',
        kind: 'single_page',
        surface: 'assistant',
        dpopRequired: true,
        redirectUris: [`${auth}/embed/callback`],
      },
      { headers },
    );
    const embed = {
      enabled: true,
      origins: [site.origin],
      applicationId: application.clientId,
      resource: api.url,
      scopes: ['ask'],
      mode: 'auto',
    };
    const set = await platform.send('PUT', `${of}/embed`, { body: embed, headers });
    expect(set.status).toBe(200);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await Promise.all([api.stop(), site.stop()]);
  });

  async function signedIn(page: Page) {
    const [popup] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('button', { name: 'Sign in' }).click(),
    ]);
    await popup.getByLabel('Email').fill(alice.email);
    await popup.getByLabel('Password').fill(alice.password);
    await popup.keyboard.press('Enter');
    await popup.getByRole('heading', { name: 'You are signed in' }).waitFor();
  }

  test.each(['/portal', '/app'])(
    '%s signs in, asks, goes on after a reload, and signs out',
    async path => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const refusals: string[] = [];
      page.on('console', message => void (/Policy|Reeve/.test(message.text()) && refusals.push(message.text())));
      await page.goto(site.origin + path);
      await signedIn(page);
      await page.getByText(/^Signed in as Alice/).waitFor();
      const asked = async (question: string) => {
        await page.getByLabel('Question').fill(question);
        await page.getByRole('button', { name: 'Ask' }).click();
        await page.getByText(new RegExp(`^usr_.* asked: ${question}$`)).waitFor();
      };
      await asked('one');
      await page.reload();
      await page.getByText(/^Signed in as Alice/).waitFor();
      await asked('two');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      expect(refusals).toEqual([]);
      await context.close();
    },
    60_000,
  );
});
