// The third party of a connector ("Calendar"), over HTTP: it gives access at once, in the way that a test says.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { listen } from '@reeve/testing';

export const client = { clientId: 'reeve', clientSecret: 'a secret of the calendar' };

export type Said = {
  /** How somebody who is sent there comes back. */
  returns: Record<string, string>;
  token: Record<string, unknown>;
  tokenStatus: number;
  discovery: Record<string, unknown>;
  /** Awaited before tokens are given. */
  meanwhile: () => Promise<unknown>;
};

const usual: Said = {
  returns: {},
  token: {},
  tokenStatus: 200,
  discovery: {},
  meanwhile: () => Promise.resolve(),
};

export async function startThirdParty() {
  let said = usual;
  const asked: URLSearchParams[] = [];
  const codes = new Map<string, string>();
  const { url, stop } = await listen(
    createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', url);
      const send = (status: number, body: object) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (pathname === '/.well-known/openid-configuration') return send(200, { ...metadata(), ...said.discovery });
      if (pathname === '/authorize') return void response.writeHead(303, { location: authorize(searchParams) }).end();
      void giveToken(request).then(({ status, body }) => send(status, body));
    }),
  );

  const metadata = () => ({
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/jwks`,
  });

  function authorize(request: URLSearchParams): string {
    asked.push(request);
    const back = new URL(String(request.get('redirect_uri')));
    const code = `code-${asked.length}`;
    codes.set(code, String(request.get('code_challenge')));
    const state = String(request.get('state'));
    const answer = Object.keys(said.returns).length > 0 ? said.returns : { code };
    for (const [name, value] of Object.entries({ state, ...answer })) back.searchParams.set(name, value);
    return back.href;
  }

  async function giveToken(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    await said.meanwhile();
    const code = String(form.get('code'));
    const challenge = createHash('sha256')
      .update(String(form.get('code_verifier')))
      .digest('base64url');
    const basic = Buffer.from(`${client.clientId}:${encodeURIComponent(client.clientSecret).replaceAll('%20', '+')}`);
    const isOurs = request.headers.authorization === `Basic ${basic.toString('base64')}`;
    if (!isOurs || codes.get(code) !== challenge) return { status: 400, body: { error: 'invalid_grant' } };
    codes.delete(code);
    const token = { access_token: `access-of-${code}`, token_type: 'Bearer', expires_in: 3_600, refresh_token: 'r' };
    return { status: said.tokenStatus, body: { ...token, ...said.token } };
  }

  return {
    url,
    asked,
    /** What it says from now on; the rest as usual. */
    says(change: Partial<Said> = {}): void {
      said = { ...usual, ...change };
    },
    stop,
  };
}
