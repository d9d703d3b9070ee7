// What oidc-provider is told of a client. Scopes are not among it: which scopes a client gets depends on the resource
// it asks for and is decided in resource-servers.ts.
import type { Area } from '@reeve/access';
import type { TenantId } from '@reeve/contracts';
import type { AdapterPayload } from 'oidc-provider';
import type { KnownClient } from '../clients/client-directory.ts';

export const extraClientMetadata = ['tenant_id', 'platform', 'areas', 'surface', 'pkce_required', 'tokens_from'];

export type OwnMetadata = {
  tenant_id?: TenantId;
  platform?: boolean;
  areas?: Area[];
  surface?: string;
  pkce_required: boolean;
  tokens_from?: string;
};

export const ownMetadata = (client: { metadata(): object }) => client.metadata() as OwnMetadata;

/**
 * The hash stands for the secret: what a client presents is turned into it before the provider compares
 * (client-secrets.ts).
 */
export function metadataOf(client: KnownClient | null): AdapterPayload | undefined {
  if (!client) return undefined;
  const {
    id,
    name,
    grantTypes,
    redirectUris,
    postLogoutRedirectUris,
    tenantId,
    isPlatform,
    areas,
    surface,
    tokensFrom,
  } = client;
  return {
    client_id: id,
    client_name: name,
    client_secret: client.secrets[0] ?? 'none',
    grant_types: grantTypes,
    response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    pkce_required: client.pkceRequired,
    ...(tenantId === null ? {} : { tenant_id: tenantId }),
    ...(isPlatform ? { platform: true } : {}),
    ...(areas === null ? {} : { areas }),
    ...(surface === null ? {} : { surface }),
    ...(tokensFrom === null ? {} : { tokens_from: tokensFrom }),
  };
}
