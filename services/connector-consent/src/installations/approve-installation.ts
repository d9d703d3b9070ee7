import { newId } from '@reeve/contracts';
import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { approve, type Installations, installationView, viewOf } from './installation.ts';

type Parts = { installations: Installations; clock: Clock; selfUrl: string };

export const approveInstallation = ({ installations, clock, selfUrl }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}:approve',
    summary: 'Approve an installation; the answer holds the page where a person consents',
    action: 'installations:write',
    versioned: true,
    response: installationView,
    async handle({ tenantId, params: { installationId: id }, cause, expectedVersion }) {
      const asked = { requestId: newId('request'), now: clock.now() };
      const entry = await changeExisting(installations.in(tenantId), id, found => approve(id, found, asked), {
        cause,
        expectedVersion,
      });
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
