import { ProblemError } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Connections, connectionView, type ViewParts, viewOf } from './connection.ts';
import type { RefreshMetadata } from './metadata-refresh.ts';

type Parts = ViewParts & { connections: Connections; refreshMetadata: RefreshMetadata };

export const refreshConnectionMetadata = ({ connections, refreshMetadata, ...parts }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:refresh-metadata',
    summary: 'Read the metadata of the identity provider again, now: what is new is taken, or a problem says why not',
    action: 'connections:write',
    versioned: true,
    response: connectionView(parts.kinds),
    async handle({ tenantId, params: { connectionId: id }, cause, expectedVersion }) {
      const found = await readExisting(connections.in(tenantId), id, { expectedVersion });
      const { entry, problem } = await refreshMetadata({ tenantId, entry: found, because: 'requested', cause });
      if (problem) throw problem;
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
