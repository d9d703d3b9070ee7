import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Connections, connectionView, type ViewParts, viewOf } from './connection.ts';

export const listConnections = ({ connections, ...parts }: ViewParts & { connections: Connections }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/sso-connections',
    summary: 'List SSO connections',
    action: 'connections:read',
    query: pageQuery,
    response: pageOf(connectionView(parts.kinds)),
    handle: async ({ tenantId, query }) =>
      paged(await connections.in(tenantId).list('inOrder', {}, query), entry => viewOf(entry, parts)),
  });
