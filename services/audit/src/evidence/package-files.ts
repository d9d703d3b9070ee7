// What is in an evidence package, file by file. The records are an export of the period, as any other; the rest says
// where they stand in the log, and what they are evidence for. Written for somebody who has never seen Reeve.
import { type ConsistencyProof, formats, type InclusionProof } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { lastCheckpoint, type SignedCheckpoint } from '../log/checkpoint.ts';
import { linesOfStep, type Range, readRanges, signManifest } from '../log/export-lines.ts';
import type { Log } from '../log/log.ts';
import { consistencyProof, inclusionProof } from '../log/proofs.ts';
import { place, type StoredRecord } from '../log/record.ts';
import { controls } from './controls.ts';
import type { Period } from './evidence-package.ts';

export type FileParts = Pick<Log, 'records' | 'tombstones' | 'checkpoints' | 'tiles' | 'signingKey' | 'clock'>;

export type Plan = { tenantId: TenantId; period: Period; checkpoint: SignedCheckpoint; ranges: readonly Range[] };

export type Tally = { records: number; removed: number; byType: Map<string, number>; byOutcome: Map<string, number> };
export const newTally = (): Tally => ({ records: 0, removed: 0, byType: new Map(), byOutcome: new Map() });

const add = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

function count(tally: Tally, { type, outcome }: StoredRecord) {
  tally.records += 1;
  add(tally.byType, type);
  add(tally.byOutcome, outcome);
}

/** The lines of records.ndjson. Counts them on the way; `onPlaces` hears how many places of the log were passed. */
export async function* recordLines(
  parts: FileParts,
  { tenantId, period, checkpoint, ranges }: Plan,
  tally: Tally,
  onPlaces: (count: number) => Promise<void>,
): AsyncGenerator<string> {
  const keyId = parts.signingKey().kid;
  const manifest = await signManifest(parts, { checkpoint, period, ranges });
  yield `${formats.ndjson.writeStatement(manifest)}\n`;
  let before = { chain: '', sequence: 0 };
  for await (const step of readRanges(parts, { tenantId, ranges })) {
    const { chain, sequence, record } = step;
    const first = ranges.find(range => range.chain === chain)?.first ?? 1;
    const passed = sequence - (before.chain === chain ? before.sequence : first - 1);
    before = { chain, sequence };
    if (record) count(tally, record);
    else tally.removed += passed;
    for (const line of linesOfStep(step, formats.ndjson, keyId)) yield `${line}\n`;
    await onPlaces(passed);
  }
}

/** All checkpoints from the last before the period on, oldest first: each names the one before. */
export async function* checkpointLines(
  { checkpoints }: FileParts,
  { tenantId, period, checkpoint }: Plan,
): AsyncGenerator<string> {
  const lines: string[] = [];
  for await (const { state } of checkpoints.in(tenantId).all('newest', {}, { range: { to: checkpoint.number } })) {
    lines.push(`${JSON.stringify({ number: state.number, time: state.time, statement: state.jws })}\n`);
    if (state.time < period.from) break;
  }
  yield* lines.toReversed();
}

/**
 * Of each chain, that the first and the last record that are there are in the log; between them each names the one
 * before.
 */
export async function inclusionProofs(
  parts: FileParts,
  { tenantId, checkpoint, ranges }: Plan,
): Promise<{ chain: string; sequence: number; proof: InclusionProof }[]> {
  const records = parts.records.in(tenantId);
  const proofs = [];
  for (const { chain, first, last } of ranges) {
    const { items } = await records.list('byChain', { chain }, { limit: 1, range: { from: first, to: last } });
    const ends = [items[0], await records.getByUnique('place', place(chain, last))].filter(end => !!end);
    for (const { state: record } of new Map(ends.map(end => [end.id, end])).values()) {
      const proof = await inclusionProof(parts, tenantId, { record, checkpoint });
      proofs.push({ chain, sequence: record.sequence, proof });
    }
  }
  return proofs;
}

/** That the log at the end only adds to what it was before the period; null where nothing was signed before it. */
export async function growthProof(
  parts: FileParts,
  { tenantId, period, checkpoint: newer }: Plan,
): Promise<ConsistencyProof | null> {
  const older = await lastCheckpoint(parts.checkpoints, tenantId, { before: period.from });
  return older && consistencyProof(parts, tenantId, { older, newer });
}

export function controlMapping({ records, byType }: Tally) {
  return controls.map(({ framework, id, title, shownBy, types }) => ({
    framework,
    id,
    title,
    shownBy,
    types,
    records: types.length === 0 ? records : types.reduce((sum, type) => sum + (byType.get(type) ?? 0), 0),
  }));
}
