import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Domains, domainsPath, domainView, viewOf } from './domain.ts';

export const listDomains = ({ domains }: { domains: Domains }) =>
  tenantRoute({
    method: 'get',
    path: domainsPath,
    summary: 'List the domains that the tenant has claimed',
    action: 'domains:read',
    query: pageQuery,
    response: pageOf(domainView),
    handle: async ({ tenantId, query }) => paged(await domains.in(tenantId).list('inOrder', {}, query), viewOf),
  });
