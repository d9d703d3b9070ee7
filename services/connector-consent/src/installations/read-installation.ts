import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Installations, installationView, viewOf } from './installation.ts';

export const readInstallation = ({ installations, selfUrl }: { installations: Installations; selfUrl: string }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations/{installationId}',
    summary: 'Read an installation',
    action: 'installations:read',
    response: installationView,
    async handle({ tenantId, params: { installationId } }) {
      const entry = await readExisting(installations.in(tenantId), installationId);
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
