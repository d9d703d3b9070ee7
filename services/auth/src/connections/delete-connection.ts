import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { ConnectionAdministration } from './connection-administration.ts';
import { forgetRevisions, type Revisions } from './connection-revision.ts';
import type { ConnectionSecrets } from './connection-secret.ts';
import { end, type Watch, type Watches } from './connection-watch.ts';

export const deleteConnection = ({ administration }: { administration: ConnectionAdministration }) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}',
    summary: 'Delete an SSO connection and its secret: nobody signs in by it any more; sessions that began by it go on',
    action: 'connections:write',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { connectionId: id }, cause, expectedVersion }) {
      await administration.remove({ tenantId, id, cause, expectedVersion });
      return { body: undefined };
    },
  });

type Left = { secrets: ConnectionSecrets; revisions: Revisions; watches: Watches; clock: Clock };

/**
 * By the event, so that a crash right after the deletion leaves no secret behind, and nothing else of the connection.
 */
export const clearAwayDeletedConnection = ({ secrets, revisions, watches, clock }: Left): Handlers => ({
  async 'connection.deleted'({ id: causationId, tenantId, correlationId, data }) {
    const { id } = data.target;
    const cause = serviceCause('auth', { correlationId, causationId });
    await secrets.forgetAll({ tenantId, connectionId: id, cause });
    await forgetRevisions(revisions, { tenantId, connectionId: id });
    const decide = (was: Watch | null) => was && { state: end(was, clock.now()), events: [] };
    await watches.in(tenantId).change(id, decide, { cause });
  },
});
