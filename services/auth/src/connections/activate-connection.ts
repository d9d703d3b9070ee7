import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { activate, type Connections, connectionView, viewOf } from './connection.ts';

export const activateConnection = ({ connections, ownIssuer }: { connections: Connections; ownIssuer: string }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:activate',
    summary: 'Let people sign in by this connection',
    action: 'connections:write',
    response: connectionView,
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['connectionId']);
      const entry = await connections
        .in(tenantId)
        .change(id, connection => connection && activate(id, connection), { cause, expectedVersion });
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry, ownIssuer), version: entry.version };
    },
  });
