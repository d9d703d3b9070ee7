// The suite for authorization servers of those who write the Model Context Protocol, with a person at a real browser.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nodeBinary } from '@reeve/local/paths';
import { freePort } from '@reeve/local/ports';
import { platformApi } from '@reeve/local/seed';
import { type Browser, chromiumHint, chromiumPath, openChromium } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { type RunningProgram, startProgram } from '../support/running-program.ts';
import { demoUser, freshTenant, runningSystem } from '../support/running-system.ts';
import { lackingMcp, runningPeers } from './running-peers.ts';

const { mcp } = runningPeers();

type Check = { id: string; status: string };

given(mcp !== null && chromiumPath !== undefined, mcp === null ? lackingMcp : chromiumHint).describe(
  'an authorization server of the Model Context Protocol',
  () => {
    const credentials = runningSystem();
    const { auth } = credentials.urls;
    const results = mkdtempSync(join(tmpdir(), 'reeve-mcp-conformance-'));
    let browser: Browser;
    let suite: RunningProgram | undefined;

    beforeAll(async () => {
      browser = await openChromium();
    }, 60_000);
    afterAll(async () => {
      await suite?.stop();
      await browser.close();
      rmSync(results, { recursive: true, force: true });
    });

    /** As whoever runs the suite would: by the address that it prints. */
    async function signInAt(address: string) {
      const page = await (await browser.newContext()).newPage();
      await page.goto(address);
      const { email, password } = demoUser(credentials);
      await page.getByLabel('Email').fill(email);
      await page.getByLabel('Password').fill(password);
      await page.keyboard.press('Enter');
      await page.getByText('You can close this page').waitFor();
    }

    const checks = () =>
      readdirSync(results, { recursive: true, encoding: 'utf8' })
        .filter(file => file.endsWith('checks.json'))
        .flatMap(file => JSON.parse(readFileSync(join(results, file), 'utf8')) as Check[]);

    test('has nothing wrong with it', async () => {
      const platform = platformApi(credentials);
      await platform.send('PUT', `${auth}/v1/client-document-policy`, { body: { hosts: ['*'] } });
      const own = await freshTenant(credentials, 'mcp');
      const port = await freePort();
      const resource = `http://localhost:${port}/mcp`;
      await platform.post(`${auth}/v1/resource-servers`, {
        name: 'Notes',
        identifier: resource,
        scopes: [{ name: 'notes:read' }],
        applications: 'all',
      });
      // It names neither an API nor scopes: what its tokens are for is said where it is registered.
      const { clientId } = await own.api.post<{ clientId: string }>(
        `${auth}/v1/tenants/${own.tenant.id}/applications`,
        {
          name: 'The suite',
          kind: 'native',
          redirectUris: [`http://127.0.0.1:${port}/callback`],
          defaultResource: resource,
          defaultScopes: ['notes:read'],
        },
      );
      const args = ['--url', credentials.issuer, '--client-id', clientId, '--port', String(port), '-o', results];
      suite = startProgram({
        command: nodeBinary,
        args: [join(String(mcp), '@modelcontextprotocol/conformance/dist/index.js'), 'authorization', ...args],
        cwd: results,
      });
      await suite.says('Waiting up to 5 minutes');
      const [address = ''] = new RegExp(`^${auth}/auth\\?\\S+$`, 'm').exec(suite.said()) ?? [];
      await signInAt(address);
      expect([await suite.ended, suite.said()]).toEqual([0, expect.stringMatching(/^Total: 3 passed, 0 failed$/m)]);
      expect(Object.fromEntries(checks().map(({ id, status }) => [id, status]))).toEqual({
        'authorization-server-metadata': 'SUCCESS',
        'authorization-server-metadata-cimd': 'SUCCESS',
        'authorization-code-grant': 'SUCCESS',
      });
    }, 120_000);
  },
);
