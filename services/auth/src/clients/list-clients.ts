import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Clients, clientView, viewOf } from './client.ts';

export const listClients = ({ clients }: { clients: Clients }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/clients',
    summary: 'List OAuth clients',
    action: 'clients:read',
    query: pageQuery,
    response: pageOf(clientView),
    async handle({ tenantId, query }) {
      const page = await clients.in(tenantId).list('inOrder', {}, query);
      return { body: { items: page.items.map(entry => viewOf(entry, tenantId)), nextCursor: page.nextCursor } };
    },
  });
