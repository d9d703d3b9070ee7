import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Directories, directoryWithToken, nameSchema, newDirectoryToken, open, viewOf } from './directory.ts';

export const createDirectory = ({
  directories,
  clock,
  selfUrl,
}: {
  directories: Directories;
  clock: Clock;
  selfUrl: string;
}) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/directories',
    summary: 'Create a SCIM directory; its bearer token is shown once',
    action: 'directories:write',
    body: z.strictObject({ name: nameSchema }),
    status: 201,
    response: directoryWithToken,
    withoutSecrets: directory => ({ ...directory, token: null }),
    async handle({ tenantId, body: { name }, cause, freshId }) {
      const id = freshId('directory');
      const { token, tokenSha256 } = newDirectoryToken();
      const opened = open(id, { name, tokenSha256, createdAt: clock.now().toISOString() });
      const { entry, isNew } = await createOnce(directories.in(tenantId), id, opened, { cause });
      return { body: { ...viewOf(entry, selfUrl), token: isNew ? token : null }, version: entry.version };
    },
  });
