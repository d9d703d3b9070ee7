import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Evidence, type EvidencePackage, packagesPath, pieceIds, remove } from './evidence-package.ts';

export const deletePackage = ({ packages, pieces, clock }: Evidence & { clock: Clock }) =>
  tenantRoute({
    method: 'delete',
    path: `${packagesPath}/{packageId}`,
    summary:
      'Remove an evidence package before it is forgotten by itself; one that is being built is not built further',
    action: 'audit:export',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { packageId: id }, cause, expectedVersion }) {
      const decide = (was: EvidencePackage) => remove(id, was, clock.now());
      const removed = await changeExisting(packages.in(tenantId), id, decide, { cause, expectedVersion });
      await pieces.in(tenantId).removeAll(pieceIds(removed.state));
      return { body: undefined };
    },
  });
