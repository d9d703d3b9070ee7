// A client with CrossAppAccessProvider of @modelcontextprotocol/client, as it comes from npm, whose identity provider
// is Reeve: it asks there by the ID token of its person, and redeems what it gets. By Node alone, as
// mcp-client-worker.ts.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

type Client = { clientId: string; clientSecret: string };
export type Vouched = {
  modules: string;
  /** The MCP server, and as what the authorization server there knows the client. */
  url: string;
  issuer: string;
  there: Client;
  /** Reeve, as what it knows the client, and the person. */
  idpUrl: string;
  here: Client;
  idToken: string;
  scope?: string;
};
export type Outcome = { result?: string; accessToken?: string; error?: string };

type Asked = { authorizationServerUrl: string; resourceUrl: string; scope?: string; fetchFn: typeof fetch };
type Provider = { tokens(): { access_token: string } | undefined };
type Packages = {
  auth: (provider: Provider, options: { serverUrl: string; scope?: string }) => Promise<string>;
  CrossAppAccessProvider: new (options: object) => Provider;
  discoverAndRequestJwtAuthGrant: (options: object) => Promise<{ jwtAuthGrant: string }>;
};

const { modules, url, issuer, there, idpUrl, here, idToken, scope } = workerData as Vouched;
const file = join(modules, '@modelcontextprotocol/client/dist/index.mjs');
const { auth, CrossAppAccessProvider, discoverAndRequestJwtAuthGrant } = (await import(
  pathToFileURL(file).href
)) as Packages;

async function outcome(): Promise<Outcome> {
  const assertion = async ({ authorizationServerUrl: audience, resourceUrl: resource, ...asked }: Asked) => {
    const about = { idpUrl, audience, resource, idToken, ...here, scope: asked.scope, fetchFn: asked.fetchFn };
    return (await discoverAndRequestJwtAuthGrant(about)).jwtAuthGrant;
  };
  const provider = new CrossAppAccessProvider({ assertion, ...there, expectedIssuer: issuer });
  const result = await auth(provider, { serverUrl: url, ...(scope === undefined ? {} : { scope }) });
  return { result, accessToken: provider.tokens()?.access_token ?? '' };
}

parentPort?.postMessage(await outcome().catch((error: unknown) => ({ error: String(error) })));
