import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { activate, type Connections, connectionView, type ViewParts, viewOf } from './connection.ts';
import type { ConnectionDirectory } from './connection-directory.ts';

type Parts = ViewParts & { connections: Connections; directory: ConnectionDirectory };

export const activateConnection = ({ connections, directory, ...parts }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:activate',
    summary: 'Let people sign in by this connection',
    action: 'connections:write',
    versioned: true,
    response: connectionView(parts.kinds),
    async handle({ tenantId, params: { connectionId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(connections.in(tenantId), id, connection => activate(id, connection), {
        cause,
        expectedVersion,
      });
      directory.forget(tenantId);
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
