// The commands as processes of their own, against a server that speaks what they ask of auth.
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';

const main = ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')];
const items = [
  { keyId: 'b', use: 'access_token', algorithm: 'ES256', stage: 'signing', activeFrom: 'then', until: null },
  { keyId: 'c', use: 'access_token', algorithm: 'ES256', stage: 'next', activeFrom: 'soon', until: null },
  { keyId: 'a', use: 'id_token', algorithm: 'RS256', stage: 'verifying', activeFrom: 'before', until: 'tomorrow' },
];

let server: Server;
let issuer = '';
let asked: { method: string; url: string; body: unknown }[] = [];
let status = 200;

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = (code: number, body: object) => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    let text = '';
    request.on('data', chunk => {
      text += String(chunk);
    });
    request.on('end', () => {
      const { url = '', method = '' } = request;
      if (url.startsWith('/.well-known/')) return answer(200, { issuer, token_endpoint: `${issuer}/token` });
      if (url === '/token') return answer(200, { access_token: 'a', token_type: 'Bearer', expires_in: 300 });
      asked.push({ method, url, body: text === '' ? null : JSON.parse(text) });
      return answer(status, status === 200 ? { items } : { code: 'signing_key_waiting', detail: 'A key is to follow' });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise(resolve => server.close(resolve)));
beforeEach(() => {
  asked = [];
  status = 200;
});

function reeve(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, REEVE_ISSUER: issuer, REEVE_CLIENT_ID: 'c', REEVE_CLIENT_SECRET: 's' };
  return new Promise(resolve => {
    execFile(process.execPath, [...main, 'signing-keys', ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

test('keys are listed by stage', async () => {
  const { code, out } = await reeve('list');
  expect([code, out.trim().split('\n')]).toEqual([
    0,
    [
      'access_token  ES256  signing    b',
      'access_token  ES256  next       c  signs from soon',
      'id_token      RS256  verifying  a  shown until tomorrow',
    ],
  ]);
  expect(JSON.parse((await reeve('list', '--json')).out)).toEqual({ items });
});

test.each([
  [['rotate', 'access_token'], { use: 'access_token', leadSeconds: 600, compromised: false }],
  [['rotate', 'id_token', '--lead-seconds', '60'], { use: 'id_token', leadSeconds: 60, compromised: false }],
  [['rotate', 'access_token', '--compromised'], { use: 'access_token', leadSeconds: 600, compromised: true }],
])('%j asks for %j', async (args, body) => {
  expect((await reeve(...args)).code).toBe(0);
  expect(asked).toEqual([{ method: 'POST', url: '/v1/signing-keys:rotate', body }]);
});

test('the key of checkpoints is that of audit', async () => {
  expect((await reeve('rotate', 'checkpoints', '--audit', issuer)).code).toBe(0);
  const body = { leadSeconds: 600, compromised: false };
  expect(asked).toEqual([{ method: 'POST', url: '/v1/audit-signing-keys:rotate', body }]);
  asked = [];
  expect((await reeve('list', '--audit', issuer)).code).toBe(0);
  expect(asked.map(({ url }) => url)).toEqual(['/v1/signing-keys', '/v1/audit-signing-keys']);
});

test.each([
  [['rotate', 'checkpoints'], '--audit (REEVE_AUDIT_URL) is needed'],
  [['rotate'], 'missing required argument'],
  [['rotate', 'other'], 'Allowed choices are access_token, id_token, checkpoints'],
  [['rotate', 'id_token', '--lead-seconds', 'soon'], 'It has to be a whole number'],
  [['rotate', 'id_token', '--lead-seconds', '1', '--compromised'], 'cannot be used with'],
])('%j is refused, and nothing is asked', async (args, complaint) => {
  const { code, err } = await reeve(...args);
  expect([code, err]).toEqual([2, expect.stringContaining(complaint)]);
  expect(asked).toEqual([]);
});

test('what auth refuses is said, and ends with 2', async () => {
  status = 409;
  expect(await reeve('rotate', 'id_token')).toMatchObject({
    code: 2,
    err: expect.stringContaining('signing_key_waiting'),
  });
});
