// What the two demo peers share: an OpenID provider in memory, with pages of its own for its people.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { type Configuration, Provider } from 'oidc-provider';
import { alert, page, send } from './page.ts';

export type Peer = { issuer: string; stop(): Promise<void> };

/** True when it has answered. */
type Handler = (provider: Provider, request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean>;

type PeerOptions = {
  port: number;
  /** Put before the names of its cookies. */
  name: string;
  /** Callbacks that are trusted besides the registered ones. */
  callbacks?: RegExp;
};

export async function startPeer(
  { port, name, callbacks }: PeerOptions,
  configuration: Configuration,
  handle: Handler,
): Promise<Peer> {
  const issuer = `http://localhost:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'demo' }] },
    // Cookies know no ports: peers on one host need names of their own.
    cookies: {
      keys: ['demo only'],
      names: { session: `${name}_session`, interaction: `${name}_interaction`, resume: `${name}_resume` },
    },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = failure(`${out.error}: ${out.error_description ?? ''}`);
    },
    ttl: {
      AccessToken: 3_600,
      AuthorizationCode: 60,
      Grant: 86_400,
      IdToken: 300,
      Interaction: 600,
      Session: 86_400,
      RefreshToken: 86_400,
    },
    ...configuration,
    features: { devInteractions: { enabled: false }, ...configuration.features },
  });
  if (callbacks) provider.Client.prototype.redirectUriAllowed = uri => callbacks.test(uri);
  const callback = provider.callback();
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', issuer);
      if (!(await handle(provider, request, response, url))) await callback(request, response);
    } catch (error) {
      send(response, 400, failure(error instanceof Error ? error.message : String(error)));
    }
  }
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    issuer,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export async function readForm(request: AsyncIterable<Buffer>): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

const failure = (what: string) => page('That did not work', alert(what));
