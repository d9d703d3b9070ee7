import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Installations, installationView, viewOf } from './installation.ts';

export const listInstallations = ({ installations, selfUrl }: { installations: Installations; selfUrl: string }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations',
    summary: 'List installations in the order of their request',
    action: 'installations:read',
    query: pageQuery,
    response: pageOf(installationView),
    handle: async ({ tenantId, query }) =>
      paged(await installations.in(tenantId).list('inOrder', {}, query), entry => viewOf(entry, selfUrl)),
  });
