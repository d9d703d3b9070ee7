// Refresh tokens where everything goes wrong at once: eight processes that share one, over two instances of auth; an
// instance that is killed while tokens are followed; and thieves who come when the grace is over (lessons L4 and L31).
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { platformApi } from '@reeve/local/seed';
import { type Browser, createBrowser } from '@reeve/testing/browser';
import * as client from 'openid-client';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { demoUser, freshTenant, type TestTenant } from '../support/running-system.ts';

const minutes = 60_000;
const processes = 8;
const rotations = 1_000;
const families = 100;
/** As it is unless it is set. */
const graceMs = 30_000;
const callback = 'http://127.0.0.1:5999/callback';

let own: OwnSystem;
let tenant: TestTenant['tenant'];
let clientId: string;
let configuration: client.Configuration;
const directory = mkdtempSync(join(tmpdir(), 'shared-refresh-token-'));

beforeAll(async () => {
  own = await startOwnSystem('refresh', { instances: { auth: 2 } });
  const { credentials } = own.system;
  ({ tenant } = await freshTenant(credentials));
  const body = { name: 'An AI client', kind: 'native', tenants: 'all', redirectUris: ['http://127.0.0.1/callback'] };
  const url = `${credentials.urls.auth}/v1/applications`;
  ({ clientId } = await platformApi(credentials).post<{ clientId: string }>(url, body));
  configuration = await client.discovery(new URL(credentials.issuer), clientId, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
}, 2 * minutes);
afterAll(async () => {
  await own.stop();
  rmSync(directory, { recursive: true, force: true });
}, minutes);

/** The refresh token of a new family: the first time the person signs in, and then is. */
async function newFamily(browser: Browser = createBrowser()): Promise<string> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: callback,
    scope: 'openid',
    tenant: tenant.slug,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const page = await browser.open(url, callback);
  const isThere = page.url.href.startsWith(callback);
  const { email, password } = demoUser(own.system.credentials);
  const returned = isThere ? page : await browser.submit(page, { email, password }, callback);
  const tokens = await client.authorizationCodeGrant(configuration, returned.url, { pkceCodeVerifier });
  return String(tokens.refresh_token);
}

const refreshAt = async (endpoint: string, token: string) => {
  const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: token };
  const answer = await fetch(`${endpoint}/token`, { method: 'POST', body: new URLSearchParams(form) });
  return { status: answer.status, body: (await answer.json()) as { refresh_token?: string; error?: string } };
};
const refresh = (token: string) => refreshAt(own.system.credentials.urls.auth, token);

describe('a refresh token', () => {
  test(
    `that ${processes} processes share without a lock logs nobody out in ${rotations} rotations of each`,
    async () => {
      const file = join(directory, 'token');
      writeFileSync(file, await newFamily());
      const script = fileURLToPath(new URL('../support/shared-token.ts', import.meta.url));
      const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning'];
      const args = [...flags, script, file, clientId, String(rotations), ...own.system.urlsOf('auth')];
      const ended = await Promise.all(
        Array.from({ length: processes }, async () => {
          const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
          const code = new Promise<number | null>(resolve => child.once('exit', resolve));
          const [lines, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
          return { code: await code, complaints, lines: lines.trim().split('\n') };
        }),
      );
      expect(ended.map(({ code, complaints }) => [code, complaints])).toEqual(ended.map(() => [0, '']));
      const followed = ended.flatMap(({ lines }) => lines);
      expect(followed).toHaveLength(processes * rotations);
      const successors = new Map<string, Set<string>>();
      for (const line of followed) {
        const [held = '', next = ''] = line.split(' ');
        successors.set(held, (successors.get(held) ?? new Set()).add(next));
      }
      expect([...successors.values()].filter(({ size }) => size !== 1)).toEqual([]);
      expect((await refresh(readFileSync(file, 'utf8'))).status).toBe(200);
    },
    10 * minutes,
  );

  test(
    'that is followed while auth is killed is good when auth is back, whether there was an answer or not',
    async () => {
      const [first = '', second = ''] = own.system.urlsOf('auth');
      const held = await Promise.all(Array.from({ length: 20 }, () => newFamily()));
      const attempts = held.map(async token => {
        for (;;) {
          const answer = await refreshAt(first, token).catch(() => null);
          if (!answer) return token;
          if (answer.status !== 200) throw new Error(JSON.stringify(answer));
          token = answer.body.refresh_token ?? '';
        }
      });
      await new Promise(resolve => setTimeout(resolve, 1_000));
      await own.system.crash('auth');
      const left = await Promise.all(attempts);
      for (const [index, token] of left.entries())
        expect(await refreshAt(index % 2 === 0 ? first : second, token)).toMatchObject({ status: 200 });
    },
    3 * minutes,
  );

  test(
    `that comes again when the grace is over ends its family, ${families} times of ${families}`,
    async () => {
      const browser = createBrowser();
      const stolen: string[] = [];
      const current: string[] = [];
      for (let family = 0; family < families; family += 1) {
        const token = await newFamily(browser);
        stolen.push(token);
        current.push((await refresh(token)).body.refresh_token ?? '');
      }
      await new Promise(resolve => setTimeout(resolve, graceMs + 1_000));
      for (const token of stolen)
        expect(await refresh(token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      for (const token of current)
        expect(await refresh(token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    },
    5 * minutes,
  );
});
