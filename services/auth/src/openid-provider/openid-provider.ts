// Reeve as an OpenID provider: oidc-provider, configured. It speaks the protocol; who is signed in is decided by our
// sessions.
import { hkdfSync } from 'node:crypto';
import type { Logger } from '@reeve/service-kit';
import type { GuardedFetch } from '@reeve/service-kit/outbound';
import type { Store } from '@reeve/store';
import { type AdapterFactory, type Configuration, errors, Provider } from 'oidc-provider';
import { isDocumentId } from '../client-documents/document-id.ts';
import type { Config } from '../config.ts';
import type { AssertEmbedded } from '../embed/assert-embedded.ts';
import { acrValues } from '../factors/level.ts';
import { globalTokenRevocationPath } from '../provider-signals/revocation-assertion.ts';
import { browserLoginSeconds } from '../sessions/session.ts';
import type { SingleLogout } from '../sessions/single-logout.ts';
import { signInSeconds } from '../sign-in/sign-in.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import type { VouchingPolicies } from '../vouching/vouching-policy.ts';
import { claimsOfToken, findAccount } from './account-claims.ts';
import { type AccountParts, mayIntrospect, sessionLeftMs } from './accounts.ts';
import { assertFapi, assertPlain } from './client-assertions.ts';
import { extraClientMetadata, identityAssertionToken, ownMetadata } from './client-metadata.ts';
import { ownParameters, useDefaultScopes } from './default-scopes.ts';
import { cookieNames, finishRequests, sessionCookieOf } from './finish-requests.ts';
import { grantInSession } from './grant-in-session.ts';
import { type AssertionParts, identityAssertionProfile, registerIdentityAssertions } from './identity-assertions.ts';
import { type PolicyParts, signInPolicy } from './interaction-policy.ts';
import { deviceCodePage, deviceConfirmPage, deviceDonePage, errorPage, showSignedOut, signOutPage } from './pages.ts';
import { requestScope } from './request-scope.ts';
import { resourceServerInfo } from './resource-servers.ts';
import { registerTokenExchange } from './token-exchange.ts';
import { createVouch } from './vouch.ts';

export type ProviderParts = AccountParts &
  PolicyParts & {
    config: Config;
    log: Logger;
    keys: Pick<SigningKeys, 'all' | 'signing'>;
    adapter: AdapterFactory;
    /** For the keys of applications, which are where they say; and for those of applications that nobody registered. */
    fetch: GuardedFetch;
    fetchOfStrangers: GuardedFetch;
    store: Pick<Store, 'recordFact' | 'clock'>;
    singleLogout: SingleLogout;
    assertEmbedded: AssertEmbedded;
    assertions: Pick<AssertionParts, 'judge' | 'used' | 'delegated' | 'identities'>;
    vouchingPolicies: VouchingPolicies;
  };

const seconds = { code: 60, deviceCode: 600, idToken: 300, refresh: 14 * 86_400 };

/** How long what is read is kept is for the library to say, a minute, and not for whoever answers. */
async function fetchForNow(guarded: GuardedFetch, url: string | URL, options: RequestInit): Promise<Response> {
  const response = await guarded(url, options);
  for (const name of ['cache-control', 'expires']) response.headers.delete(name);
  return response;
}

const isFapi = (client: Parameters<typeof ownMetadata>[0]) => ownMetadata(client).security_profile === 'fapi2';

