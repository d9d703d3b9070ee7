// A command as a process of its own, against a server that speaks what it asks of auth.
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const main = ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')];

/** Which has one thing to read, for whoever has its token. */
export async function startCommand(command: readonly string[], { path, answer }: { path: string; answer: object }) {
  let issuer = '';
  let asked: string[] = [];
  const server = createServer((request, response) => {
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
      if (headers.authorization === 'Bearer a-token' && url === path) return send(200, answer);
      return send(404, { code: 'not_found', detail: 'There is none.' });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    /** Since it was last run: the scope of its token, and the addresses that it asked for. */
    asked: () => asked,

    run(...parameters: string[]): Promise<{ code: number; out: string }> {
      asked = [];
      const env = { ...process.env, REEVE_ISSUER: issuer, REEVE_CLIENT_ID: 'me', REEVE_CLIENT_SECRET: 'a secret' };
      return new Promise(resolve => {
        execFile(process.execPath, [...main, ...command, ...parameters], { env }, (error, out, err) =>
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out + err }),
        );
      });
    },

    stop: () => new Promise(resolve => server.close(resolve)),
  };
}
