import { createGzip } from 'node:zlib';
import { formats } from '@reeve/audit-log';
import { event, invalidField } from '@reeve/contracts';
import { instant, tenantRoute } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import { z } from 'zod';
import { getCheckpoint } from '../log/checkpoint.ts';
import type { Checkpointer } from '../log/checkpointer.ts';
import { linesOfExport, type Place, planExport, type Range } from '../log/export-lines.ts';
import { formatName } from '../log/format-name.ts';
import type { Log } from '../log/log.ts';
import { inPortions, sendStream } from '../send-stream.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'checkpoints' | 'signingKey' | 'clock'> & {
  checkpointer: Pick<Checkpointer, 'sign'>;
  recordFact: Store['recordFact'];
};

const gzipType = 'application/gzip';

const place = z
  .string()
  .regex(/^.{1,200}#[1-9]\d{0,14}$/, 'must be <chain>#<sequence>')
  .transform((text): Place => {
    const end = text.lastIndexOf('#');
    return { chain: text.slice(0, end), sequence: Number(text.slice(end + 1)) };
  });

const query = z.strictObject({
  format: formatName.default('ndjson'),
  from: instant.optional().describe('When it was chained, at the earliest'),
  to: instant.optional().describe('When it was chained, at the latest'),
  compression: z.enum(['gzip']).optional(),
  checkpoint: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      'Export what this checkpoint covers; a new one is signed where it is left out. ' +
        'See the answer’s Reeve-Checkpoint',
    ),
  after: place
    .optional()
    .describe(
      'Go on after the last record that you have of an export that was cut off: <chain>#<sequence>, ' +
        'with its `checkpoint`',
    ),
});

export const exportEvents = ({ checkpointer, recordFact, ...log }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/export',
    summary: 'Export the log, one record per line, chain by chain; `reeve audit verify` checks the file',
    action: 'audit:export',
    query,
    response: z.string().describe('A signed manifest, then the records, one per line'),
    produces: [...new Set(Object.values(formats).map(({ contentType }) => contentType)), gzipType],
    async handle({ tenantId, query: { format, compression, from, to, checkpoint: number, after }, cause }) {
      if (after && number === undefined) throw invalidField('query.checkpoint', 'is required with `after`');
      const checkpoint = await (number === undefined
        ? checkpointer.sign(tenantId)
        : getCheckpoint(log.checkpoints, tenantId, number));
      const period = { from, to };
      const ranges = checkpoint ? await planExport(log, { tenantId, checkpoint, period }) : [];
      if (after && !ranges.some(range => holds(range, after)))
        throw invalidField('query.after', 'is no record of this export');
      const details = { format, from: from ?? null, to: to ?? null };
      await recordFact(tenantId, event('audit.exported', { id: tenantId, because: 'requested', details }), cause);
      const lines = linesOfExport(log, { tenantId, checkpoint, period, ranges, after, format });
      const { contentType, extension } = formats[format];
      return {
        stream(response) {
          const name = `audit-${tenantId}.${extension}${compression ? '.gz' : ''}`;
          response.type(compression ? gzipType : contentType);
          response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
          if (checkpoint) response.setHeader('Reeve-Checkpoint', String(checkpoint.number));
          return sendStream(response, inPortions(lines), compression ? [createGzip()] : []);
        },
      };
    },
  });

const holds = ({ chain, first, last }: Range, after: Place) =>
  chain === after.chain && first <= after.sequence && after.sequence <= last;
