import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { type Directories, directoryWithToken, newDirectoryToken, rotateToken, viewOf } from './directory.ts';

export const rotateDirectoryToken = ({ directories, selfUrl }: { directories: Directories; selfUrl: string }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/directories/{directoryId}:rotate-token',
    summary: 'Give a SCIM directory a new bearer token, shown once; the one until now ends at once',
    action: 'directories:write',
    versioned: true,
    response: directoryWithToken,
    withoutSecrets: directory => ({ ...directory, token: null }),
    async handle({ tenantId, params: { directoryId: id }, cause, expectedVersion }) {
      const { token, tokenSha256 } = newDirectoryToken();
      const decide = (directory: Parameters<typeof rotateToken>[1]) => rotateToken(id, directory, tokenSha256);
      const entry = await changeExisting(directories.in(tenantId), id, decide, { cause, expectedVersion });
      return { body: { ...viewOf(entry, selfUrl), token }, version: entry.version };
    },
  });
