import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { type FormatName, formats } from '@reeve/audit-log';
import { because, type Cause, type EventDraft, invalidField, type TenantId } from '@reeve/contracts';
import { instant, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Response } from 'express';
import { z } from 'zod';
import type { Logs } from '../chains/read-chain.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { type Checkpoints, getCheckpoint, type Signed } from '../checkpoints/checkpoint-store.ts';
import type { Checkpointer } from '../checkpoints/checkpointer.ts';
import { linesOfStep, type Place, planExport, type Range, readRanges, signManifest } from './log-export.ts';

type Parts = Logs & {
  checkpoints: Checkpoints;
  checkpointer: Checkpointer;
  signingKey: () => SigningKey;
  clock: Clock;
  recordFact: (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;
};

const place = z
  .string()
  .regex(/^.{1,200}#[1-9]\d{0,14}$/, 'must be <chain>#<sequence>')
  .transform((text): Place => {
    const end = text.lastIndexOf('#');
    return { chain: text.slice(0, end), sequence: Number(text.slice(end + 1)) };
  });

const query = z.strictObject({
  format: z.enum(Object.keys(formats) as [FormatName, ...FormatName[]]).default('ndjson'),
  from: instant.optional().describe('When it was chained, at the earliest'),
  to: instant.optional().describe('When it was chained, at the latest'),
  compression: z.enum(['gzip']).optional(),
  checkpoint: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      'Export what this checkpoint covers; a new one is signed where it is left out. See the answer’s Reeve-Checkpoint',
    ),
  after: place
    .optional()
    .describe(
      'Go on after the last record that you have of an export that was cut off: <chain>#<sequence>, with its `checkpoint`',
    ),
});

export const exportEvents = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/export',
    summary: 'Export the log, one record per line, chain by chain; `reeve audit verify` checks the file',
    action: 'audit:export',
    query,
    response: z.string().describe('A signed manifest, then the records, one per line'),
    async handle({ tenantId, query: { format, compression, from, to, checkpoint: number, after }, cause }) {
      if (after && number === undefined) throw invalidField('query.checkpoint', 'is required with `after`');
      const checkpoint = await checkpointFor(parts, tenantId, number);
      const period = { from, to };
      const ranges = checkpoint ? await planExport(parts, { tenantId, checkpoint, period }) : [];
      if (
        after &&
        !ranges.some(
          ({ chain, first, last }) => chain === after.chain && first <= after.sequence && after.sequence <= last,
        )
      )
        throw invalidField('query.after', 'is no record of this export');
      const target = { type: 'audit_log', id: tenantId, name: null };
      const details = { format, from: from ?? null, to: to ?? null };
      await parts.recordFact(
        tenantId,
        { type: 'audit.exported', target, outcome: 'success', reason: because('requested'), details },
        cause,
      );
      const lines = linesOf(parts, { tenantId, checkpoint, period, ranges, after, format });
      return { stream: response => send(response, lines, { tenantId, checkpoint, format, compression }) };
    },
  });

function checkpointFor({ checkpoints, checkpointer }: Parts, tenantId: TenantId, number: number | undefined) {
  return number === undefined ? checkpointer.sign(tenantId) : getCheckpoint(checkpoints, tenantId, number);
}

type Export = {
  tenantId: TenantId;
  checkpoint: Signed | null;
  period: { from: string | undefined; to: string | undefined };
  ranges: Range[];
  after?: Place | undefined;
  format: FormatName;
};

/** Also what the log is verified by: the same lines. */
export async function* linesOf(
  parts: Logs & Pick<Parts, 'signingKey' | 'clock'>,
  { tenantId, checkpoint, period, ranges, after, format }: Export,
): AsyncGenerator<string> {
  const { header, writeStatement } = formats[format];
  const keyId = parts.signingKey().kid;
  if (header !== undefined && !after) yield header;
  if (checkpoint && !after) yield writeStatement(await signManifest(parts, { checkpoint, period, chains: ranges }));
  for await (const step of readRanges(parts, { tenantId, ranges, after }))
    yield* linesOfStep(step, formats[format], keyId);
}

async function send(
  response: Response,
  lines: AsyncIterable<string>,
  {
    tenantId,
    checkpoint,
    format,
    compression,
  }: Pick<Export, 'tenantId' | 'checkpoint' | 'format'> & { compression: 'gzip' | undefined },
) {
  const { contentType, extension } = formats[format];
  response.type(compression ? 'application/gzip' : contentType);
  response.setHeader(
    'Content-Disposition',
    `attachment; filename="audit-${tenantId}.${extension}${compression ? '.gz' : ''}"`,
  );
  if (checkpoint) response.setHeader('Reeve-Checkpoint', String(checkpoint.number));
  const gzip = compression && createGzip();
  gzip?.pipe(response);
  const out: Writable = gzip ?? response;
  for await (const line of lines) {
    if (response.destroyed) return;
    if (!out.write(`${line}\n`)) await Promise.race([once(out, 'drain'), once(response, 'close')]);
  }
  out.end();
}
