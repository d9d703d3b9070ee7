import { invalidField } from '@reeve/contracts';
import { assertReaches, changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Clients, clientSettings, clientView, contradictionIn, update, viewOf } from './client.ts';
import type { ClientDirectory } from './client-directory.ts';

type Parts = { clients: Clients; directory: ClientDirectory; clock: Clock };

export const updateClient = ({ clients, directory, clock }: Parts) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/clients/{clientId}',
    summary: 'Change an OAuth client; tokens from before a change of its areas count no more',
    action: 'clients:write',
    versioned: true,
    body: clientSettings.partial(),
    response: clientView,
    async handle({ tenantId, caller, params: { clientId: id }, body, cause, expectedVersion }) {
      const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const which = { id, tenantId, at: clock.now() };
      const entry = await changeExisting(
        clients.in(tenantId),
        id,
        client => {
          for (const { areas } of [client, { ...client, ...change }]) assertReaches(caller, areas);
          const wrong = contradictionIn({ ...client, ...change });
          if (wrong) throw invalidField(wrong.field, wrong.message);
          return update(which, client, change);
        },
        { cause, expectedVersion },
      );
      directory.forget(id);
      return { body: viewOf(entry, tenantId), version: entry.version };
    },
  });
