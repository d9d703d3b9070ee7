import { ProblemError } from '@reeve/contracts';
import { changeExisting, ownRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Consents, consentView, revoke, viewOf } from './consent.ts';

export const revokeOwnConsent = ({ consents, clock }: { consents: Consents; clock: Clock }) =>
  ownRoute({
    method: 'post',
    path: '/v1/me/consents/{consentId}:revoke',
    summary: 'Take back a consent of yours; the token it gave is destroyed',
    action: 'consents:write',
    versioned: true,
    response: consentView,
    async handle({ tenantId, caller, params: { consentId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(
        consents.in(tenantId),
        id,
        consent => {
          if (consent.userId !== caller.id) throw new ProblemError('not_found');
          return revoke(id, consent, 'ended_by_owner');
        },
        { cause, expectedVersion },
      );
      return { body: viewOf(entry, clock.now()), version: entry.version };
    },
  });
