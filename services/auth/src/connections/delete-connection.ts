import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { type Connection, type Connections, remove } from './connection.ts';
import type { ConnectionDirectory } from './connection-directory.ts';
import { connectionSecretClass } from './kinds/kind.ts';

type Parts = { connections: Connections; directory: ConnectionDirectory; clock: Clock };

export const deleteConnection = ({ connections, directory, clock }: Parts) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}',
    summary: 'Delete an SSO connection and its secret: nobody signs in by it any more; sessions that began by it go on',
    action: 'connections:write',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { connectionId: id }, cause, expectedVersion }) {
      const decide = (connection: Connection) => remove(id, connection, clock.now());
      await changeExisting(connections.in(tenantId), id, decide, { cause, expectedVersion });
      directory.forget(tenantId);
      return { body: undefined };
    },
  });

/** By the event, so that a crash right after the deletion leaves no secret behind. */
export const destroySecretOfDeletedConnection = ({ vault }: { vault: Vault }): Handlers => ({
  async 'connection.deleted'({ id: causationId, tenantId, correlationId, data }) {
    const cause = serviceCause('auth', { correlationId, causationId });
    await vault.destroy(tenantId, { secretClass: connectionSecretClass, id: data.target.id }, cause);
  },
});
