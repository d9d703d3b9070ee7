// What oidc-provider is told of a client. Scopes are not among it: which scopes a client gets depends on the resource it asks
// for and is decided in resource-servers.ts.
import type { TenantId } from '@reeve/contracts';
import type { AdapterPayload, ClientMetadata } from 'oidc-provider';
import { type Clients, sha256 } from '../clients/client.ts';
import type { Config } from '../config.ts';

export const extraClientMetadata = ['tenant_id', 'platform_admin'];

export type OwnMetadata = { tenant_id?: TenantId; platform_admin?: boolean };

export function findClientMetadata(clients: Clients) {
  const all = clients.acrossTenants('a client names only its id when it authenticates');
  return async (id: string): Promise<AdapterPayload | undefined> => {
    const entry = await all.getByUnique('id', id);
    if (entry?.state.status !== 'active') return undefined;
    const { secretSha256, grantTypes, redirectUris, postLogoutRedirectUris, name } = entry.state;
    return {
      client_id: id,
      client_name: name,
      client_secret: secretSha256,
      grant_types: grantTypes,
      response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
      redirect_uris: redirectUris,
      post_logout_redirect_uris: postLogoutRedirectUris,
      tenant_id: entry.tenantId,
    };
  };
}

/** The clients that the platform gives by the environment: its own, and the consent service, which signs people in. */
export function platformClients(config: Config): ClientMetadata[] {
  return [
    {
      client_id: config.REEVE_PLATFORM_CLIENT_ID,
      client_name: 'Platform',
      client_secret: sha256(config.REEVE_PLATFORM_CLIENT_SECRET),
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      platform_admin: true,
    },
    {
      client_id: 'reeve-consent',
      client_name: 'Reeve consent',
      client_secret: sha256(config.REEVE_CONSENT_CLIENT_SECRET),
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [`${config.REEVE_CONSENT_URL}/sign-in/callback`],
    },
  ];
}
