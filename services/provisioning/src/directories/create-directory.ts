import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Directories, directoryView, newDirectoryToken, open, viewOf } from './directory.ts';

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
    body: z.strictObject({ name: z.string().trim().min(1).max(200) }),
    status: 201,
    response: directoryView.extend({ token: z.string().nullable() }),
    withoutSecrets: directory => ({ ...directory, token: null }),
    async handle({ tenantId, body: { name }, cause, freshId }) {
      const id = freshId('directory');
      const { token, tokenSha256 } = newDirectoryToken();
      const entry = await directories
        .in(tenantId)
        .create(id, open(id, { name, tokenSha256, createdAt: clock.now().toISOString() }), cause);
      if (entry) return { body: { ...viewOf(entry, selfUrl), token } };
      const existing = await directories.in(tenantId).get(id);
      if (!existing) throw new ProblemError('conflict');
      return { body: { ...viewOf(existing, selfUrl), token: null } };
    },
  });
