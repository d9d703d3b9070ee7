import { invalidField } from '@reeve/contracts';
import { createOnce, instant, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type EvidencePackages, packagesPath, packageView, request, viewOf } from './evidence-package.ts';

export const createPackage = ({ packages, clock }: { packages: EvidencePackages; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: packagesPath,
    summary:
      'Have a zip made for an auditor, in the background: records of a period, proofs, checkpoints, keys, ' +
      'controls, a summary',
    action: 'audit:export',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).describe('What it is for; the heading of its summary'),
      from: instant.describe('When the records were chained, at the earliest'),
      to: instant.describe('At the latest'),
    }),
    status: 202,
    response: packageView,
    async handle({ tenantId, body: { name, from, to }, cause, freshId }) {
      if (from > to) throw invalidField('to', 'must not be before `from`');
      const id = freshId('evidence');
      const { type, id: actorId, name: actorName } = cause.actor;
      const requestedBy = { type, id: actorId, name: actorName };
      const requested = request(id, { name, period: { from, to }, requestedBy }, clock.now());
      const { entry } = await createOnce(packages.in(tenantId), id, requested, { cause });
      return { body: viewOf(entry), version: entry.version };
    },
  });
