// An OpenID provider for one test, by the library that auth stands on: it signs in whoever the test says, without
// asking them anything.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Id, TenantId } from '@reeve/contracts';
import { exportJWK, generateKeyPair } from 'jose';
import { type Configuration, Provider } from 'oidc-provider';
import { accessTokensOf, type Issuer, newAccessTokenKey } from './issuer.ts';
import { listen } from './listen.ts';

/** Claims of an ID token of ours. */
export type Person = { sub: Id<'user'>; tid: TenantId; sid: Id<'session'>; name?: string; email?: string };

export type OpenIdProvider = Issuer & {
  /** Makes a client known; before that nobody is answered. */
  register(client: { id: string; secret: string; redirectUri: string }): void;
  /** From now on this is who sits at the browser; null is somebody who refuses. */
  signsIn(person: Person | null): void;
  /** What was asked for, one by one. */
  asked: URLSearchParams[];
};

const interactionPath = '/interaction/';

export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  const accessTokenKey = await newAccessTokenKey();
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const idTokenKey = { ...(await exportJWK(privateKey)), kid: 'id', alg: 'RS256', use: 'sig' };
  const people = new Map<string, Person>();
  const asked: URLSearchParams[] = [];
  let atBrowser: Person | null = null;
  let provider: Provider | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    if (!provider) return void response.writeHead(503).end();
    if (pathname.startsWith(interactionPath)) return decide(provider, request, response);
    if (pathname === '/auth') {
      asked.push(searchParams);
      // Whoever was signed in here before is not who the test says.
      delete request.headers.cookie;
    }
    await provider.callback()(request, response);
  }

  async function decide(op: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { params } = await op.interactionDetails(request, response);
    if (!atBrowser) return op.interactionFinished(request, response, { error: 'access_denied' });
    const accountId = atBrowser.sub;
    const grant = new op.Grant({ clientId: String(params['client_id']), accountId });
    grant.addOIDCScope(String(params['scope']));
    const result = { login: { accountId }, consent: { grantId: await grant.save() } };
    return op.interactionFinished(request, response, result);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  const { url, stop } = await listen(server);

  const configurationFor = (client: { id: string; secret: string; redirectUri: string }): Configuration => ({
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [accessTokenKey.privateJwk, idTokenKey] },
    cookies: { keys: ['test only'] },
    claims: { openid: ['sub', 'tid', 'sid'], email: ['email'], profile: ['name'] },
    conformIdTokenClaims: false,
    extraParams: ['tenant'],
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => interactionPath + uid },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...people.get(sub), sub }) }),
    ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 300, IdToken: 300, Interaction: 300, Session: 300 },
  });

  return {
    url,
    token: accessTokensOf(url, accessTokenKey.privateKey),
    stop,
    asked,
    register(client) {
      provider = new Provider(url, configurationFor(client));
    },
    signsIn(person) {
      atBrowser = person;
      if (person) people.set(person.sub, person);
    },
  };
}
