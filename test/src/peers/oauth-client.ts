// An application that others wrote, registered at a tenant of its own, and run with the files that the quickstart has
// for it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '@reeve/local/ports';
import { platformApi } from '@reeve/local/seed';
import { createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import { samplesIn } from '../support/published-sdk.ts';
import { type Program, type RunningProgram, startProgram } from '../support/running-program.ts';
import { demoUser, freshTenant, runningSystem } from '../support/running-system.ts';

type Registered = { url: string; port: number; clientId: string; clientSecret: string; audience: string };

/** The files of the quickstart in a folder of their own. */
export function filesOf(names: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-quickstart-'));
  for (const [name, content] of samplesIn('docs/quickstart.md')) {
    if (!names.includes(name)) continue;
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Of a tenant. `hasApi` is one whose tokens are for an API of the product. */
export async function registerClient(callbackPath: string, { hasApi }: { hasApi: boolean }) {
  const credentials = runningSystem();
  const { auth } = credentials.urls;
  const own = await freshTenant(credentials, 'quickstart');
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const audience = `https://quickstart-${port}-${Date.now()}.product.example`;
  await platformApi(credentials).post(`${auth}/v1/resource-servers`, {
    name: 'Messages',
    identifier: audience,
    scopes: [{ name: 'messages:read' }],
    applications: 'all',
  });
  const { clientId, clientSecret } = await own.api.post<{ clientId: string; clientSecret: string }>(
    `${auth}/v1/tenants/${own.tenant.id}/applications`,
    {
      name: 'An application',
      kind: 'web',
      redirectUris: [url + callbackPath],
      ...(hasApi ? { defaultResource: audience } : {}),
    },
  );
  const registered: Registered = { url, port, clientId, clientSecret, audience };
  return { credentials, own, registered };
}

const clients = new Set<RunningProgram>();

/** Those that a test has left running, since it failed. */
export async function stopClients(): Promise<void> {
  await Promise.all([...clients].map(one => one.stop()));
  clients.clear();
}

/** Until it answers at all. */
export async function startClient(program: Program, url: string, withinMs = 45_000) {
  const running = startProgram(program);
  clients.add(running);
  let isOver = false;
  void running.ended.then(() => {
    isOver = true;
  });
  await eventually(
    'it answers',
    async () => {
      if (isOver) throw new Error(`it ended: ${running.said()}`);
      return fetch(url, { redirect: 'manual' }).then(
        () => true,
        () => false,
      );
    },
    withinMs,
  );
  return running;
}

/** At the demo identity provider. Gives the browser, and the page where it ends. */
export async function signInAt(url: string) {
  const browser = createBrowser();
  const login = await browser.open(url);
  const page = await browser.submit(login, demoUser(runningSystem()));
  return { browser, page };
}
