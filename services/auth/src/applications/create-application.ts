import { invalidField, platformTenantId, type TenantId } from '@reeve/contracts';
import { assertReaches, createOnce, type Route } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { z } from 'zod';
import {
  type Applications,
  applicationWithSecret,
  newClientSecret,
  register,
  type Settings,
  viewOf,
} from './application.ts';
import { applicationSettings, contradictionIn, kindSchema, kinds, tenantsServed } from './application-settings.ts';
import { applicationRoutes } from './routes.ts';

const { shape } = applicationSettings;
const ofTenant = applicationSettings.extend({
  kind: kindSchema.optional().describe('web, unless it has no authorization_code: machine'),
  grantTypes: shape.grantTypes.optional().describe('Those that are usual for its kind'),
  redirectUris: shape.redirectUris.default([]),
  postLogoutRedirectUris: shape.postLogoutRedirectUris.default([]),
  backchannelLogoutUri: shape.backchannelLogoutUri.default(null),
  initiateLoginUri: shape.initiateLoginUri.default(null),
  origins: shape.origins.optional().describe('Those of its redirect URIs, of a single_page application'),
  authentication: shape.authentication.optional().describe('What is usual for its kind'),
  defaultResource: shape.defaultResource.default(null),
  defaultScopes: shape.defaultScopes.default([]),
  areas: shape.areas.optional().describe('Null, for everywhere in its tenant; none, of a public or the platform’s'),
  surface: shape.surface.default(null),
  pkceRequired: shape.pkceRequired.default(true),
  dpopRequired: shape.dpopRequired.default(false),
  securityProfile: shape.securityProfile.default(null),
  tenants: tenantsServed.optional(),
});
const ofPlatform = ofTenant.extend({ tenants: tenantsServed });

type Asked = z.infer<typeof ofTenant>;

export const createApplication = ({ applications, clock }: { applications: Applications; clock: Clock }): Route[] =>
  applicationRoutes('', {
    method: 'post',
    summary: 'Register an application; its secret is shown once',
    action: 'clients:write',
    body: { ofPlatform, ofTenant: ofTenant.omit({ tenants: true }) },
    status: 201,
    response: applicationWithSecret,
    withoutSecrets: application => ({ ...application, clientSecret: null }),
    async handle({ owner, caller, body, cause, freshId }) {
      const settings = completed(owner, body);
      assertReaches(caller, settings.areas);
      const wrong = contradictionIn(settings);
      if (wrong) throw invalidField(wrong.field, wrong.message);
      const id = freshId('client');
      const { clientSecret, secretSha256 } = newClientSecret();
      const hasSecret = settings.authentication.method === 'client_secret';
      const registered = register({ id, owner, at: clock.now() }, settings, hasSecret ? secretSha256 : null);
      const { entry, isNew } = await createOnce(applications.in(owner), id, registered, { cause });
      return {
        body: { ...viewOf(entry, { owner }), clientSecret: isNew && hasSecret ? clientSecret : null },
        version: entry.version,
      };
    },
  });

/** With what is usual for its kind where nothing is said. */
function completed(owner: TenantId, { kind: asked, ...body }: Asked): Settings {
  const signsPeopleIn = body.grantTypes?.includes('authorization_code') ?? false;
  const kind = asked ?? (signsPeopleIn ? 'web' : 'machine');
  const { usualGrantTypes, authentication: methods } = kinds[kind];
  const [method] = methods;
  const isPlatform = owner === platformTenantId;
  const originsOfPages = kind === 'single_page' ? [...new Set(body.redirectUris.map(uri => new URL(uri).origin))] : [];
  const {
    grantTypes = [...usualGrantTypes],
    authentication = { method },
    origins = originsOfPages,
    // Whoever runs on other people's devices, or serves many tenants, administers none unless that is said.
    areas = isPlatform || method === 'none' ? [] : null,
    tenants = null,
  } = body;
  return { ...body, kind, grantTypes, authentication, origins, areas, tenants };
}
