import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Clients, clientView, viewOf } from './client.ts';

export const listClients = ({ clients }: { clients: Clients }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/clients',
    summary: 'List OAuth clients',
    action: 'clients:read',
    query: pageQuery,
    response: pageOf(clientView),
    handle: async ({ tenantId, query }) =>
      paged(await clients.in(tenantId).list('inOrder', {}, query), entry => viewOf(entry, tenantId)),
  });
