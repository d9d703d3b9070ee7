// What tests of the Model Context Protocol share: the sample server of docs/agents.md as a program, the applications
// that get in, and a person who signs in and allows it.
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { freePort } from '@reeve/local/ports';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import { platformApi } from '@reeve/local/seed';
import { createBrowser } from '@reeve/testing/browser';
import { newProject, samplesIn } from '../support/published-sdk.ts';
import { startProgram } from '../support/running-program.ts';
import { demoUser, freshTenant, runningSystem } from '../support/running-system.ts';
import { runningPeers } from './running-peers.ts';

type Registered = { clientId: string; clientSecret: string };
export type McpSystem = Awaited<ReturnType<typeof startMcpSystem>>;

export async function startMcpSystem() {
  const credentials = runningSystem();
  const { auth } = credentials.urls;
  const { mcp, site } = runningPeers();
  const platform = platformApi(credentials);
  const own = await freshTenant(credentials, 'mcp');
  const project = await newProject(['express']);
  project.take(join(String(mcp), '@modelcontextprotocol'));
  for (const [file, content] of samplesIn('docs/agents.md')) project.write(file, content);

  const put = (path: string, body: object) => platform.send('PUT', auth + path, { body });
  await put('/v1/client-document-policy', { hosts: ['*'] });
  await put(`/v1/tenants/${own.tenant.id}/client-document-policy`, { hosts: ['*'] });

  /** An API of the product. */
  async function newApi(resource: string) {
    const scopes = ['notes:read', 'notes:write'];
    await platform.post(`${auth}/v1/resource-servers`, {
      name: 'Notes',
      identifier: resource,
      scopes: scopes.map(name => ({ name })),
      applications: 'all',
      thirdPartyScopes: scopes,
    });
    return resource;
  }

  const url = await newApi(`http://localhost:${await freePort()}/mcp`);
  const machine = await platform.post<Registered>(`${auth}/v1/applications`, {
    name: 'Notes, about revocations',
    kind: 'machine',
    tenants: 'all',
  });
  const env = {
    ISSUER: credentials.issuer,
    MCP_URL: url,
    CLIENT_ID: machine.clientId,
    CLIENT_SECRET: machine.clientSecret,
  };
  const server = startProgram({ ...project.command('mcp-server.mjs'), cwd: project.directory, env });
  await server.says('the MCP server is at');

  const documents = new Map<string, object>();
  const documentServer: Server = createServer({ key: site.key, cert: site.certificate }, (request, response) => {
    const document = documents.get(request.url ?? '');
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
  await new Promise<void>(resolve => void documentServer.listen(site.port, () => resolve()));

  return {
    credentials,
    own,
    project,
    url,
    newApi,

    /** What the site of somebody else's has at a path. */
    answer: (path: string, document: object) => void documents.set(path, document),

    /** Somebody signs in to the product, so that it knows them. */
    signIn: async () =>
      signIn(await registerProductApp(own.api, credentials, own.tenant), own.tenant, demoUser(credentials)),

    /** On the person's computer, and registered there. Gives its id. */
    async register(settings: object = {}): Promise<string> {
      const body = { name: 'Desk assistant', kind: 'native', redirectUris: ['http://127.0.0.1/callback'], ...settings };
      return (await own.api.post<Registered>(`${auth}/v1/tenants/${own.tenant.id}/applications`, body)).clientId;
    },

    /** One that nobody registered. Gives its id, which is where it says what it is. */
    publish(): string {
      const path = `/desk-${documents.size}.json`;
      documents.set(path, {
        client_id: site.origin + path,
        client_name: 'Desk assistant',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      });
      return site.origin + path;
    },

    /**
     * A person opens that address in a browser, signs in, and allows what they are asked. Gives where it ends: before
     * the application, unless it `arrives`.
     */
    async allow(address: string | URL, { arrives = false } = {}) {
      const url = new URL(address);
      // An application that is nobody's names no tenant. They would type their address, whose domain is one tenant's
      // elsewhere, and that of all tenants here.
      if (url.searchParams.get('client_id')?.startsWith('https:')) url.searchParams.set('tenant', own.tenant.slug);
      const stopAt = arrives ? undefined : String(url.searchParams.get('redirect_uri'));
      const browser = createBrowser();
      const login = await browser.open(url, stopAt);
      let page = await browser.submit(login, demoUser(credentials), stopAt);
      const asked = page.text.includes('name="consent"') ? page.text : null;
      if (asked !== null) page = await browser.submit(page, { consent: 'yes' }, stopAt);
      return { page, asked, answer: page.url.searchParams };
    },

    async stop() {
      documentServer.closeAllConnections();
      documentServer.close();
      await server.stop();
      project.remove();
    },
  };
}
