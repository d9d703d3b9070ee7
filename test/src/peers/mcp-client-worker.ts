// One of the two clients of the Model Context Protocol that most programs are made with, as it comes from npm, with a
// provider of authorization that keeps what it is given in memory and stops where a person would be sent to a browser.
// By Node alone: Jest reads the sources of some of their packages, which it cannot.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Asked, ClientName, Kept, Settings } from './mcp-client.ts';

type Transport = { finishAuth(answer: URLSearchParams | string): Promise<void> };
type Connection = {
  connect(transport: Transport): Promise<void>;
  callTool(call: { name: string; arguments: object }): Promise<{ content: { text: string }[] }>;
};
type Packages = {
  Client: new (about: { name: string; version: string }) => Connection;
  StreamableHTTPClientTransport: new (url: URL, options: { authProvider: object }) => Transport;
  UnauthorizedError: new () => Error;
};

const { name, modules, url, issuer, clientId, documentUrl } = workerData as Settings;
const files: Record<ClientName, string[]> = {
  '@modelcontextprotocol/sdk': ['index', 'streamableHttp', 'auth'].map(file => `sdk/dist/esm/client/${file}.js`),
  '@modelcontextprotocol/client': ['client/dist/index.mjs'],
};
const loaded = await Promise.all(
  files[name].map(file => import(pathToFileURL(join(modules, '@modelcontextprotocol', file)).href) as Promise<object>),
);
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = Object.assign({}, ...loaded) as Packages;

const redirectUrl = 'http://127.0.0.1:5998/callback';
const kept: Kept = {
  sentTo: [],
  verifier: '',
  ...(clientId === undefined ? {} : { client: { client_id: clientId, issuer } }),
};
const authProvider = {
  redirectUrl,
  clientMetadataUrl: documentUrl,
  clientMetadata: {
    client_name: 'Desk assistant',
    redirect_uris: [redirectUrl],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
  },
  state: () => randomUUID(),
  clientInformation: () => kept.client,
  saveClientInformation: (client: Kept['client']) => void Object.assign(kept, { client }),
  tokens: () => kept.tokens,
  saveTokens: (tokens: Kept['tokens']) => void Object.assign(kept, { tokens }),
  saveCodeVerifier: (verifier: string) => void Object.assign(kept, { verifier }),
  codeVerifier: () => kept.verifier,
  discoveryState: () => kept.discovered,
  saveDiscoveryState: (discovered: object) => void Object.assign(kept, { discovered }),
  redirectToAuthorization: (address: URL) => void kept.sentTo.push(address.href),
};

const newTransport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider });
let transport = newTransport();
let connection: Connection;

async function answerTo({ ask, given }: Asked): Promise<string | undefined> {
  if (ask === 'keep') Object.assign(kept, given);
  if (ask === 'finish') {
    const answer = new URLSearchParams(given);
    await transport.finishAuth(name === '@modelcontextprotocol/sdk' ? (answer.get('code') ?? '') : answer);
  }
  if (ask === 'connect') {
    transport = newTransport();
    connection = new Client({ name: 'desk-assistant', version: '1.0.0' });
    await connection.connect(transport);
  }
  if (ask !== 'call') return undefined;
  return (await connection.callTool({ name: given.tool, arguments: given.args })).content[0]?.text;
}

parentPort?.on('message', (asked: Asked) => {
  void answerTo(asked)
    .then(text => ({ text }))
    .catch((error: unknown) => ({ error: error instanceof UnauthorizedError ? 'unauthorized' : String(error) }))
    .then(answer => parentPort?.postMessage({ ...answer, kept } satisfies Answer));
});
