import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Connections, connectionView, type ViewParts, viewOf } from './connection.ts';

export const readConnection = ({ connections, ...parts }: ViewParts & { connections: Connections }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}',
    summary: 'Read an SSO connection',
    action: 'connections:read',
    response: connectionView(parts.kinds),
    async handle({ tenantId, params }) {
      const entry = await readExisting(connections.in(tenantId), params.connectionId);
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
