// A person signs in to the product by an identity provider that others wrote: a tenant with a connection to it, and a
// browser that goes there and comes back.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll } from '@jest/globals';
import type { Api } from '@reeve/local/api';
import { beginSignIn, callback, type ProductApp, registerProductApp } from '@reeve/local/product-app';
import { platformApi, type Tenant, tenantApi } from '@reeve/local/seed';
import type { Credentials } from '@reeve/local/system';
import { type Browser, openChromium, type Page } from '@reeve/testing/chromium';
import * as client from 'openid-client';
import { type AuditEvent, logWith } from '../support/audit.ts';

const pageWithinMs = 20_000;

export type Connection = { id: string; redirectUri: string };
export type Company = {
  tenant: Tenant;
  api: Api;
  app: ProductApp;
  connection: Connection;
  change(body: object): Promise<unknown>;
  /** Why sign-ins have failed so far, oldest first, when there are as many. */
  failures(count: number): Promise<string[]>;
};

export type ConnectionSettings = {
  kind: string;
  domains?: readonly string[];
  jit?: { enabled: boolean };
  [settingsOfKind: string]: unknown;
};

/**
 * A tenant that has one connection, and an application. `introduce` tells the identity provider of it before it is
 * activated.
 */
export async function company(
  credentials: Credentials,
  { settings, introduce }: { settings: ConnectionSettings; introduce(connection: Connection): Promise<unknown> },
): Promise<Company> {
  const platform = platformApi(credentials);
  const slug = `company-${randomBytes(5).toString('hex')}`;
  const tenant = await platform.post<Tenant>(`${credentials.urls.provisioning}/v1/tenants`, { slug, name: slug });
  const api = await tenantApi(credentials, tenant);
  const connections = `${credentials.urls.auth}/v1/tenants/${tenant.id}/sso-connections`;
  // By the platform, since a tenant may not say which domains are its own.
  const headers = { 'Reeve-Reason': 'connecting a company' };
  const named = { name: slug, jit: { enabled: true }, ...settings };
  const connection = await platform.post<Connection>(connections, named, { headers });
  await introduce(connection);
  await api.post(`${connections}/${connection.id}:activate`);
  return {
    tenant,
    api,
    app: await registerProductApp(api, credentials, tenant),
    connection,
    change: body => api.patch(`${connections}/${connection.id}`, body),
    async failures(count) {
      const reasonsIn = (log: AuditEvent[]) =>
        log.filter(({ type }) => type === 'sign_in.failed').map(({ reason }) => reason.code);
      const where = { api, credentials, tenant };
      return reasonsIn(await logWith(where, log => reasonsIn(log).length >= count, `${count} failed sign-ins`));
    },
  };
}

/** Why Reeve has let nobody in, when it says so on its page; of all sign-ins so far, oldest first. */
export async function refusals(page: Page, own: Company): Promise<string[]> {
  await page.getByText('sign_in_failed').waitFor();
  return own.failures(1);
}

/** What Reeve is to the identity provider of the connection, for it to import. */
export async function serviceProviderMetadata({ issuer }: Credentials, { id }: Connection): Promise<string> {
  return (await fetch(`${issuer}/saml/${id}/metadata`)).text();
}

/** Somebody signs out at the application, and ends on whatever page comes last. */
export async function signOut(page: Page, { issuer }: Credentials): Promise<void> {
  await page.goto(`${issuer}/session/end`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out').waitFor();
}

/** The application's own side of the callback. */
function startApplication() {
  const server = createServer((_, response) => response.end('signed in'));
  server.listen(new URL(callback).port);
  return {
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** For the tests of a `describe`: Chromium, and the application that it comes back to. */
export function inChromium() {
  let browser: Browser;
  let application: ReturnType<typeof startApplication>;
  beforeAll(async () => {
    browser = await openChromium();
    application = startApplication();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    application.stop();
  });
  return {
    /** Somebody with a browser of their own. What is not on a page in time is named. */
    async newPerson(): Promise<Page> {
      const page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(pageWithinMs);
      return page;
    },
  };
}

/** Goes from the application to whatever page waits for the person. `finish` gives what the application gets then. */
export async function goToSignIn(
  page: Page,
  { app, tenant }: Pick<Company, 'app' | 'tenant'>,
  parameters: Record<string, string> = {},
) {
  const { url, checks } = await beginSignIn(app, tenant, parameters);
  const response = await page.goto(url.href);
  return {
    status: response?.status(),
    async finish() {
      await page.waitForURL(`${callback}**`);
      const tokens = await client.authorizationCodeGrant(app.configuration, new URL(page.url()), checks);
      const claims = tokens.claims();
      if (!claims) throw new Error('there is no ID token');
      return { tokens, claims };
    },
  };
}
