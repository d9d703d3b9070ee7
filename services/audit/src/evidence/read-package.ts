import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type EvidencePackages, packagesPath, packageView, viewOf } from './evidence-package.ts';

export const readPackage = ({ packages }: { packages: EvidencePackages }) =>
  tenantRoute({
    method: 'get',
    path: `${packagesPath}/{packageId}`,
    summary: 'Read how far an evidence package is',
    action: 'audit:export',
    response: packageView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(packages.in(tenantId), params.packageId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
