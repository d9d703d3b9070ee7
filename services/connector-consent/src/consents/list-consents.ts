import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Consents, consentView, viewOf } from './consent.ts';

export const listConsents = ({ consents, clock }: { consents: Consents; clock: Clock }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/consents',
    summary: 'List who consented to an installation, to what, and in which words',
    action: 'consents:read',
    query: pageQuery,
    response: pageOf(consentView),
    async handle({ tenantId, params: { installationId }, query }) {
      const page = await consents.in(tenantId).list('byInstallation', { installationId }, query);
      return paged(page, entry => viewOf(entry, clock.now()));
    },
  });
