import { inclusionPath, inclusionProofSchema } from '@reeve/audit-log';
import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Logs } from '../chains/read-chain.ts';
import type { Checkpointer } from './checkpointer.ts';
import { subtreesOf, type Tiles } from './record-tree.ts';

type Parts = Logs & { tiles: Tiles; checkpointer: Checkpointer };

export const proveEvent = ({ records, tombstones, tiles, checkpointer }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events/{eventId}/proof',
    summary:
      'Prove that a record is in the log, by a signed checkpoint (RFC 9162 §2.1.3); `reeve audit verify-proof` checks it',
    action: 'audit:read',
    response: inclusionProofSchema,
    async handle({ tenantId, params }) {
      const entry = await records.in(tenantId).get(String(params['eventId']));
      if (!entry) throw new ProblemError('event_unknown');
      const { chain, sequence, canonical, hash } = entry.state;
      const checkpoint = await checkpointer.covering(tenantId, { chain, sequence });
      const size = checkpoint.content.chains.find(one => one.chain === chain)?.size ?? 0;
      const path = await inclusionPath(
        sequence - 1,
        size,
        subtreesOf({ records, tombstones, tiles }, { tenantId, chain, size }),
      );
      return {
        body: { record: canonical, hash, checkpoint: checkpoint.jws, path: path.map(one => one.toString('hex')) },
      };
    },
  });
