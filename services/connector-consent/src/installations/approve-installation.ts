import { newId, ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { approve, type Installations, installationView, viewOf } from './installation.ts';

export const approveInstallation = ({
  installations,
  clock,
  selfUrl,
}: {
  installations: Installations;
  clock: Clock;
  selfUrl: string;
}) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}:approve',
    summary: 'Approve an installation; the answer holds the page where a person consents',
    action: 'installations:write',
    response: installationView,
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['installationId']);
      const requestId = newId('request');
      const decide = { requestId, now: clock.now() };
      const entry = await installations
        .in(tenantId)
        .change(id, found => found && approve(id, found, decide), { cause, expectedVersion });
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
