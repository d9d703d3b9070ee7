// Every service, as it is started, ends in the same way when it meets an error that nobody foresaw.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from '@jest/globals';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { serviceNames } from '@reeve/local/system';

type Line = { level: string; msg: string; service: string; error?: { name: string; message: string; stack: string } };

const directory = mkdtempSync(join(tmpdir(), 'reeve-crash-'));
const file = (name: string, content: unknown) => {
  writeFileSync(join(directory, name), JSON.stringify(content), { mode: 0o600 });
  return join(directory, name);
};
afterAll(() => rmSync(directory, { recursive: true }));

const nobody = 'http://127.0.0.1:1';
const secret = 's'.repeat(43);
/** Complete, and of engines that are not there: it is still starting when it ends. */
const environment = {
  PATH: process.env['PATH'],
  NODE_ENV: 'test',
  PORT: '0',
  KAFKA_BROKERS: '127.0.0.1:1',
  MONGODB_URI: 'mongodb://127.0.0.1:1',
  MONGODB_DATABASE: 'none',
  REEVE_SELF_URL: nobody,
  REEVE_ISSUER: nobody,
  REEVE_PROVISIONING_URL: nobody,
  REEVE_CONSENT_URL: nobody,
  REEVE_RESOURCES: nobody,
  REEVE_PLATFORM_CLIENT_ID: 'platform',
  REEVE_PLATFORM_CLIENT_SECRET: secret,
  REEVE_CONSENT_CLIENT_SECRET: secret,
  REEVE_COOKIE_KEYS: secret,
  REEVE_CATALOGUE_FILE: file('catalogue.json', []),
  REEVE_VAULT_KEY_FILE: file('keys.json', { active: 'k', keys: { k: Buffer.alloc(32, 1).toString('base64') } }),
};

/** Done as soon as the service has taken over what ends a process. */
const soon = (what: string) =>
  `data:text/javascript,${encodeURIComponent(`
    const timer = setInterval(() => {
      if (process.listenerCount('uncaughtException') === 0) return;
      clearInterval(timer);
      ${what}
    }, 5);
  `)}`;

describe.each(serviceNames)('%s', name => {
  test.concurrent.each([
    ['an exception', `throw new RangeError('nobody foresaw this');`, 'uncaught exception'],
    ['a rejection', `void Promise.reject(new RangeError('nobody foresaw this'));`, 'unhandled rejection'],
  ])('that meets %s nobody catches logs it and ends at once with code 70', async (_, what, msg) => {
    const flags = ['--conditions=source', '--import', '@reeve/service-kit/telemetry', '--import', soon(what)];
    const child = spawn(nodeBinary, [...flags, 'src/main.ts'], {
      cwd: join(repositoryRoot, 'services', name),
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [output, exit] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>]);
    const lines = output.trimEnd().split('\n');
    const last = JSON.parse(lines.at(-1) ?? '') as Line;
    expect({ code: exit[0], ...last }).toMatchObject({ code: 70, level: 'fatal', service: name, msg });
    expect(last.error).toMatchObject({ name: 'RangeError', message: 'nobody foresaw this' });
    expect(last.error?.stack).toContain('at ');
  });
});
