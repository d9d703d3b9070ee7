import { ownRoute, pageOf, pageQuery } from '@reeve/service-kit';
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
    async handle({ tenantId, caller: { id: userId }, query }) {
      const page = await consents.in(tenantId).list('byUser', { userId }, query);
      return { body: { items: page.items.map(entry => viewOf(entry, clock.now())), nextCursor: page.nextCursor } };
    },
  });
