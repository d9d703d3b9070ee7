// Signing people in at our own OpenID provider.
import { ProblemError } from '@reeve/contracts';
import * as client from 'openid-client';

export type OwnIssuer = ReturnType<typeof createOwnIssuer>;

const ownClientId = 'reeve-consent';

type Parts = { issuer: string; address: string; clientSecret: string; redirectUri: string };

export function createOwnIssuer({ issuer, address, clientSecret, redirectUri }: Parts) {
  /** Requests of ours go to the address; the names in metadata and tokens stay those of the issuer. */
  const reach: client.CustomFetch = (url, options) => {
    const target = new URL(url);
    const within = target.origin === new URL(issuer).origin;
    return fetch(within ? new URL(target.pathname + target.search, address) : target, options as RequestInit);
  };
  let known: Promise<client.Configuration> | undefined;

  function configuration(): Promise<client.Configuration> {
    known ??= client
      .discovery(new URL(issuer), ownClientId, undefined, client.ClientSecretBasic(clientSecret), {
        timeout: 5,
        [client.customFetch]: reach,
        execute: [
          client.enableNonRepudiationChecks,
          ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : []),
        ],
      })
      .catch((cause: unknown) => {
        known = undefined;
        throw new ProblemError('dependency_unavailable', 'signing in is not possible just now', {
          cause,
          retryAfterSeconds: 2,
        });
      });
    return known;
  }

  return {
    async begin(tenantId: string): Promise<{ url: string; state: string; nonce: string; codeVerifier: string }> {
      const codeVerifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const nonce = client.randomNonce();
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: 'openid profile email',
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        tenant: tenantId,
      });
      return { url: url.href, state, nonce, codeVerifier };
    },

    async complete({
      query,
      state,
      nonce,
      codeVerifier,
    }: {
      query: string;
      state: string;
      nonce: string;
      codeVerifier: string;
    }): Promise<client.IDToken> {
      const checks = {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      };
      const tokens = await client.authorizationCodeGrant(await configuration(), new URL(redirectUri + query), checks);
      const claims = tokens.claims();
      if (!claims) throw new ProblemError('sign_in_failed');
      return claims;
    },
  };
}
