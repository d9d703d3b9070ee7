import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Consents, consentView, viewOf } from './consent.ts';
import type { EndGrants } from './end-grants.ts';

export const revokeConsent = ({
  consents,
  endGrants,
  clock,
}: {
  consents: Consents;
  endGrants: EndGrants;
  clock: Clock;
}) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/consents/{consentId}:revoke',
    summary: 'Revoke one consent; the token it gave is destroyed',
    action: 'consents:write',
    response: consentView,
    async handle({ tenantId, params, cause }) {
      const collection = consents.in(tenantId);
      const found = await collection.get(String(params['consentId']));
      const installationId = String(params['installationId']);
      if (found?.state.installationId !== installationId) throw new ProblemError('not_found');
      await endGrants(tenantId, { installationId, userId: found.state.userId }, 'requested', cause);
      const entry = await collection.get(found.id);
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry, clock.now()), version: entry.version };
    },
  });
