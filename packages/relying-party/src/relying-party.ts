// Reeve as the client of somebody else's authorization server, whoever it is: a tenant's identity provider, the third
// party of a connector, our own issuer. The code grant with PKCE, `state`, `nonce` and `iss` by openid-client; what
// that lets through is checked in id-token.ts. Whoever calls binds what is pending to the browser that it began in.
import { ProblemError, type SignInFailure } from '@reeve/contracts';
import * as client from 'openid-client';
import type { Fetch, ServerMetadata } from './discover.ts';
import { createIdTokenCheck } from './id-token.ts';
import { StepError } from './step-error.ts';

/** A server, and what it knows us as. */
export type Registration = {
  metadata: ServerMetadata;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
};

/** What was sent, to be compared with what returns. JSON. */
export type Pending = { state: string; nonce: string; codeVerifier: string; maxAgeSeconds?: number };

export type Wanted = {
  scope: string;
  /** Where the caller wants to find something by it; must not be guessable. */
  state?: string;
  prompt?: 'login';
  /** How long ago the person may have signed in there. */
  maxAgeSeconds?: number;
  loginHint?: string;
  acrValues?: string;
  /** Parameters of that server alone. */
  extra?: Readonly<Record<string, string>>;
};

export type Granted = {
  accessToken: string;
  refreshToken: string | null;
  /** As the server says it; null when it says nothing. */
  expiresInSeconds: number | null;
  scope: string | null;
};

const timeoutSeconds = 5;

export function createRelyingParty({ fetch }: { fetch: Fetch }) {
  const checkIdToken = createIdTokenCheck(fetch);

  function configurationOf({ metadata, clientId }: Omit<Registration, 'clientSecret'>, method?: client.ClientAuth) {
    const configuration = new client.Configuration(metadata, clientId, undefined, method);
    configuration.timeout = timeoutSeconds;
    // `fetch` has refused every URL that it does not allow.
    if (metadata.issuer.startsWith('http:')) client.allowInsecureRequests(configuration);
    return configuration;
  }

  function authenticated(registration: Registration, watch: (url: string) => void): client.Configuration {
    const { metadata, clientSecret } = registration;
    const methods = metadata.token_endpoint_auth_methods_supported;
    const isBasic = methods === undefined || methods.includes('client_secret_basic');
    const method = isBasic ? client.ClientSecretBasic(clientSecret) : client.ClientSecretPost(clientSecret);
    const configuration = configurationOf(registration, method);
    configuration[client.customFetch] = (url, options) => {
      watch(url);
      return fetch(url, options as RequestInit);
    };
    return configuration;
  }

  async function exchange(
    registration: Registration,
    { pending, query }: { pending: Pending; query: string },
    idTokenExpected: boolean,
  ) {
    const { state, nonce, codeVerifier, maxAgeSeconds } = pending;
    // A refusal before the token endpoint was asked is about what the browser brought; after it, about the tokens.
    let asked = false;
    const configuration = authenticated(registration, url => {
      asked ||= url === registration.metadata.token_endpoint;
    });
    const tokens = await client
      .authorizationCodeGrant(configuration, new URL(registration.redirectUri + query), {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
        ...(idTokenExpected ? { expectedNonce: nonce, idTokenExpected } : {}),
        ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }),
      })
      .catch((error: unknown) => {
        throw new StepError(stepOf(error, asked), { cause: error });
      });
    // The library takes DPoP as well: a token that is worth nothing without a proof, which we do not make.
    if (tokens.token_type !== 'bearer') throw new StepError('provider_response');
    const granted: Granted = {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token ?? null,
      expiresInSeconds: tokens.expires_in ?? null,
      scope: tokens.scope ?? null,
    };
    return { configuration, tokens, granted };
  }

  return {
    /** Where to send the browser, and what to remember until it returns. */
    async begin(
      registration: Omit<Registration, 'clientSecret'>,
      wanted: Wanted,
    ): Promise<{ url: string; pending: Pending }> {
      const { scope, prompt, maxAgeSeconds, loginHint, acrValues, extra = {} } = wanted;
      const pending: Pending = {
        state: wanted.state ?? client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier: client.randomPKCECodeVerifier(),
        ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
      };
      const isOpenId = scope.split(' ').includes('openid');
      const url = client.buildAuthorizationUrl(configurationOf(registration), {
        redirect_uri: registration.redirectUri,
        scope,
        state: pending.state,
        code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
        ...(isOpenId ? { nonce: pending.nonce } : {}),
        ...(prompt === undefined ? {} : { prompt }),
        ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        ...(acrValues === undefined ? {} : { acr_values: acrValues }),
        ...extra,
      });
      return { url: url.href, pending };
    },

    /** Who came back, and what they gave. `query` is what the browser brought, from the `?` on. Throws StepError. */
    async complete(
      registration: Registration,
      returned: { pending: Pending; query: string },
    ): Promise<{ claims: client.IDToken; granted: Granted }> {
      const { tokens, granted, configuration } = await exchange(registration, returned, true);
      const claims = tokens.claims();
      if (!claims || tokens.id_token === undefined) throw new StepError('id_token_missing');
      await checkIdToken(registration, { idToken: tokens.id_token, accessToken: granted.accessToken });
      const isComplete = claims['email'] !== undefined && claims['name'] !== undefined;
      if (isComplete || registration.metadata.userinfo_endpoint === undefined) return { claims, granted };
      const more = await client
        .fetchUserInfo(configuration, granted.accessToken, claims.sub)
        .catch((error: unknown) => {
          throw new StepError('user_info', { cause: error });
        });
      return { claims: withUserInfo(claims, more), granted };
    },

    /** The same towards a server that gives access and tells nothing of who it is. */
    async completeAccess(registration: Registration, returned: { pending: Pending; query: string }): Promise<Granted> {
      return (await exchange(registration, returned, false)).granted;
    },
  };
}

