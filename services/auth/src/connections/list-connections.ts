import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Connections, connectionView, viewOf } from './connection.ts';

export const listConnections = ({ connections, ownIssuer }: { connections: Connections; ownIssuer: string }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/sso-connections',
    summary: 'List SSO connections',
    action: 'connections:read',
    query: pageQuery,
    response: pageOf(connectionView),
    async handle({ tenantId, query }) {
      const page = await connections.in(tenantId).list('inOrder', {}, query);
      return { body: { items: page.items.map(entry => viewOf(entry, ownIssuer)), nextCursor: page.nextCursor } };
    },
  });
