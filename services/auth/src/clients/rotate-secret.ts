import { assertReaches, changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Client, type Clients, clientWithSecret, newClientSecret, rotateSecret, viewOf } from './client.ts';
import type { ClientDirectory } from './client-directory.ts';

type Parts = { clients: Clients; directory: ClientDirectory; clock: Clock };

const longestKept = 7 * 86_400;

export const rotateClientSecret = ({ clients, directory, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/clients/{clientId}:rotate-secret',
    summary: 'Give an OAuth client a new secret, shown once; the one until now counts for keepPreviousSeconds',
    action: 'clients:write',
    versioned: true,
    body: z.strictObject({ keepPreviousSeconds: z.number().int().min(0).max(longestKept).default(0) }),
    response: clientWithSecret,
    withoutSecrets: client => ({ ...client, clientSecret: null }),
    async handle({ tenantId, caller, params: { clientId: id }, body, cause, expectedVersion }) {
      const { clientSecret, secretSha256 } = newClientSecret();
      const which = { id, tenantId, at: clock.now() };
      const by = { secretSha256, keepMs: body.keepPreviousSeconds * 1_000 };
      const decide = (client: Client) => {
        assertReaches(caller, client.areas);
        return rotateSecret(which, client, by);
      };
      const entry = await changeExisting(clients.in(tenantId), id, decide, { cause, expectedVersion });
      directory.forget(id);
      return { body: { ...viewOf(entry, tenantId), clientSecret }, version: entry.version };
    },
  });
