// A tenant with a bot in Reeve, an API that the bot calls for its people, and one of them, whose identity provider gives
// tokens for the bot.
import { createServer } from 'node:http';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import { platformApi } from '@reeve/local/seed';
import { createBrowser, listen } from '@reeve/testing';
import express from 'express';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { demoUser, freshTenant, runningSystem } from '../support/running-system.ts';

export type BotHome = Awaited<ReturnType<typeof startBotHome>>;

export const connectionName = 'product';
export const exchangeUri = 'api://concierge.example';

/** Everything of its own. */
export async function startBotHome() {
  const credentials = runningSystem();
  const { issuer, urls, demoIdp } = credentials;
  const { tenant, api } = await freshTenant(credentials, 'bots');
  const at = (path: string) => `${urls.auth}/v1/tenants/${tenant.id}/${path}`;
  const identifier = `https://messages-${tenant.slug}.example`;
  await platformApi(credentials).post(`${urls.auth}/v1/resource-servers`, {
    name: 'Messages',
    identifier,
    scopes: [{ name: 'messages:read' }],
    applications: 'all',
  });
  await api.post(at('auth-keys'), { authKey: 'default', connectionId: tenant.connectionId });
  const { clientId, clientSecret } = await api.post<{ clientId: string; clientSecret: string }>(at('applications'), {
    name: 'Concierge',
    kind: 'machine',
    grantTypes: ['client_credentials'],
  });
  const { id: botId } = await api.post<{ id: string }>(at('bots'), {
    name: 'Concierge',
    clientId,
    connections: [
      {
        name: connectionName,
        authKey: 'default',
        // What the demo identity provider gives tokens for is its one client.
        tokenExchange: { audience: exchangeUri, tokenAudience: demoIdp.clientId },
        resource: identifier,
        scopes: ['messages:read'],
      },
    ],
  });
  const messages = await startMessages({ issuer, identifier });

  return {
    credentials,
    tenant,
    api,
    issuer,
    botId,
    clientId,
    clientSecret,
    messages,
    /** Somebody is known to Reeve once they have signed in to the product. Gives who they are there. */
    async becomesKnown(index = 0): Promise<string> {
      const app = await registerProductApp(api, credentials, tenant);
      return (await signIn(app, tenant, demoUser(credentials, index))).claims.sub;
    },
    tokenOfIdp: (index = 0) => tokenOfIdp(index),
    stop: messages.stop,
  };
}

/** The product's API: says who somebody is to it, and who acts for them. */
async function startMessages({ issuer, identifier }: { issuer: string; identifier: string }) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const calls: JWTPayload[] = [];
  const app = express();
  app.get('/', async (request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const checks = { issuer, audience: identifier, typ: 'at+jwt', algorithms: ['ES256'] };
    const verified = await jwtVerify(token, keys, checks).catch(() => null);
    if (!verified) {
      response.status(401).send('nobody');
      return;
    }
    calls.push(verified.payload);
    const { sub, act, scope } = verified.payload;
    response.json({ sub, actor: (act as { sub: string } | undefined)?.sub, scope });
  });
  return { ...(await listen(createServer(app))), calls };
}

/** As the page that the person has open would get it: from the session that they have at their identity provider. */
async function tokenOfIdp(index: number): Promise<string> {
  const credentials = runningSystem();
  const { oidc, clientId, clientSecret } = credentials.demoIdp;
  const execute = [client.allowInsecureRequests];
  const idp = await client.discovery(new URL(oidc), clientId, clientSecret, undefined, { execute });
  // The provider knows addresses of this form.
  const callback = `${credentials.urls.auth}/oidc/con_00000000-0000-7000-8000-000000000000/callback`;
  const verifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(idp, {
    redirect_uri: callback,
    scope: 'openid email profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const browser = createBrowser();
  const login = await browser.open(url, callback);
  const back = await browser.submit(login, demoUser(credentials, index), callback);
  const tokens = await client.authorizationCodeGrant(idp, back.url, { pkceCodeVerifier: verifier });
  if (tokens.id_token === undefined) throw new Error('the identity provider gave no ID token');
  return tokens.id_token;
}
