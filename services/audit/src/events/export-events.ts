import { once } from 'node:events';
import { type ChainedRecord, toOcsf } from '@reeve/audit-log';
import { because, type Cause, type EventDraft, type TenantId } from '@reeve/contracts';
import { instant, tenantRoute } from '@reeve/service-kit';
import type { Response } from 'express';
import { z } from 'zod';
import type { Heads, Records } from '../chains/chain-store.ts';
import { viewOf } from './event-view.ts';
import { readLog } from './log-lines.ts';

type Parts = {
  records: Records;
  heads: Heads;
  recordFact: (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;
};

const formats = {
  ndjson: (chained: ChainedRecord) => JSON.stringify(viewOf(chained)),
  ocsf: (chained: ChainedRecord) => JSON.stringify(toOcsf(chained)),
} as const;

export const exportEvents = ({ records, heads, recordFact }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/export',
    summary: 'Export the log as lines of JSON, chain by chain; `reeve audit verify` checks the file',
    action: 'audit:export',
    query: z.strictObject({
      format: z.enum(['ndjson', 'ocsf']).default('ndjson'),
      from: instant.optional(),
      to: instant.optional(),
    }),
    response: z.string().describe('One JSON object per line'),
    async handle({ tenantId, query: { format, from, to }, cause }) {
      const target = { type: 'audit_log', id: tenantId, name: null };
      const details = { format, from: from ?? null, to: to ?? null };
      await recordFact(
        tenantId,
        { type: 'audit.exported', target, outcome: 'success', reason: because('requested'), details },
        cause,
      );
      return {
        async stream(response: Response) {
          response.type('application/x-ndjson');
          response.setHeader(
            'Content-Disposition',
            `attachment; filename="audit-${tenantId}.${format === 'ocsf' ? 'ocsf.' : ''}ndjson"`,
          );
          for await (const chained of readLog({ records, heads }, tenantId, { from, to })) {
            if (response.destroyed) return;
            if (!response.write(`${formats[format](chained)}\n`))
              await Promise.race([once(response, 'drain'), once(response, 'close')]);
          }
          response.end();
        },
      };
    },
  });
