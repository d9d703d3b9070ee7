// What a sink gets next: lines up to the size of a batch, or the objects of the next hour that is over.
import { createHash } from 'node:crypto';
import { formats, hashOfStatement } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { yieldEvery } from '@reeve/service-kit';
import { lastCheckpoint } from '../log/checkpoint.ts';
import { type Position, readAfter } from '../log/read-after.ts';
import type { Step } from '../log/read-chain.ts';
import { fromStored } from '../log/record.ts';
import { nextHour } from './hourly-objects.ts';
import type { Batch } from './kinds/delivery.ts';
import { kindOf } from './kinds/registry.ts';
import type { Run } from './run.ts';
import { type Sink, takesChain, takesType } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

const idleMs = 2_000;
const longestTurnMs = 10;
const longestBatchBytes = 1_000_000;
/** Of an object, for each record of a batch: 20,000 unless the store finds that too large. */
const placesPerObject = 40;

/** `count` records, or more where statements go along. */
export type Next = {
  /** Null where the places that were found hold nothing for this sink. */
  batch: Batch | null;
  count: number;
  position: Position;
  checkpoint: number;
  found: Step[];
  /** How long to wait before anything comes. */
  waitMs: number;
};

type Of = { tenantId: TenantId; run: Run; sink: Sink };

export const nextFor = (parts: SinkParts, of: Of): Promise<Next> =>
  kindOf(of.sink.target).takes === 'lines' ? nextLines(parts, of) : nextObjects(parts, of);

async function nextObjects(parts: SinkParts, { tenantId, run }: Of): Promise<Next> {
  const { position, checkpoint, batchSize } = run;
  const hour = await nextHour(parts, { tenantId, position, most: batchSize * placesPerObject });
  const nothing = { batch: null, count: 0, position, checkpoint };
  if (!hour) return { ...nothing, found: [], waitMs: idleMs };
  if ('waitMs' in hour) return { ...nothing, ...hour };
  const { objects, records: count, found } = hour;
  const batch = { id: `hour_${tenantId}`, tenantId, lines: [], objects };
  return { batch, count, position: hour.position, checkpoint, found, waitMs: 0 };
}

/** Behind the records, when all of the log is there, the checkpoint that says so. */
async function nextLines(parts: SinkParts, { tenantId, run, sink }: Of): Promise<Next> {
  const takes = (chain: string) => takesChain(sink, chain);
  const { found } = await readAfter(parts, { tenantId, position: run.position, limit: run.batchSize, takes });
  const { writeRecord, writeStatement } = formats[kindOf(sink.target).formatOf(sink.target)];
  const keyId = parts.signingKey().kid;
  const lines: { id: string; text: string }[] = [];
  const position: Record<string, number> = { ...run.position };
  let bytes = 0;
  const rest = yieldEvery(longestTurnMs);
  for (const { chain, sequence, record, statements = [] } of found) {
    const more = [];
    if (record && takesType(sink, record.type)) {
      const chained = fromStored(record);
      more.push({ id: chained.record.eventId, text: writeRecord(chained, keyId) });
    }
    if (!sink.types) for (const jws of statements) more.push({ id: hashOfStatement(jws), text: writeStatement(jws) });
    bytes += more.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    if (bytes > longestBatchBytes && lines.length > 0) break;
    lines.push(...more);
    position[chain] = sequence;
    await rest();
  }
  let { checkpoint } = run;
  const last = !sink.types && found.length < run.batchSize ? await lastCheckpoint(parts.checkpoints, tenantId) : null;
  const covered = last?.content.chains.every(({ chain, size }) => (position[chain] ?? 0) >= size);
  if (last && covered && last.number > run.checkpoint) {
    checkpoint = last.number;
    lines.push({ id: `checkpoint-${tenantId}-${last.number}`, text: writeStatement(last.jws) });
  }
  const waitMs = lines.length === 0 && found.length === 0 ? idleMs : 0;
  const batch = lines.length === 0 ? null : { id: batchId(lines), tenantId, lines };
  return { batch, count: lines.length, position, checkpoint, found, waitMs };
}

function batchId(lines: Batch['lines']): string {
  const ids = lines.map(({ id }) => id).join('\n');
  return `msg_${createHash('sha256').update(ids).digest('hex').slice(0, 32)}`;
}
