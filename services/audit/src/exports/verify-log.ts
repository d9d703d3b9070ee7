import { formats, type KeySet, verifyLines } from '@reeve/audit-log';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import type { Logs } from '../chains/read-chain.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import type { Checkpointer } from '../checkpoints/checkpointer.ts';
import { linesOf } from './export-events.ts';
import { planExport } from './log-export.ts';

const verification = z.object({
  records: z.number(),
  removed: z.number().describe('Records that were removed, as signed tombstones say'),
  chains: z.array(z.object({ chain: z.string(), first: z.number(), last: z.number(), head: z.string() })),
  checkpoint: z
    .object({ number: z.number(), time: z.string(), keyId: z.string(), signatureChecked: z.boolean() })
    .nullable(),
  beyondCheckpoint: z.number(),
  manifest: z.object({ time: z.string(), from: z.string().nullable(), to: z.string().nullable() }).nullable(),
  finding: z
    .object({
      line: z.number(),
      chain: z.string().nullable(),
      sequence: z.number().nullable(),
      problem: z.string(),
      detail: z.string(),
    })
    .nullable(),
});

type Parts = Logs & {
  checkpointer: Checkpointer;
  signingKey: () => SigningKey;
  publicKeys: () => Promise<KeySet>;
  clock: Clock;
};

/** The same check as the offline verifier's, of the lines that an export would have. */
export const verifyLog = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/verify',
    summary: 'Verify every chain of the log and name the first thing that is wrong',
    action: 'audit:read',
    response: verification,
    async handle({ tenantId }) {
      const checkpoint = await parts.checkpointer.sign(tenantId);
      const period = { from: undefined, to: undefined };
      const ranges = checkpoint ? await planExport(parts, { tenantId, checkpoint, period }) : [];
      const lines = linesOf(parts, { tenantId, checkpoint, period, ranges, format: 'ndjson' });
      return { body: await verifyLines(lines, { format: formats.ndjson, keys: await parts.publicKeys() }) };
    },
  });
