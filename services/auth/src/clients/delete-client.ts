import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Clients, remove } from './client.ts';
import type { ClientDirectory } from './client-directory.ts';

type Parts = { clients: Clients; directory: ClientDirectory; clock: Clock };

export const deleteClient = ({ clients, directory, clock }: Parts) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/clients/{clientId}',
    summary: 'Delete an OAuth client; its secret and its tokens stop working at once',
    action: 'clients:write',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { clientId: id }, cause, expectedVersion }) {
      const which = { id, tenantId, at: clock.now() };
      await changeExisting(clients.in(tenantId), id, client => remove(which, client), { cause, expectedVersion });
      directory.forget(id);
      return { body: undefined };
    },
  });