/**
 * What the ID token says is signed; the other only adds who somebody is, and nothing of how they signed in. Whether an
 * address is verified is said of the address beside it.
 */
function withUserInfo(claims: client.IDToken, more: client.UserInfoResponse): client.IDToken {
  const { name, email, email_verified } = more;
  return { name, ...(claims['email'] === undefined ? { email, email_verified } : {}), ...claims };
}

function stepOf(error: unknown, isAboutTokens: boolean): SignInFailure {
  if (error instanceof client.AuthorizationResponseError) return 'refused_by_provider';
  if (error instanceof client.ResponseBodyError || error instanceof client.WWWAuthenticateChallengeError)
    return 'code_exchange';
  if (!(error instanceof client.ClientError)) return 'provider_unreachable';
  if (error.cause instanceof ProblemError) return 'provider_url_refused';
  switch (error.code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return 'id_token_claims';
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return /End-User authentication/.test(wordsOf(error)) ? 'authentication_too_old' : 'id_token_claims';
    case 'OAUTH_INVALID_RESPONSE':
      return isAboutTokens ? invalidTokens(error) : 'response_mismatch';
    case 'OAUTH_KEY_SELECTION_FAILED':
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return 'id_token_signature';
    case 'OAUTH_TIMEOUT':
      return 'provider_timeout';
    default:
      return 'provider_response';
  }
}

const wordsOf = ({ message, cause }: Error): string => `${message} ${cause instanceof Error ? cause.message : ''}`;

/** What is wrong with an ID token is told apart by the library's words alone. */
function invalidTokens(error: Error): SignInFailure {
  const named = /"(\w+)"(?! body)/.exec(wordsOf(error).replace('"response" body ', ''))?.[1] ?? '';
  if (named === 'sub') return 'subject_missing';
  if (named === 'id_token') return 'id_token_missing';
  if (named === 'alg') return 'id_token_signature';
  return ['iss', 'aud', 'exp', 'iat', 'nbf', 'nonce', 'azp', 'auth_time'].includes(named)
    ? 'id_token_claims'
    : 'provider_response';
}
