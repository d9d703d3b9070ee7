import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Directories, remove } from './directory.ts';

export const deleteDirectory = ({ directories, clock }: { directories: Directories; clock: Clock }) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/directories/{directoryId}',
    summary: 'Delete a SCIM directory: its token opens nothing; the users that it pushed stay',
    action: 'directories:write',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { directoryId: id }, cause, expectedVersion }) {
      await changeExisting(directories.in(tenantId), id, directory => remove(id, directory, clock.now()), {
        cause,
        expectedVersion,
      });
      return { body: undefined };
    },
  });
