// The command as a process of its own, against a server that speaks what it asks of auth.
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const main = ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')];

const said = { who: 'identity_service', why: 'Because.' };
const grade = {
  level: 'SL1',
  clauses: [
    { ...said, id: 'a', level: 'SL1', clause: 'The first', holds: true, whatToDo: null },
    { ...said, id: 'b', level: 'SL1', clause: 'The second', holds: null, whatToDo: 'Ask.' },
    { ...said, id: 'c', level: 'SL2', clause: 'The third', holds: false, whatToDo: 'Mend it.' },
  ],
};

let server: Server;
let issuer = '';
let asked: string[] = [];

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
      const { url = '', headers } = request;
      if (url.startsWith('/.well-known/')) return answer(200, { issuer, token_endpoint: `${issuer}/token` });
      if (url === '/token') {
        asked.push(new URLSearchParams(text).get('scope') ?? '');
        return answer(200, { access_token: 'a-token', token_type: 'Bearer', expires_in: 300 });
      }
      asked.push(url);
      if (headers.authorization === 'Bearer a-token' && url === '/v1/tenants/acme/sso-connections/con_1/grade')
        return answer(200, grade);
      return answer(404, { code: 'not_found', detail: 'There is none.' });
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
    execFile(process.execPath, [...main, 'connection', 'grade', ...parameters], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out + err }),
    );
  });
}

test('says the level, and of each clause whether it holds, why, and what to do', async () => {
  const { code, out } = await run('acme', 'con_1');
  expect(code).toBe(0);
  expect(asked).toEqual(['platform:admin', '/v1/tenants/acme/sso-connections/con_1/grade']);
  expect(out).toContain('level: SL1; 1 clauses cannot be known from here');
  for (const line of ['SL1  yes  The first', 'SL1  ?    The second', 'SL2  no   The third', '-> Mend it.'])
    expect(out).toContain(line);
});

test('prints the answer as it is, for programs', async () => {
  expect(JSON.parse((await run('acme', 'con_1', '--json')).out)).toEqual(grade);
});

test('ends with 1 where the level is lower than it has to be, with the client of a tenant as well', async () => {
  expect((await run('acme', 'con_1', '--at-least', 'SL2', '--scope', 'tenant:acme')).code).toBe(1);
  expect(asked[0]).toBe('tenant:acme');
  expect((await run('acme', 'con_1', '--at-least', 'SL1')).code).toBe(0);
});

test('ends with 2 where there is no such connection, no such level, or no answer, and says no secret', async () => {
  expect(await run('acme', 'con_2')).toEqual({ code: 2, out: 'reeve: 404 not_found: There is none.\n' });
  expect(await run('acme', '../../../clients')).toMatchObject({ code: 2 });
  expect(asked.at(-1)).toBe('/v1/tenants/acme/sso-connections/..%2F..%2F..%2Fclients/grade');
  expect((await run('acme', 'con_1', '--at-least', 'SL9')).code).toBe(2);
  const { code, out } = await run('acme', 'con_1', '--issuer', 'http://127.0.0.1:1');
  expect([code, out.includes('a secret')]).toEqual([2, false]);
});

test('has a help that says what its codes mean', async () => {
  const { code, out } = await run('--help');
  expect([code, out.includes('--at-least'), out.includes('Ends with 0')]).toEqual([0, true, true]);
});
