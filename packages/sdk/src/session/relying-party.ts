// The application as the issuer's client, by openid-client: code with PKCE, `state`, `nonce` and `iss`; refresh; the
// address that ends the session at the issuer.
import * as client from 'openid-client';
import { ReeveError } from '../errors.ts';
import type { Fetch } from '../issuer.ts';

export type Tokens = {
  accessToken: string;
  /** Milliseconds since the epoch. */
  accessUntil: number;
  refreshToken: string | null;
  idToken: string;
};

export type Claims = { sub: string; sid: string; tid: string; [claim: string]: unknown };

/** What has to be remembered until the browser returns. */
export type Pending = { state: string; nonce: string; verifier: string; returnTo: string };

export type RelyingParty = ReturnType<typeof createRelyingParty>;

type Parts = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  postLogoutUri: string;
  scope: string;
  resource: string | undefined;
  fetch: Fetch;
  now: () => number;
};

const timeoutSeconds = 5;

export function createRelyingParty(parts: Parts) {
  const { issuer, clientId, clientSecret, redirectUri, postLogoutUri, scope, resource, fetch, now } = parts;
  const forResource = resource === undefined ? {} : { resource };
  let discovered: Promise<client.Configuration> | null = null;

  async function discover(): Promise<client.Configuration> {
    const plain = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
    return client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      execute: [...plain, client.enableNonRepudiationChecks],
      timeout: timeoutSeconds,
      [client.customFetch]: fetch as client.CustomFetch,
    });
  }

  async function configuration(): Promise<client.Configuration> {
    discovered ??= discover();
    try {
      return await discovered;
    } catch (cause) {
      discovered = null;
      throw new ReeveError('issuer_unavailable', undefined, { cause });
    }
  }

  function tokensOf(answer: client.TokenEndpointResponse, before: Tokens | null): Tokens {
    return {
      accessToken: answer.access_token,
      accessUntil: now() + (answer.expires_in ?? 0) * 1_000,
      refreshToken: answer.refresh_token ?? before?.refreshToken ?? null,
      idToken: answer.id_token ?? before?.idToken ?? '',
    };
  }

  return {
    jwksUri: async (): Promise<string> => (await configuration()).serverMetadata().jwks_uri ?? '',

    async begin(returnTo: string, more: Record<string, string>): Promise<{ url: string; pending: Pending }> {
      const verifier = client.randomPKCECodeVerifier();
      const pending = { state: client.randomState(), nonce: client.randomNonce(), verifier, returnTo };
      const url = client.buildAuthorizationUrl(await configuration(), {
        ...more,
        ...forResource,
        redirect_uri: redirectUri,
        scope,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, pending };
    },

    /** Throws `sign_in_failed`. */
    async complete(url: URL, { state, nonce, verifier }: Pending): Promise<{ tokens: Tokens; claims: Claims }> {
      const answer = await client
        .authorizationCodeGrant(
          await configuration(),
          url,
          { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
          forResource,
        )
        .catch((cause: unknown) => {
          throw new ReeveError('sign_in_failed', undefined, { cause });
        });
      const claims = answer.claims();
      const { sub, sid, tid } = { sub: undefined, sid: undefined, tid: undefined, ...claims };
      if (sub === undefined || typeof sid !== 'string' || typeof tid !== 'string')
        throw new ReeveError('sign_in_failed', 'the ID token names no session or tenant');
      return { tokens: tokensOf(answer, null), claims: { ...claims, sub, sid, tid } };
    },

    /** Throws `session_over` where the issuer gives nothing more, and `issuer_unavailable`. */
    async refresh(before: Tokens): Promise<Tokens> {
      if (before.refreshToken === null) throw new ReeveError('session_over', 'there is no refresh token');
      try {
        return tokensOf(
          await client.refreshTokenGrant(await configuration(), before.refreshToken, forResource),
          before,
        );
      } catch (cause) {
        const isOver = cause instanceof client.ResponseBodyError && cause.error === 'invalid_grant';
        throw new ReeveError(isOver ? 'session_over' : 'issuer_unavailable', undefined, { cause });
      }
    },

    /** Where the session at the issuer is ended as well. */
    async signOutUrl(idToken: string): Promise<string> {
      const asked = { id_token_hint: idToken, post_logout_redirect_uri: postLogoutUri };
      return client.buildEndSessionUrl(await configuration(), asked).href;
    },
  };
}
