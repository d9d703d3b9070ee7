import { ProblemError } from '@reeve/contracts';
import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Consents, consentView, revoke, viewOf } from './consent.ts';

export const revokeConsent = ({ consents, clock }: { consents: Consents; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/consents/{consentId}:revoke',
    summary: 'Revoke one consent; the token it gave is destroyed',
    action: 'consents:write',
    versioned: true,
    response: consentView,
    async handle({ tenantId, params: { installationId, consentId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(
        consents.in(tenantId),
        id,
        consent => {
          if (consent.installationId !== installationId) throw new ProblemError('not_found');
          return revoke(id, consent, 'requested');
        },
        { cause, expectedVersion },
      );
      return { body: viewOf(entry, clock.now()), version: entry.version };
    },
  });
