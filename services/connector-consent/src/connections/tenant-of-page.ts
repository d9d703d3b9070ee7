// Which tenant a page of this service belongs to: that of the consent request in its path, or of what a third party
// returns somebody for.
import type { TenantOf } from '@reeve/browser-session';
import { ProblemError } from '@reeve/contracts';
import type { FindConsentRequest } from '../consents/asked-consent.ts';
import type { PendingConnections } from './pending-connection.ts';

type Parts = { findConsentRequest: FindConsentRequest; pendingConnections: PendingConnections };

export const createTenantOfPage =
  ({ findConsentRequest, pendingConnections }: Parts): TenantOf =>
  async ({ params: { consentRequestId }, request: { query } }) => {
    if (consentRequestId !== undefined) return (await findConsentRequest(consentRequestId)).tenantId;
    const { state } = query;
    const pending = typeof state === 'string' ? await pendingConnections.get(state) : null;
    if (!pending) throw new ProblemError('consent_expired');
    return pending.row.tenantId;
  };
