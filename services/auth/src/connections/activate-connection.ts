import { tenantRoute } from '@reeve/service-kit';
import { connectionView, type ViewParts, viewOf } from './connection.ts';
import type { ConnectionAdministration } from './connection-administration.ts';

export const activateConnection = ({
  administration,
  ...parts
}: ViewParts & { administration: ConnectionAdministration }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:activate',
    summary: 'Let people sign in by this connection',
    action: 'connections:write',
    versioned: true,
    response: connectionView(parts.kinds),
    async handle({ tenantId, params: { connectionId: id }, cause, expectedVersion }) {
      const entry = await administration.activate({ tenantId, id, cause, expectedVersion });
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
