// The signing samples are programs: each is run as a partner would, where its runtime is found.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { given } from '@reeve/testing/given';
import { newStandardKeyPair } from '@reeve/webhook-signatures';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const run = promisify(execFile);
const credentials = runningSystem();
const directory = mkdtempSync(join(tmpdir(), 'reeve-samples-'));
let own: TestTenant;
let base: string;

beforeAll(async () => {
  own = await freshTenant(credentials, 'samples');
  base = `${credentials.urls.webhookIngress}/v1/tenants/${own.tenant.id}/webhook-endpoints`;
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const runtimes = {
  curl: { command: 'sh', file: 'sample.sh', before: [], needs: ['curl', '--version'] },
  node: { command: process.execPath, file: 'sample.mjs', before: [], needs: [process.execPath, '--version'] },
  python: { command: 'python3', file: 'sample.py', before: [], needs: ['python3', '--version'] },
  go: { command: 'go', file: 'sample.go', before: ['run'], needs: ['go', 'version'] },
  java: { command: 'java', file: 'Sample.java', before: [], needs: ['java', '--version'] },
  php: { command: 'php', file: 'sample.php', before: [], needs: ['php', '--version'] },
} as const;

function isThere([command, ...args]: readonly string[]): boolean {
  try {
    execFileSync(command ?? '', args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const pair = newStandardKeyPair();
const ownScheme = {
  header: 'x-partner-signature',
  prefix: 'sig=',
  encoding: 'base64url',
  digest: 'sha512',
  template: '{id}_{timestamp}-{body}',
  timestampHeader: 'x-partner-time',
  timestampUnit: 'ms',
  idHeader: 'x-partner-id',
  secretEncoding: 'base64',
};
const inBody = { idFrom: 'body:/data/id', orderingKeyFrom: 'body:/data/key', sequenceFrom: 'header:x-sequence' };
const endpoints: Record<string, { settings: Record<string, unknown>; signWith?: string }> = {
  'Standard Webhooks': { settings: {} },
  'Standard Webhooks with a public key': { settings: { secrets: [pair.publicKey] }, signWith: pair.privateKey },
  GitHub: { settings: { scheme: 'github' } },
  Slack: { settings: { scheme: 'slack' } },
  Stripe: { settings: { scheme: 'stripe' } },
  Shopify: { settings: { scheme: 'shopify' } },
  'a partner’s own scheme': { settings: { scheme: 'hmac', signature: ownScheme, ...inBody } },
};

/** What the sample in that language of that endpoint needs, besides the runtime. */
function alsoNeeds(language: string, endpoint: string): { what: string; isThere: boolean } | null {
  if (language !== 'python' || !endpoint.includes('public key')) return null;
  return { what: "python's package cryptography", isThere: isThere(['python3', '-c', 'import cryptography']) };
}

for (const [language, { command, file, before, needs }] of Object.entries(runtimes)) {
  const runtime = { what: needs[0], isThere: isThere(needs) };
  for (const [name, { settings, signWith }] of Object.entries(endpoints)) {
    const needed = (runtime.isThere ? alsoNeeds(language, name) : null) ?? runtime;
    given(needed.isThere, needed.what).test(
      `${name}: the sample in ${language} is accepted`,
      async () => {
        const endpoint = await own.api.post<{ id: string; secret: string }>(base, {
          connectorId: 'sample',
          ...settings,
        });
        const { items } = await own.api.get<{ items: { source: string }[] }>(
          `${base}/${endpoint.id}/samples?language=${language}`,
        );
        const source = items[0]?.source ?? '';
        expect(source).not.toContain(endpoint.secret ?? pair.publicKey);
        writeFileSync(join(directory, file), source);
        const { stdout } = await run(command, [...before, join(directory, file)], {
          env: { ...process.env, SECRET: signWith ?? endpoint.secret, NODE_OPTIONS: '' },
        });
        expect(stdout).toContain('202');
        expect(stdout).toContain('"status":"accepted"');
      },
      60_000,
    );
  }
}
