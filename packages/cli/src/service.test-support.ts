// Commands as processes of their own, against a service that answers each request as a test says.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Ended, runCommand } from './run-command.test-support.ts';

type Asked = { method: string; url: string; body: unknown; reason: string };
/** `body` is sent as JSON, or as text where it is a string. */
type Answer = { status?: number; body?: unknown };

/** `named` are the variables by which commands find it, besides the issuer's. */
export async function startService(
  answerTo: (asked: Asked) => Answer,
  { named = ['REEVE_AUDIT_URL', 'REEVE_PROVISIONING_URL'] }: { named?: readonly string[] } = {},
) {
  let origin = '';
  let asked: Asked[] = [];
  let scopes: string[] = [];
  const server = createServer((request, response) => {
    const send = (status: number, body: unknown) => {
      const type = typeof body === 'string' ? 'text/plain' : 'application/json';
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': type }).end(text);
    };
    let text = '';
    request.on('data', chunk => {
      text += String(chunk);
    });
    request.on('end', () => {
      const { url = '', method = '', headers } = request;
      if (url.startsWith('/.well-known/')) return send(200, { issuer: origin, token_endpoint: `${origin}/token` });
      if (url === '/token') {
        const form = new URLSearchParams(text);
        scopes.push(form.get('scope') ?? '');
        // As an issuer that does not know the service.
        if (form.get('resource')?.startsWith('http://127.0.0.1:1/')) return send(400, { error: 'invalid_target' });
        return send(200, { access_token: 'a-token', token_type: 'Bearer', expires_in: 300 });
      }
      const sent: unknown = text === '' ? null : JSON.parse(text);
      const one = { method, url, body: sent, reason: String(headers['reeve-reason']) };
      asked.push(one);
      const { status = 200, body } =
        headers.authorization === 'Bearer a-token' ? answerTo(one) : { status: 401, body: { code: 'token_missing' } };
      return send(status, body);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    origin,
    /** Since a command was last run. */
    asked: () => asked,
    scopes: () => scopes,

    run(...args: string[]): Promise<Ended> {
      asked = [];
      scopes = [];
      const services = Object.fromEntries(['REEVE_ISSUER', ...named].map(name => [name, origin]));
      return runCommand(args, { ...services, REEVE_CLIENT_ID: 'me', REEVE_CLIENT_SECRET: 'a secret' });
    },

    stop: () => new Promise(resolve => server.close(resolve)),
  };
}
