import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Directories, directoryView, nameSchema, rename, viewOf } from './directory.ts';

export const updateDirectory = ({ directories, selfUrl }: { directories: Directories; selfUrl: string }) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/directories/{directoryId}',
    summary: 'Change the name of a SCIM directory',
    action: 'directories:write',
    versioned: true,
    body: z.strictObject({ name: nameSchema }),
    response: directoryView,
    async handle({ tenantId, params: { directoryId: id }, body: { name }, cause, expectedVersion }) {
      const entry = await changeExisting(directories.in(tenantId), id, directory => rename(id, directory, name), {
        cause,
        expectedVersion,
      });
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
