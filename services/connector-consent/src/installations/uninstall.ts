import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { uninstall as decide, type Installations, installationView, viewOf } from './installation.ts';

/**
 * What rests on the installation ends by the event of this change. Until that has arrived, nobody leases a token of
 * it any more.
 */
export const uninstall = ({ installations, selfUrl }: { installations: Installations; selfUrl: string }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}:uninstall',
    summary: 'Uninstall a connector: its consents end, its tokens are destroyed, its webhooks are refused',
    action: 'installations:write',
    versioned: true,
    response: installationView,
    async handle({ tenantId, params: { installationId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(installations.in(tenantId), id, found => decide(id, found), {
        cause,
        expectedVersion,
      });
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
