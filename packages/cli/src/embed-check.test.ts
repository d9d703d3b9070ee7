// The command as a process of its own, against a server that speaks what it asks of auth.
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const main = ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')];

const said = { about: 'auth_key default', why: 'Because.' };
const answer = {
  works: false,
  checks: [
    { ...said, code: 'missing_auth_key', holds: true, whatToDo: null },
    { ...said, code: 'blocked_by_csp', holds: null, whatToDo: 'Look.' },
    { ...said, code: 'secret_expired', holds: false, whatToDo: 'Mend it.' },
  ],
};

let server: Server;
let issuer = '';
let asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const send = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    let text = '';
    request.on('data', chunk => {
      text += String(chunk);
    });
    request.on('end', () => {
      const { url = '', headers } = request;
      if (url.startsWith('/.well-known/')) return send(200, { issuer, token_endpoint: `${issuer}/token` });
      if (url === '/token') {
        asked.push(new URLSearchParams(text).get('scope') ?? '');
        return send(200, { access_token: 'a-token', token_type: 'Bearer', expires_in: 300 });
      }
      asked.push(url);
      if (headers.authorization === 'Bearer a-token' && url === '/v1/tenants/acme/embed/check')
        return send(200, answer);
      return send(404, { code: 'not_found', detail: 'There is none.' });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise(resolve => server.close(resolve)));

function run(...parameters: string[]): Promise<{ code: number; out: string }> {
  asked = [];
  const env = { ...process.env, REEVE_ISSUER: issuer, REEVE_CLIENT_ID: 'me', REEVE_CLIENT_SECRET: 'a secret' };
  return new Promise(resolve => {
    execFile(process.execPath, [...main, 'embed', 'check', ...parameters], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out + err }),
    );
  });
}

test('says what holds, what does not and what to do, and ends with 1', async () => {
  const { code, out } = await run('acme');
  expect([code, asked]).toEqual([1, ['platform:admin', '/v1/tenants/acme/embed/check']]);
  expect(out).toContain('yes  missing_auth_key (auth_key default)');
  expect(out).toContain('?    blocked_by_csp');
  expect(out).toContain('no   secret_expired (auth_key default)\n     Because.\n     -> Mend it.');
  expect(out).not.toContain('Look.');
});

test('prints the answer as it is', async () => {
  const { code, out } = await run('acme', '--json');
  expect([code, JSON.parse(out)]).toEqual([1, answer]);
});

test('ends with 2 where it could not be read', async () => {
  expect((await run('nobody')).code).toBe(2);
});
