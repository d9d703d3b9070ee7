import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Domains, domainsPath, domainView, viewOf } from './domain.ts';

export const readDomain = ({ domains }: { domains: Domains }) =>
  tenantRoute({
    method: 'get',
    path: `${domainsPath}/{domainId}`,
    summary: 'Read a domain: its record, and what the last check found',
    action: 'domains:read',
    response: domainView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(domains.in(tenantId), params.domainId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
