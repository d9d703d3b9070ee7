import { type ChainedRecord, verifyExport } from '@reeve/audit-log';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Heads, Records } from '../chains/chain-store.ts';
import { viewOf } from './event-view.ts';
import { readLog } from './log-lines.ts';

const verification = z.object({
  records: z.number(),
  chains: z.array(z.object({ chain: z.string(), first: z.number(), last: z.number(), head: z.string() })),
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

/** The same check as the offline verifier's, made of the lines that an export would have. */
export const verifyLog = (parts: { records: Records; heads: Heads }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/verify',
    summary: 'Verify every chain of the log and name the first thing that is wrong',
    action: 'audit:read',
    response: verification,
    handle: async ({ tenantId }) => ({ body: await verifyExport(lines(readLog(parts, tenantId))) }),
  });

async function* lines(log: AsyncIterable<ChainedRecord>): AsyncGenerator<string> {
  for await (const chained of log) yield JSON.stringify(viewOf(chained));
}
