import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { EndGrants } from '../consents/end-grants.ts';
import { uninstall as decide, type Installations, installationView, viewOf } from './installation.ts';

export const uninstall = ({
  installations,
  endGrants,
  selfUrl,
}: {
  installations: Installations;
  endGrants: EndGrants;
  selfUrl: string;
}) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}:uninstall',
    summary: 'Uninstall a connector: its consents end, its tokens are destroyed, its webhooks are refused',
    action: 'installations:write',
    response: installationView,
    async handle({ tenantId, params, cause }) {
      const id = String(params['installationId']);
      const entry = await installations.in(tenantId).change(id, found => found && decide(id, found), { cause });
      if (!entry) throw new ProblemError('not_found');
      await endGrants(tenantId, { installationId: id }, 'uninstalled', cause);
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
