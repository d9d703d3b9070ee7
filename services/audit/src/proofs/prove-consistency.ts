import { consistencyProofSchema } from '@reeve/audit-log';
import { invalidField } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { getCheckpoint, numberIn } from '../log/checkpoint.ts';
import type { Log } from '../log/log.ts';
import { consistencyProof } from '../log/proofs.ts';

export const proveConsistency = (log: Pick<Log, 'records' | 'tombstones' | 'tiles' | 'checkpoints'>) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/checkpoints/{number}/consistency',
    summary: 'Prove that a checkpoint only adds to an older one (RFC 9162 §2.1.4)',
    action: 'audit:read',
    crossOrigin: true,
    query: z.strictObject({ from: z.coerce.number().int().positive().describe('Number of the older checkpoint') }),
    response: consistencyProofSchema,
    async handle({ tenantId, params, query: { from } }) {
      const newer = await getCheckpoint(log.checkpoints, tenantId, numberIn(params.number));
      if (from > newer.number) throw invalidField('query.from', `must not be later than ${newer.number}`);
      const older = await getCheckpoint(log.checkpoints, tenantId, from);
      return { body: await consistencyProof(log, tenantId, { older, newer }) };
    },
  });
