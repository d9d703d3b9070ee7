import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Clients, remove } from './client.ts';

export const deleteClient = ({ clients }: { clients: Clients }) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/clients/{clientId}',
    summary: 'Delete an OAuth client; its secret stops working at once',
    action: 'clients:write',
    status: 204,
    response: z.null(),
    async handle({ tenantId, params, cause }) {
      const id = String(params['clientId']);
      const entry = await clients.in(tenantId).change(id, client => client && remove(id, tenantId, client), { cause });
      if (!entry) throw new ProblemError('not_found');
      return { body: null };
    },
  });
