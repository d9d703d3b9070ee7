import { inclusionProofSchema } from '@reeve/audit-log';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Checkpointer } from '../log/checkpointer.ts';
import type { Log } from '../log/log.ts';
import { inclusionProof } from '../log/proofs.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'tiles'> & { checkpointer: Pick<Checkpointer, 'covering'> };

export const proveEvent = ({ checkpointer, ...log }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events/{eventId}/proof',
    summary:
      'Prove that a record is in the log, by a signed checkpoint (RFC 9162 §2.1.3); ' +
      '`reeve audit verify-proof` checks it',
    action: 'audit:read',
    crossOrigin: true,
    response: inclusionProofSchema,
    async handle({ tenantId, params }) {
      const { state: record } = await readExisting(log.records.in(tenantId), params.eventId);
      const checkpoint = await checkpointer.covering(tenantId, record);
      return { body: await inclusionProof(log, tenantId, { record, checkpoint }) };
    },
  });
