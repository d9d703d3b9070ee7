import { type Cause, invalidField, platformTenantId, type TenantId } from '@reeve/contracts';
import { platformRoute, type Route, tenantRoute } from '@reeve/service-kit';
import {
  beyond,
  type DocumentPolicies,
  type DocumentPolicy,
  documentPolicySchema,
  noDocuments,
  set,
} from './document-policy.ts';
import type { DocumentPolicyDirectory } from './document-policy-directory.ts';

type Parts = { policies: DocumentPolicies; directory: DocumentPolicyDirectory };
type Asked = { body: DocumentPolicy; cause: Cause; expectedVersion?: number | undefined };

const ofPlatform = '/v1/client-document-policy';
const ofTenant = '/v1/tenants/{tenantId}/client-document-policy';

export function documentPolicyRoutes({ policies, directory }: Parts): Route[] {
  const said = (owner: TenantId) => policies.in(owner).get(owner);

  async function read(owner: TenantId) {
    const found = await said(owner);
    return { body: found?.state ?? noDocuments, version: found?.version ?? 0 };
  }

  async function write(owner: TenantId, { body, cause, expectedVersion }: Asked) {
    const options = { cause, expectedVersion };
    const entry = await policies.in(owner).change(owner, before => set(before, body), options);
    directory.forget(owner);
    return { body: entry?.state ?? noDocuments, version: entry?.version ?? 0 };
  }

  const reading = { method: 'get', action: 'policies:read', response: documentPolicySchema } as const;
  const writing = {
    method: 'put',
    action: 'policies:write',
    versioned: true,
    body: documentPolicySchema,
    response: documentPolicySchema,
  } as const;
  return [
    platformRoute({
      ...reading,
      path: ofPlatform,
      summary: 'Read from which hosts applications are taken that nobody registered',
      handle: () => read(platformTenantId),
    }),
    platformRoute({
      ...writing,
      path: ofPlatform,
      summary: 'Say from which hosts applications are taken that nobody registered; from none where it is empty',
      handle: asked => write(platformTenantId, asked),
    }),
    tenantRoute({
      ...reading,
      path: ofTenant,
      summary: 'Read which applications the tenant’s people may use that nobody registered',
      handle: ({ tenantId }) => read(tenantId),
    }),
    tenantRoute({
      ...writing,
      path: ofTenant,
      summary: 'Say which applications the tenant’s people may use that nobody registered, among those of the platform',
      async handle({ tenantId, ...asked }) {
        const other = beyond(asked.body, (await said(platformTenantId))?.state ?? noDocuments);
        if (other !== undefined) throw invalidField('hosts', `the platform takes none of ${other}`);
        return write(tenantId, asked);
      },
    }),
  ];
}
