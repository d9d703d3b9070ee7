// What oidc-provider is told of an application. Which scopes it gets depends on the resource that it asks for and is
// decided in resource-servers.ts; here are only those of OpenID Connect that one may have which nobody registered.
import type { Area } from '@reeve/access';
import type { TenantId } from '@reeve/contracts';
import type { AdapterPayload } from 'oidc-provider';
import { personalScopes } from '../application-grants/asked-for.ts';
import type { GrantType } from '../applications/application-settings.ts';
import type { KnownApplication } from '../applications/known-application.ts';

export const extraClientMetadata = [
  'tenant_id',
  'platform',
  'areas',
  'surface',
  'pkce_required',
  'tokens_from',
  'origins',
  'default_resource',
  'default_scopes',
  'security_profile',
];

export type OwnMetadata = {
  tenant_id?: TenantId;
  platform?: boolean;
  areas?: Area[];
  surface?: string;
  pkce_required: boolean;
  tokens_from?: string;
  origins: string[];
  default_resource?: string;
  default_scopes: string[];
  /** The library's own. */
  dpop_bound_access_tokens?: boolean;
  security_profile?: 'fapi2';
};

export const ownMetadata = (client: { metadata(): object }) => client.metadata() as OwnMetadata;

export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** As what an identity assertion is asked for and answered. */
export const identityAssertionToken = 'urn:ietf:params:oauth:token-type:id-jag';

/** Those whose name in the protocol is another one. */
const namesOfGrants: Partial<Record<GrantType, string>> = {
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  token_exchange: tokenExchange,
  jwt_bearer: jwtBearer,
};

/** Of what one request knows of it. */
export const clientKey = (id: string): string => `client ${id}`;

export function metadataOf(application: KnownApplication | null): AdapterPayload | undefined {
  if (!application) return undefined;
  const { id, name, kind, grantTypes, redirectUris, postLogoutRedirectUris } = application;
  const { tenantId, isPlatform, areas, surface, pkceRequired, dpopRequired, tokensFrom, origins } = application;
  const { defaultResource, defaultScopes } = application;
  return {
    client_id: id,
    client_name: name,
    application_type: kind === 'native' ? 'native' : 'web',
    ...authenticationOf(application),
    grant_types: grantTypes.map(name => namesOfGrants[name] ?? name),
    response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    pkce_required: pkceRequired,
    origins,
    default_scopes: defaultScopes,
    ...ofProfile(application),
    ...(application.document ? { scope: personalScopes.join(' ') } : {}),
    ...(dpopRequired ? { dpop_bound_access_tokens: true } : {}),
    ...(defaultResource === null ? {} : { default_resource: defaultResource }),
    ...(tenantId === null ? {} : { tenant_id: tenantId }),
    ...(isPlatform ? { platform: true } : {}),
    ...(areas === null ? {} : { areas }),
    ...(surface === null ? {} : { surface }),
    ...(tokensFrom === null ? {} : { tokens_from: tokensFrom }),
  };
}

/** FAPI 2.0 Security Profile §5.3.2: requests are pushed, and signatures are by ES256, PS256 or EdDSA. */
const ofProfile = ({ securityProfile }: KnownApplication): AdapterPayload =>
  securityProfile === null
    ? {}
    : {
        security_profile: securityProfile,
        require_pushed_authorization_requests: true,
        id_token_signed_response_alg: 'ES256',
      };

function authenticationOf({ authentication, secrets }: KnownApplication): AdapterPayload {
  if (authentication.method === 'none') return { token_endpoint_auth_method: 'none' };
  if (authentication.method === 'client_secret') {
    // The hash stands for the secret: what a client presents is turned into it before the provider compares
    // (client-secrets.ts).
    return { token_endpoint_auth_method: 'client_secret_basic', client_secret: secrets[0] ?? 'none' };
  }
  const { jwks, jwksUri } = authentication;
  return {
    token_endpoint_auth_method: 'private_key_jwt',
    ...(jwks ? { jwks: jwks as never } : {}),
    ...(jwksUri === undefined ? {} : { jwks_uri: jwksUri }),
  };
}