/** With the keys of now: another one takes its place when they are others. */
export function createProvider(parts: ProviderParts): Provider {
  const { config, log, keys, adapter, tenants } = parts;
  const { name: session, secure } = sessionCookieOf(config.REEVE_ISSUER);
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure } as const;
  const configuration: Configuration = {
    adapter,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    extraClientMetadata: { properties: extraClientMetadata },
    jwks: { keys: keys.all() as never },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'ES256'],
      dPoPSigningAlgValues: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
      clientAuthSigningAlgValues: ['ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'],
    },
    assertJwtClientAuthClaimsAndHeader: (_, claims, header, client) => {
      assertPlain({ claims, header }, { now: parts.store.clock.now(), issuer: config.REEVE_ISSUER });
      if (isFapi(client)) assertFapi({ claims, header }, config.REEVE_ISSUER);
    },
    fetch(url, options) {
      // What nobody registered names its keys as well: networks inside are not open to it.
      const clientId = Provider.ctx?.oidc.client?.clientId;
      const guarded = clientId === undefined || isDocumentId(clientId) ? parts.fetchOfStrangers : parts.fetch;
      return fetchForNow(guarded, url instanceof Request ? url.url : url, options as RequestInit);
    },
    cookies: {
      keys: config.REEVE_COOKIE_KEYS,
      names: { session, ...cookieNames },
      long: cookie,
      short: cookie,
    },
    discovery: {
      authorization_grant_profiles_supported: [identityAssertionProfile],
      identity_chaining_requested_token_types_supported: [identityAssertionToken],
      global_token_revocation_endpoint: config.REEVE_ISSUER + globalTokenRevocationPath,
      global_token_revocation_endpoint_auth_methods_supported: ['private_key_jwt', 'Bearer'],
    },
    scopes: ['openid', 'offline_access', 'email', 'profile', 'roles', 'groups'],
    claims: {
      openid: ['sub', 'tid', 'sid', 'amr', 'acr', 'auth_time'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'locale'],
      roles: ['roles'],
      groups: ['groups'],
    },
    acrValues: acrValues as string[],
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    extraParams: { ...ownParameters, scope: useDefaultScopes, state: parts.assertEmbedded },
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: (_, client) => ownMetadata(client).pkce_required },
    // FAPI 2.0 Security Profile §5.3.2.1: where a token is bound to a key of an application that proves itself by one,
    // following it gains nothing.
    rotateRefreshToken: ({ oidc }) => !(oidc.client && isFapi(oidc.client)),
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    // Tokens belong to our session, and not to the browser's.
    expiresWithSession: () => false,
    features: {
      devInteractions: { enabled: false },
      dPoP: {
        enabled: true,
        nonceSecret: Buffer.from(hkdfSync('sha256', config.REEVE_COOKIE_KEYS[0] ?? '', '', 'dpop-nonce', 32)),
        requireNonce: ({ oidc }) =>
          oidc.client !== undefined && ownMetadata(oidc.client).dpop_bound_access_tokens === true,
      },
      claimsParameter: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: () => ({}),
        userCodeInputSource: deviceCodePage,
        userCodeConfirmSource: (...[ctx, , client, , userCode]) => deviceConfirmPage(ctx, client, userCode),
        successSource: deviceDonePage,
      },
      pushedAuthorizationRequests: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_, client, token) => mayIntrospect(parts, client, token) },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      // As is published. Who is told, and again where they have not heard it, is with logout-notices.
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: signOutPage, postLogoutSuccessSource: showSignedOut },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client) => {
          const usual = client && ownMetadata(client).default_resource;
          if (usual !== undefined) return usual;
          if (ctx.oidc.params?.['grant_type'] !== 'client_credentials') return [];
          throw new errors.InvalidTarget('resource is required: the URL of the service that the token is for');
        },
        useGrantedResource: () => true,
        getResourceServerInfo: resourceServerInfo({
          services: config.REEVE_RESOURCES,
          resourceServers: parts.resourceServers,
          applications: parts.applications,
          tenants,
          sessionLeftMs: ctx => sessionLeftMs(parts, ctx, parts.store.clock.now()),
        }),
      },
    },
    ttl: {
      AccessToken: (_, token) => token.resourceServer?.accessTokenTTL ?? seconds.idToken,
      ClientCredentials: (_, token) => token.resourceServer?.accessTokenTTL ?? seconds.idToken,
      AuthorizationCode: seconds.code,
      IdToken: seconds.idToken,
      Interaction: signInSeconds,
      DeviceCode: seconds.deviceCode,
      Session: browserLoginSeconds,
      Grant: seconds.refresh,
      RefreshToken: seconds.refresh,
    },
    clientBasedCORS: (_, origin, client) =>
      ownMetadata(client).origins.includes(origin) || requestScope().isAdmitted(origin, client.clientId),
    interactions: {
      policy: signInPolicy(parts),
      url: (_, interaction) => `/interaction/${interaction.uid}`,
    },
    extraTokenClaims: (ctx, token) => claimsOfToken(parts, ctx, token),
    findAccount: (ctx, sub, token) => findAccount(parts, ctx, sub, token),
    loadExistingGrant: ctx => grantInSession(parts, ctx),
    renderError: errorPage,
  };
  const provider = new Provider(config.REEVE_ISSUER, configuration);
  provider.proxy = config.REEVE_TRUST_PROXY > 0;
  const issuer = config.REEVE_ISSUER;
  const vouch = createVouch(provider, { ...parts, issuer, policies: parts.vouchingPolicies });
  registerTokenExchange(provider, { ...parts, issuer, keys: keys.all(), vouch });
  registerIdentityAssertions(provider, { ...parts, ...parts.assertions });
  finishRequests(provider, parts);
  provider.on('server_error', (_, error) => {
    log.error({ error }, 'the OpenID provider failed');
    requestScope().fail(error);
  });
  return provider;
}
