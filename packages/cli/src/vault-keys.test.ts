// The commands as processes of their own, against a server that speaks what they ask of a service with a vault.
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';

const main = ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')];
const [first, last] = [
  { tenantId: 'ten_1', secretClass: 'connection' },
  { tenantId: 'ten_2', secretClass: 'connection' },
];

let server: Server;
let url = '';
let asked: { url: string; body: { after?: object; everything?: boolean } }[] = [];
let answers: object[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    let text = '';
    request.on('data', chunk => {
      text += String(chunk);
    });
    request.on('end', () => {
      const path = request.url ?? '';
      if (path.startsWith('/.well-known/')) return answer(200, { issuer: url, token_endpoint: `${url}/token` });
      if (path === '/token') return answer(200, { access_token: 'a', token_type: 'Bearer', expires_in: 300 });
      asked.push({ url: path, body: JSON.parse(text) as object });
      const next = answers.shift();
      return next ? answer(200, next) : answer(503, { code: 'key_service_unavailable', detail: 'away' });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise(resolve => server.close(resolve)));
beforeEach(() => {
  asked = [];
});

function reeve(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, REEVE_ISSUER: url, REEVE_CLIENT_ID: 'c', REEVE_CLIENT_SECRET: 's' };
  return new Promise(resolve => {
    execFile(process.execPath, [...main, 'vault', ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

test('the portions of a service are added up, and what wraps is marked', async () => {
  const newest = { kind: 'transit', keyId: 'reeve:v2' };
  const old = { kind: 'key_file', keyId: 'k1' };
  answers = [
    { newest, items: [{ ...old, dataKeys: 3 }], next: first },
    {
      newest,
      items: [
        { ...old, dataKeys: 1 },
        { ...newest, dataKeys: 2 },
      ],
      next: null,
    },
  ];
  const { code, out } = await reeve('status', '--service', url);
  expect([code, out.trim().split('\n')]).toEqual([
    0,
    [url, '  key_file  k1  4 data keys', '  transit  reeve:v2  2 data keys  wraps'],
  ]);
  expect(asked.map(({ body }) => body.after)).toEqual([undefined, first]);
});

test('portions are wrapped anew until there is none, with progress', async () => {
  answers = [
    { looked: 200, rewrapped: 150, failed: [], next: first },
    { looked: 20, rewrapped: 20, failed: [], next: null },
  ];
  const { code, out } = await reeve('rewrap', '--service', url);
  expect([code, out.trim().split('\n')]).toEqual([
    0,
    [
      `${url}: 200 data keys looked at, 150 wrapped anew; next ten_1/connection`,
      `${url}: 220 data keys looked at, 170 wrapped anew`,
    ],
  ]);
  expect(asked.map(({ body }) => body)).toEqual([{ everything: false }, { everything: false, after: first }]);
});

test('where it breaks off it says how to go on, which does', async () => {
  answers = [{ looked: 200, rewrapped: 200, failed: [], next: first }];
  const broken = await reeve('rewrap', '--service', url);
  expect([broken.code, broken.err]).toEqual([2, expect.stringContaining(`--service ${url} --after ten_1/connection`)]);
  expect(broken.err).toContain('key_service_unavailable');
  answers = [{ looked: 1, rewrapped: 1, failed: [], next: null }];
  expect((await reeve('rewrap', '--service', url, '--everything', '--after', 'ten_1/connection')).code).toBe(0);
  expect(asked.at(-1)?.body).toEqual({ everything: true, after: first });
});

test('what does not open is named, and ends with 1', async () => {
  answers = [{ looked: 2, rewrapped: 1, failed: [{ ...last, code: 'does_not_open' }], next: null }];
  const { code, err } = await reeve('rewrap', '--service', url);
  expect([code, err]).toEqual([1, expect.stringContaining('ten_2/connection was left as it is: does_not_open')]);
});

test.each([
  [['rewrap'], "required option '--service <url...>' not specified"],
  [['rewrap', '--service', 'a', 'b', '--after', 'ten_1/x'], '--after is for one --service'],
  [['rewrap', '--service', 'a', '--after', 'ten_1'], '--after has to be <tenant>/<class>'],
])('%j is refused, and nothing is asked', async (args, complaint) => {
  const { code, err } = await reeve(...args);
  expect([code, err]).toEqual([2, expect.stringContaining(complaint)]);
  expect(asked).toEqual([]);
});
