// The product's own application, as a customer would write it: any OpenID Connect library will do; this one is
// openid-client.

import { type Browser, createBrowser } from '@reeve/testing/browser';
import * as client from 'openid-client';
import type { Api } from './api.ts';
import type { Tenant } from './seed.ts';
import type { Credentials } from './system.ts';

export const callback = 'http://localhost:5999/callback';

export type ProductApp = { configuration: client.Configuration; clientId: string; clientSecret: string };
export type SignedIn = {
  tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;
  claims: client.IDToken;
  browser: Browser;
};

export async function registerProductApp(api: Api, credentials: Credentials, tenant: Tenant): Promise<ProductApp> {
  const { clientId, clientSecret } = await api.post<{ clientId: string; clientSecret: string }>(
    `${credentials.urls.auth}/v1/tenants/${tenant.id}/clients`,
    {
      name: 'Product application',
      grantTypes: ['authorization_code', 'refresh_token'],
      redirectUris: [callback],
    },
  );
  const configuration = await client.discovery(new URL(credentials.issuer), clientId, clientSecret, undefined, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  });
  return { configuration, clientId, clientSecret };
}

/** The address that the application sends the browser to, and what it remembers to check the answer with. */
export async function beginSignIn(app: ProductApp, tenant: Tenant, parameters: Record<string, string> = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  };
  const url = client.buildAuthorizationUrl(app.configuration, {
    redirect_uri: callback,
    scope: 'openid email profile roles offline_access',
    tenant: tenant.slug,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url, checks };
}

/** A person signs in to the product through their company's identity provider. */
export async function signIn(
  app: ProductApp,
  tenant: Tenant,
  { email, password, browser = createBrowser() }: { email: string; password: string; browser?: Browser },
): Promise<SignedIn> {
  const { url, checks } = await beginSignIn(app, tenant);
  const login = await browser.open(url, callback);
  const returned = login.url.href.startsWith(callback)
    ? login
    : await browser.submit(login, { email, password }, callback);
  if (!returned.url.href.startsWith(callback))
    throw new Error(`the sign-in ended at ${returned.url.href}: ${returned.status} ${returned.text.slice(-600)}`);
  const tokens = await client.authorizationCodeGrant(app.configuration, returned.url, checks);
  const claims = tokens.claims();
  if (!claims) throw new Error('there is no ID token');
  return { tokens, claims, browser };
}

export const refresh = (app: ProductApp, refreshToken: string) =>
  client.refreshTokenGrant(app.configuration, refreshToken);
