// Reeve as a relying party of a tenant's identity provider. openid-client does the protocol; what it lets through (design notes, measured) is
// checked here: signature of the ID token always, algorithms from a closed list, `sub` not empty, `iat` near, `at_hash`
// right, `typ` not that of another kind of token.
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Cause, ProblemError, type TenantId } from '@reeve/contracts';
import type { GuardedFetch } from '@reeve/service-kit/outbound';
import type { Entry } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import { type Connection, clientSecretClass, redirectUriOf } from '../connections/connection.ts';

export type UpstreamIdentity = {
  subject: string;
  email: string | null;
  emailVerified: boolean;
  displayName: string | null;
  amr: string[];
  acr: string | undefined;
};

/** The step at which a sign-in failed: a stable name for events and for the person's administrator. */
export class SignInStepError extends Error {
  readonly step: string;

  constructor(step: string, options: { cause?: unknown } = {}) {
    super(`the sign-in failed at ${step}`, options);
    this.name = 'SignInStepError';
    this.step = step;
  }
}

const cachedMs = 300_000;
const maxSkewSeconds = 30;
const maxAgeSeconds = 600;

export type RelyingParty = ReturnType<typeof createRelyingParty>;

export function createRelyingParty({
  vault,
  guardedFetch,
  ownIssuer,
}: {
  vault: Vault;
  guardedFetch: GuardedFetch;
  ownIssuer: string;
}) {
  const configurations = new Map<string, { configuration: client.Configuration; until: number }>();

  /** Cached per version of the connection: with it the provider's keys, and the secret that was read for it. */
  async function configurationOf(tenantId: TenantId, { id, version, state }: Entry<Connection>, cause: Cause) {
    const key = `${tenantId} ${id} ${version}`;
    const cached = configurations.get(key);
    if (cached && cached.until > Date.now()) return cached.configuration;
    // It is this service that reads, in the course of somebody's sign-in.
    const reader: Cause = { ...cause, actor: { type: 'service', id: 'auth', name: null, via: 'system' } };
    const secret = (
      await vault.read(tenantId, { secretClass: clientSecretClass, id }, { cause: reader, purpose: 'sign_in' })
    ).toString('utf8');
    const metadata = JSON.parse(state.metadata) as client.ServerMetadata;
    const basic = metadata.token_endpoint_auth_methods_supported?.includes('client_secret_basic') ?? true;
    const method = basic ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret);
    const configuration = new client.Configuration(metadata, state.clientId, undefined, method);
    configuration.timeout = 5;
    configuration[client.customFetch] = (url, options) => guardedFetch(url, options as RequestInit);
    client.enableNonRepudiationChecks(configuration);
    // The guard has refused every http URL that is not opened for a test peer.
    if (state.issuer.startsWith('http:')) client.allowInsecureRequests(configuration);
    if (configurations.size > 1_000) configurations.clear();
    configurations.set(key, { configuration, until: Date.now() + cachedMs });
    return configuration;
  }

  return {
    /** Where to send the browser, and what to remember until it returns. */
    async begin(
      tenantId: TenantId,
      connection: Entry<Connection>,
      { cause, loginHint, prompt }: { cause: Cause; loginHint: string | undefined; prompt: 'login' | undefined },
    ) {
      const configuration = await configurationOf(tenantId, connection, cause);
      const codeVerifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const nonce = client.randomNonce();
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUriOf(ownIssuer, connection.id),
        scope: 'openid email profile',
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        ...(prompt === undefined ? {} : { prompt }),
      });
      return { url: url.href, state, nonce, codeVerifier };
    },

    /** Throws SignInStepError naming the check that failed. */
    async complete(
      tenantId: TenantId,
      connection: Entry<Connection>,
      {
        query,
        state,
        nonce,
        codeVerifier,
        cause,
      }: { query: string; state: string; nonce: string; codeVerifier: string; cause: Cause },
    ): Promise<UpstreamIdentity> {
      const configuration = await configurationOf(tenantId, connection, cause);
      const returned = new URL(redirectUriOf(ownIssuer, connection.id) + query);
      const tokens = await client
        .authorizationCodeGrant(configuration, returned, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        })
        .catch((error: unknown) => {
          throw new SignInStepError(stepOf(error), { cause: error });
        });
      const claims = tokens.claims();
      if (!claims || tokens.id_token === undefined) throw new SignInStepError('id_token_missing');
      checkIdToken(tokens.id_token, claims, tokens.access_token);
      const email = typeof claims['email'] === 'string' && claims['email'].length <= 320 ? claims['email'] : null;
      const amr: unknown = claims['amr'];
      return {
        subject: claims.sub,
        email,
        emailVerified:
          claims['email_verified'] === true || (connection.state.trustEmail && claims['email_verified'] !== false),
        displayName: typeof claims['name'] === 'string' ? claims['name'].slice(0, 200) : null,
        amr: Array.isArray(amr) ? amr.filter(one => typeof one === 'string') : [],
        acr: typeof claims['acr'] === 'string' ? claims['acr'] : undefined,
      };
    },
  };
}

function checkIdToken(idToken: string, claims: client.IDToken, accessToken: string): void {
  const { alg, typ } = decodeProtectedHeader(idToken);
  if (typ !== undefined && typ.toUpperCase() !== 'JWT') throw new SignInStepError('id_token_type');
  if (claims.sub === '') throw new SignInStepError('subject_empty');
  const now = Date.now() / 1000;
  if (claims.iat > now + maxSkewSeconds || claims.iat < now - maxAgeSeconds) throw new SignInStepError('id_token_time');
  if (claims['at_hash'] !== undefined && !isHashOf(accessToken, claims['at_hash'], alg))
    throw new SignInStepError('access_token_hash');
}

/** OpenID Connect Core §3.1.3.6: the left half of the hash that belongs to the algorithm. */
function isHashOf(accessToken: string, given: unknown, alg: string | undefined): boolean {
  const hash = alg === 'EdDSA' ? 'sha512' : 'sha256';
  const digest = createHash(hash).update(accessToken, 'ascii').digest();
  const expected = digest.subarray(0, digest.length / 2);
  const actual = typeof given === 'string' ? Buffer.from(given, 'base64url') : Buffer.alloc(0);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function stepOf(error: unknown): string {
  if (error instanceof client.AuthorizationResponseError) return 'refused_by_provider';
  if (error instanceof client.ResponseBodyError || error instanceof client.WWWAuthenticateChallengeError)
    return 'code_exchange';
  if (error instanceof client.ClientError) {
    if (error.cause instanceof ProblemError) return 'provider_url_refused';
    switch (error.code) {
      case 'OAUTH_INVALID_RESPONSE':
        return 'response_mismatch';
      case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
        return 'id_token_claims';
      case 'OAUTH_KEY_SELECTION_FAILED':
      case 'OAUTH_UNSUPPORTED_OPERATION':
        return 'id_token_signature';
      case 'OAUTH_TIMEOUT':
        return 'provider_timeout';
      default:
        return 'provider_response';
    }
  }
  return 'provider_unreachable';
}
