import { inclusionProofSchema } from '@reeve/audit-log';
import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Logs } from '../chains/read-chain.ts';
import type { Checkpointer } from './checkpointer.ts';
import { inclusionProof } from './proofs.ts';
import type { Tiles } from './record-tree.ts';

type Parts = Logs & { tiles: Tiles; checkpointer: Checkpointer };

export const proveEvent = ({ checkpointer, ...log }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events/{eventId}/proof',
    summary:
      'Prove that a record is in the log, by a signed checkpoint (RFC 9162 §2.1.3); `reeve audit verify-proof` checks it',
    action: 'audit:read',
    response: inclusionProofSchema,
    async handle({ tenantId, params }) {
      const entry = await log.records.in(tenantId).get(String(params['eventId']));
      if (!entry) throw new ProblemError('event_unknown');
      const checkpoint = await checkpointer.covering(tenantId, entry.state);
      return { body: await inclusionProof(log, tenantId, { record: entry.state, checkpoint }) };
    },
  });
