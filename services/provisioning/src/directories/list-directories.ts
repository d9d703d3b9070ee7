import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Directories, directoryView, viewOf } from './directory.ts';

export const listDirectories = ({ directories, selfUrl }: { directories: Directories; selfUrl: string }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/directories',
    summary: 'List SCIM directories',
    action: 'directories:read',
    query: pageQuery,
    response: pageOf(directoryView),
    handle: async ({ tenantId, query }) =>
      paged(await directories.in(tenantId).list('inOrder', {}, query), entry => viewOf(entry, selfUrl)),
  });
