import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Clients, clientView, viewOf } from './client.ts';

export const readClient = ({ clients }: { clients: Clients }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/clients/{clientId}',
    summary: 'Read an OAuth client',
    action: 'clients:read',
    response: clientView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(clients.in(tenantId), params.clientId);
      return { body: viewOf(entry, tenantId), version: entry.version };
    },
  });
