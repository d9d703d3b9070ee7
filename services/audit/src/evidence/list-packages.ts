import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type EvidencePackages, packagesPath, packageView, viewOf } from './evidence-package.ts';

export const listPackages = ({ packages }: { packages: EvidencePackages }) =>
  tenantRoute({
    method: 'get',
    path: packagesPath,
    summary: 'List the evidence packages, newest first',
    action: 'audit:export',
    query: pageQuery,
    response: pageOf(packageView),
    handle: async ({ tenantId, query }) => paged(await packages.in(tenantId).list('newest', {}, query), viewOf),
  });
