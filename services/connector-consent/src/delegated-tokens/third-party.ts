// The OAuth client towards a connector's third party: code with PKCE, `state`, and the issuer in the response where the server sends
// it (RFC 9207), through the SSRF guard.
import { ProblemError } from '@reeve/contracts';
import type { GuardedFetch } from '@reeve/service-kit/outbound';
import * as client from 'openid-client';
import type { Connector } from '../catalogue/catalogue.ts';
import type { TokenSet } from './delegated-tokens.ts';

export type ThirdParty = ReturnType<typeof createThirdParty>;

export type Obtained = { set: TokenSet; grantedScopes: string[]; expiresInSeconds: number | undefined };

type Returned = { query: string; state: string; codeVerifier: string; scopes: readonly string[] };

const cachedMs = 300_000;

export function createThirdParty({ guardedFetch, redirectUri }: { guardedFetch: GuardedFetch; redirectUri: string }) {
  const configurations = new Map<string, { configuration: client.Configuration; until: number }>();

  async function configurationOf({ id, oauth }: Connector): Promise<client.Configuration> {
    const cached = configurations.get(id);
    if (cached && cached.until > Date.now()) return cached.configuration;
    const configuration = await client
      .discovery(new URL(oauth.issuer), oauth.clientId, undefined, client.ClientSecretBasic(oauth.clientSecret), {
        timeout: 5,
        [client.customFetch]: (url, options) => guardedFetch(url, options as RequestInit),
        ...(oauth.issuer.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {}),
      })
      .catch((cause: unknown) => {
        throw new ProblemError('dependency_unavailable', 'the service that the connector uses does not answer', {
          cause,
          retryAfterSeconds: 30,
        });
      });
    configurations.set(id, { configuration, until: Date.now() + cachedMs });
    return configuration;
  }

  return {
    async begin(
      connector: Connector,
      scopes: readonly string[],
    ): Promise<{ url: string; state: string; codeVerifier: string }> {
      const configuration = await configurationOf(connector);
      const codeVerifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: scopes.join(' '),
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
      });
      return { url: url.href, state, codeVerifier };
    },

    /** `refused` when the person said no at the third party. Throws `sign_in_failed` for an answer that is not to this request. */
    async complete(
      connector: Connector,
      { query, state, codeVerifier, scopes }: Returned,
    ): Promise<Obtained | 'refused'> {
      const configuration = await configurationOf(connector);
      const checks = { expectedState: state, pkceCodeVerifier: codeVerifier };
      const tokens = await client
        .authorizationCodeGrant(configuration, new URL(redirectUri + query), checks)
        .catch((cause: unknown) => {
          if (cause instanceof client.AuthorizationResponseError && cause.error === 'access_denied') return null;
          throw new ProblemError('sign_in_failed', `${connector.name} did not give access`, { cause });
        });
      if (!tokens) return 'refused';
      return {
        set: { accessToken: tokens.access_token, refreshToken: tokens.refresh_token ?? null },
        // RFC 6749 §5.1: a missing scope means what was asked for.
        grantedScopes: tokens.scope === undefined ? [...scopes] : tokens.scope.split(' ').filter(scope => scope !== ''),
        expiresInSeconds: tokens.expiresIn(),
      };
    },
  };
}
