// An assistant with CrossAppAccessProvider of @modelcontextprotocol/client, as it comes from npm: it is vouched for by the
// identity provider, whose key a test has. By Node alone, as mcp-client-worker.ts.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { importJWK, type JWK, SignJWT } from 'jose';

export type Assistant = {
  modules: string;
  url: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** What the identity provider signs by, and what it says besides what is asked for. */
  key: JWK;
  claims: { iss: string; sub: string } & Record<string, unknown>;
};
export type Outcome = { text?: string; accessToken?: string; error?: string };

type Connection = {
  connect(transport: object): Promise<void>;
  callTool(call: { name: string; arguments: object }): Promise<{ content: { text: string }[] }>;
  close(): Promise<void>;
};
type Packages = {
  Client: new (about: { name: string; version: string }) => Connection;
  StreamableHTTPClientTransport: new (url: URL, options: { authProvider: object }) => object;
  CrossAppAccessProvider: new (options: object) => { tokens(): { access_token: string } };
};
type AskedFor = { authorizationServerUrl: string; resourceUrl: string; scope?: string };

const { modules, url, issuer, clientId, clientSecret, key, claims } = workerData as Assistant;
const file = join(modules, '@modelcontextprotocol/client/dist/index.mjs');
const packages = (await import(pathToFileURL(file).href)) as Packages;
const { Client, StreamableHTTPClientTransport, CrossAppAccessProvider } = packages;

const vouched = async ({ authorizationServerUrl, resourceUrl, scope }: AskedFor) =>
  new SignJWT({
    aud: authorizationServerUrl,
    resource: resourceUrl,
    client_id: clientId,
    ...(scope === undefined ? {} : { scope }),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'oauth-id-jag+jwt', kid: String(key.kid) })
    .setIssuedAt()
    .setExpirationTime('2m')
    .setJti(randomUUID())
    .sign(await importJWK(key, 'ES256'));

async function outcome(): Promise<Outcome> {
  const provider = new CrossAppAccessProvider({ assertion: vouched, clientId, clientSecret, expectedIssuer: issuer });
  const client = new Client({ name: 'assistant', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider: provider }));
  const { content } = await client.callTool({ name: 'list_notes', arguments: {} });
  await client.close();
  return { text: content[0]?.text ?? '', accessToken: provider.tokens().access_token };
}

parentPort?.postMessage(await outcome().catch((error: unknown) => ({ error: String(error) })));
