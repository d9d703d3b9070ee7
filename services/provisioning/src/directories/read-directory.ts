import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Directories, directoryView, viewOf } from './directory.ts';

export const readDirectory = ({ directories, selfUrl }: { directories: Directories; selfUrl: string }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/directories/{directoryId}',
    summary: 'Read a SCIM directory',
    action: 'directories:read',
    response: directoryView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(directories.in(tenantId), params.directoryId);
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
