// A person with a role, signed in to the product, as a caller of Reeve's API: what a client may not do, for it is
// nobody in particular.
import type { Api } from '@reeve/local/api';
import { beginSignIn, callback, type ProductApp, registerProductApp, signIn } from '@reeve/local/product-app';
import type { Credentials } from '@reeve/local/system';
import { createBrowser } from '@reeve/testing/browser';
import * as client from 'openid-client';
import type { TestTenant } from './running-system.ts';

export type PersonApi = {
  id: string;
  sessionId: string;
  token: string;
  send(method: string, url: string, body?: unknown): Promise<Response>;
  json<T>(method: string, url: string, body?: unknown): Promise<T>;
};

/**
 * Signs in twice: the first time makes the user, who then gets the role. `resource` is the service that the token is
 * for.
 */
export async function signedInAs(
  { credentials, tenant, api }: TestTenant & { credentials: Credentials },
  { person, role, resource }: { person: { email: string; password: string }; role: string; resource: string },
): Promise<PersonApi> {
  const app = await appOf(api, credentials, tenant);
  const { claims } = await signIn(app, tenant, person);
  const user = `${credentials.urls.provisioning}/v1/tenants/${tenant.id}/users/${claims.sub}`;
  await api.send('PATCH', user, { body: { roles: [role] } });
  const { url, checks } = await beginSignIn(app, tenant, { resource });
  const browser = createBrowser();
  const returned = await browser.submit(await browser.open(url, callback), person, callback);
  const tokens = await client.authorizationCodeGrant(app.configuration, returned.url, checks, { resource });
  const { access_token: token } = tokens;
  const send: PersonApi['send'] = (method, to, body) =>
    fetch(to, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    id: claims.sub,
    sessionId: tokens.claims()?.['sid'] as string,
    token,
    send,
    async json<T>(method: string, to: string, body?: unknown) {
      const response = await send(method, to, body);
      if (!response.ok) throw new Error(`${method} ${to}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
  };
}

const apps = new Map<string, Promise<ProductApp>>();

function appOf(api: Api, credentials: Credentials, tenant: TestTenant['tenant']): Promise<ProductApp> {
  const app = apps.get(tenant.id) ?? registerProductApp(api, credentials, tenant);
  apps.set(tenant.id, app);
  return app;
}
