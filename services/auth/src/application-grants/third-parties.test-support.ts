// A person at a browser who is asked about an application that nobody registered, and what the application gets.
import type { TenantId } from '@reeve/contracts';
import { type Browser, createBrowser, type Page } from '@reeve/testing';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { type DocumentServer, startDocumentServer } from '../client-documents/document-server.test-support.ts';

/** Where the usual one sends people; the browser stops before it. */
export const callback = 'https://notes.example/callback';

export type ThirdParties = Awaited<ReturnType<typeof startThirdParties>>;
type Asked = { browser?: Browser; redirectUri?: string } & Record<string, unknown>;

export async function startThirdParties(environment: Readonly<Record<string, string>> = {}) {
  const server: DocumentServer = await startDocumentServer();
  const auth: Auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: server.origin, ...environment });
  const host = new URL(server.origin).hostname;

  async function say(hosts: string[], tenantId: TenantId | null = null) {
    const path = tenantId === null ? '/v1/client-document-policy' : `/v1/tenants/${tenantId}/client-document-policy`;
    return auth.ask<Record<string, unknown>>('PUT', path, { as: await auth.asPlatform(), body: { hosts } });
  }

  /** Which people may use such applications. */
  async function newTenant(hosts: string[] = [host]) {
    const tenant = await auth.newTenant();
    await auth.newConnection(tenant.tenantId);
    if (hosts.length > 0) await say(hosts, tenant.tenantId);
    return tenant;
  }

  let count = 0;
  async function newApi(settings: object = {}): Promise<{ id: string; resource: string }> {
    count += 1;
    const identifier = `https://notes${count}.myproduct.example`;
    const scopes = [
      { name: 'notes:read', description: 'Read your notes' },
      { name: 'notes:write' },
      { name: 'notes:admin' },
    ];
    const body = { name: 'Notes', identifier, scopes, thirdPartyScopes: ['notes:read', 'notes:write'], ...settings };
    const { status, body: made } = await auth.ask<{ id: string }>('POST', '/v1/resource-servers', {
      as: await auth.asPlatform(),
      body,
    });
    if (status !== 201) throw new Error(JSON.stringify(made));
    return { id: made.id, resource: identifier };
  }

  const publish = (change: object = {}, path?: string): Application & { path: string } => {
    const { id, path: at } = server.publish(change, path);
    return { id: id as Application['id'], secret: '', path: at };
  };

  /** As far as the browser gets: the page that asks, or the application. */
  async function authorize(application: Application, { redirectUri = callback, ...more }: Asked = {}) {
    return auth.authorize(application, { stopAt: redirectUri, redirect_uri: redirectUri, ...more });
  }

  const answer = (browser: Browser, page: Page, consent: 'yes' | 'no', redirectUri = callback) =>
    browser.submit(page, { consent }, redirectUri);

  async function exchange(
    application: Application,
    { code, verifier, redirectUri = callback }: { code: string | null; verifier: string; redirectUri?: string },
    more: Record<string, string> = {},
  ) {
    return auth.token(application, {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...more,
    });
  }

  /** The whole of it. The person is asked, and allows it. */
  async function allow(application: Application, { browser = createBrowser(), ...more }: Asked = {}) {
    const { page, verifier } = await authorize(application, { browser, ...more });
    const arrived = page.status === 0 ? page : await answer(browser, page, 'yes', more.redirectUri);
    const code = arrived.url.searchParams.get('code');
    if (code === null) throw new Error(`not allowed: ${arrived.url.href} ${arrived.text.slice(-500)}`);
    const redirectUri = more.redirectUri ?? callback;
    const { status, body } = await exchange(application, { code, verifier, redirectUri });
    if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`);
    return { browser, tokens: body, page };
  }

  return {
    auth,
    server,
    host,
    say,
    newTenant,
    newApi,
    publish,
    authorize,
    answer,
    exchange,
    allow,
    async stop() {
      await auth.stop();
      await server.stop();
    },
  };
}
