import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Installations } from '../installations/installation.ts';
import { type Consents, consentView, viewOf } from './consent.ts';

type Parts = { installations: Installations; consents: Consents; clock: Clock };

export const listConsents = ({ installations, consents, clock }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/consents',
    summary: 'List who consented to an installation, to what, and in which words',
    action: 'consents:read',
    query: pageQuery,
    response: pageOf(consentView),
    async handle({ tenantId, params: { installationId }, query }) {
      await readExisting(installations.in(tenantId), installationId);
      const page = await consents.in(tenantId).list('byInstallation', { installationId }, query);
      return paged(page, entry => viewOf(entry, clock.now()));
    },
  });
