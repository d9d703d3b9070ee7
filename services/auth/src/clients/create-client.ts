import { invalidField } from '@reeve/contracts';
import { assertReaches, createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import {
  type Clients,
  clientSettings,
  clientWithSecret,
  contradictionIn,
  newClientSecret,
  register,
  viewOf,
} from './client.ts';

const { shape } = clientSettings;
const body = clientSettings.extend({
  grantTypes: shape.grantTypes.default(['client_credentials']),
  redirectUris: shape.redirectUris.default([]),
  postLogoutRedirectUris: shape.postLogoutRedirectUris.default([]),
  initiateLoginUri: shape.initiateLoginUri.default(null),
  areas: shape.areas.default(null),
  surface: shape.surface.default(null),
  pkceRequired: shape.pkceRequired.default(true),
});

export const createClient = ({ clients, clock }: { clients: Clients; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/clients',
    summary: 'Register an OAuth client; its secret is shown once',
    action: 'clients:write',
    body,
    status: 201,
    response: clientWithSecret,
    withoutSecrets: client => ({ ...client, clientSecret: null }),
    async handle({ tenantId, caller, body: settings, cause, freshId }) {
      assertReaches(caller, settings.areas);
      const wrong = contradictionIn(settings);
      if (wrong) throw invalidField(wrong.field, wrong.message);
      const id = freshId('client');
      const { clientSecret, secretSha256 } = newClientSecret();
      const registered = register({ id, tenantId, at: clock.now() }, settings, secretSha256);
      const { entry, isNew } = await createOnce(clients.in(tenantId), id, registered, { cause });
      return {
        body: { ...viewOf(entry, tenantId), clientSecret: isNew ? clientSecret : null },
        version: entry.version,
      };
    },
  });
