import { invalidField } from '@reeve/contracts';
import { createOnce, platformRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { isOfService } from './exchange-policy.ts';
import {
  canonical,
  contradictionIn,
  identifierSchema,
  type ResourceServers,
  register,
  resourceServerSettings,
  resourceServerView,
  viewOf,
} from './resource-server.ts';

const { shape } = resourceServerSettings;
const body = resourceServerSettings.extend({
  identifier: identifierSchema.describe('Its URL, which is the audience of its tokens'),
  scopes: shape.scopes.default([]),
  format: shape.format.default('jwt'),
  algorithm: shape.algorithm.default('ES256'),
  tokenSeconds: shape.tokenSeconds.default(300),
  claims: shape.claims.default([]),
  statusList: shape.statusList.default(false),
  applications: shape.applications.default('platform'),
  thirdPartyScopes: shape.thirdPartyScopes.default([]),
  introspectedBy: shape.introspectedBy.default([]),
  exchangePolicies: shape.exchangePolicies.default([]),
  mayAct: shape.mayAct.default(null),
});

/** `own` are the URLs of Reeve itself. */
type Parts = { resourceServers: ResourceServers; own: readonly string[]; clock: Clock };

export const createResourceServer = ({ resourceServers, own, clock }: Parts) =>
  platformRoute({
    method: 'post',
    path: '/v1/resource-servers',
    summary: 'Register an API of the product, for which applications get access tokens',
    action: 'resource-servers:write',
    body,
    status: 201,
    response: resourceServerView,
    async handle({ body: settings, cause, freshId }) {
      const wrong = contradictionIn(settings, own);
      if (wrong) throw invalidField(wrong.field, wrong.message);
      // A token for it would be one for us.
      if (isOfService(own, settings.identifier))
        throw invalidField('identifier', `${canonical(settings.identifier)} is Reeve’s own`);
      const id = freshId('resourceServer');
      const registered = register(id, { ...settings, createdAt: clock.now().toISOString() });
      const taken = { identifier: 'resource_server_exists' } as const;
      const { entry } = await createOnce(resourceServers, id, registered, { cause, taken });
      return { body: viewOf(entry), version: entry.version };
    },
  });
