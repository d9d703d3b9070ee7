import { formats, verifyLines } from '@reeve/audit-log';
import { tenantRoute, yieldEvery } from '@reeve/service-kit';
import { z } from 'zod';
import type { Checkpointer } from '../log/checkpointer.ts';
import { countVerification } from '../log/count-verifications.ts';
import { linesOfExport, planExport } from '../log/export-lines.ts';
import type { Log } from '../log/log.ts';
import type { SigningKeys } from '../log/signing-key.ts';

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

type Parts = Pick<Log, 'records' | 'tombstones' | 'signingKey' | 'clock'> & {
  checkpointer: Pick<Checkpointer, 'sign'>;
  keys: Pick<SigningKeys, 'published'>;
  giveWay: () => Promise<void>;
};

const longestTurnMs = 10;

/** Lets the requests of others come first, and ends when nobody waits for the result any more. */
async function* inTurns(
  lines: AsyncIterable<string>,
  { giveWay, signal }: Pick<Parts, 'giveWay'> & { signal: AbortSignal },
): AsyncGenerator<string> {
  const rest = yieldEvery(longestTurnMs, giveWay);
  for await (const line of lines) {
    yield line;
    await rest();
    signal.throwIfAborted();
  }
}

/** The same check as the offline verifier's, of the lines that an export would have. */
export const verifyLog = ({ checkpointer, keys, giveWay, ...log }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/verify',
    summary: 'Verify every chain of the log and name the first thing that is wrong',
    action: 'audit:read',
    crossOrigin: true,
    response: verification,
    async handle({ tenantId, signal }) {
      const checkpoint = await checkpointer.sign(tenantId);
      const period = {};
      const ranges = checkpoint ? await planExport(log, { tenantId, checkpoint, period }) : [];
      const lines = linesOfExport(log, { tenantId, checkpoint, period, ranges, format: 'ndjson' });
      const read = inTurns(lines, { giveWay, signal });
      const found = await verifyLines(read, { format: formats.ndjson, keys: await keys.published() });
      countVerification('verify', found.finding === null);
      return { body: found };
    },
  });
