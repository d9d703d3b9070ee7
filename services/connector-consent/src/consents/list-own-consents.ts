import { ownRoute, paged, pageOf, pageQuery } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Consents, consentView, viewOf } from './consent.ts';

export const listOwnConsents = ({ consents, clock }: { consents: Consents; clock: Clock }) =>
  ownRoute({
    method: 'get',
    path: '/v1/me/consents',
    summary: 'List what you consented to, and in which words',
    action: 'consents:read',
    query: pageQuery,
    response: pageOf(consentView),
    handle: async ({ tenantId, caller: { id: userId }, query }) =>
      paged(await consents.in(tenantId).list('byUser', { userId }, query), entry => viewOf(entry, clock.now())),
  });
