// What is in an evidence package, file by file. The records are an export of the period, as any other; the rest says where they stand in the log, and what
// they are evidence for. Written for somebody who has never seen Reeve.
import { type ConsistencyProof, formats, type InclusionProof } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { place, type StoredRecord } from '../chains/chain-store.ts';
import type { Logs } from '../chains/read-chain.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { type Checkpoints, type Signed, signedOf } from '../checkpoints/checkpoint-store.ts';
import { consistencyProof, inclusionProof } from '../checkpoints/proofs.ts';
import type { Tiles } from '../checkpoints/record-tree.ts';
import { linesOfStep, type Range, readRanges, signManifest } from '../exports/log-export.ts';
import { controls } from './controls.ts';
import type { Period } from './evidence-package.ts';

export type FileParts = Logs & {
  checkpoints: Checkpoints;
  tiles: Tiles;
  signingKey: () => SigningKey;
  clock: Clock;
};

export type Plan = { tenantId: TenantId; period: Period; checkpoint: Signed; ranges: readonly Range[] };

export type Tally = { records: number; removed: number; byType: Map<string, number>; byOutcome: Map<string, number> };
export const newTally = (): Tally => ({ records: 0, removed: 0, byType: new Map(), byOutcome: new Map() });

const add = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

function count(tally: Tally, { type, outcome }: StoredRecord) {
  tally.records += 1;
  add(tally.byType, type);
  add(tally.byOutcome, outcome);
}

/** The lines of records.ndjson; counts them on the way, and tells how many places it has passed. */
export async function* recordLines(
  parts: FileParts,
  { tenantId, period, checkpoint, ranges }: Plan,
  tally: Tally,
  onPlaces: (count: number) => Promise<void>,
): AsyncGenerator<string> {
  const keyId = parts.signingKey().kid;
  const manifest = await signManifest(parts, { checkpoint, period, chains: [...ranges] });
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
  for await (const { state } of checkpoints.in(tenantId).all('newest', {}, { number: { $lte: checkpoint.number } })) {
    lines.push(`${JSON.stringify({ number: state.number, time: state.time, statement: state.jws })}\n`);
    if (state.time < period.from) break;
  }
  yield* lines.toReversed();
}

/** Of each chain, that the first and the last record that are there are in the log; between them each names the one before. */
export async function inclusionProofs(
  parts: FileParts,
  { tenantId, checkpoint, ranges }: Plan,
): Promise<{ chain: string; sequence: number; proof: InclusionProof }[]> {
  const records = parts.records.in(tenantId);
  const proofs = [];
  for (const { chain, first, last } of ranges) {
    const where = { sequence: { $gte: first, $lte: last } };
    const { items } = await records.list('byChain', { chain }, { limit: 1, where });
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
  const where = { time: { $lt: period.from } };
  const { items } = await parts.checkpoints.in(tenantId).list('newest', {}, { limit: 1, where });
  return items[0] ? consistencyProof(parts, tenantId, { older: signedOf(items[0].state), newer }) : null;
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

const rows = (counts: Map<string, number>) =>
  [...counts].toSorted(([, one], [, other]) => other - one).map(([name, number]) => `| ${name} | ${number} |`);

export function summary(
  { tenantId, period, checkpoint, ranges }: Plan,
  tally: Tally,
  { name, keyIds }: { name: string; keyIds: string[] },
): string {
  const mapping = controlMapping(tally).map(
    ({ framework, id, title, shownBy, records }) => `| ${framework} | ${id} | ${title} | ${shownBy} | ${records} |`,
  );
  return [
    `# ${name.replaceAll(/[\r\n]+/g, ' ')}`,
    '',
    `Evidence from the audit log of the tenant \`${tenantId}\`: what was chained from ${period.from} to ${period.to}.`,
    '',
    `- **Records**: ${tally.records} in ${ranges.length} chains.${tally.removed > 0 ? ` ${tally.removed} more were removed before (retention or deletion); their places and hashes are told of by signed tombstones.` : ''}`,
    `- **Checkpoint**: number ${checkpoint.number} of ${checkpoint.time}, signed with the key \`${checkpoint.keyId}\`.`,
    `- **Keys**: ${keyIds.map(id => `\`${id}\``).join(', ')}. Compare them with \`/.well-known/reeve-audit-keys\` of the service, which you reach yourself: keys that come with the evidence prove nothing by themselves.`,
    '',
    '## To verify',
    '',
    '```',
    'npx reeve audit verify records.ndjson --keys keys.json',
    'npx reeve audit verify-proof proofs/<file>.json --keys keys.json',
    '```',
    '',
    'Or with a verifier of your own: `docs/audit-format.md` of Reeve says all that it takes. `records.ndjson` begins with a signed manifest, so that what was left out is found. Each record names the hash of the one before;',
    '`proofs/` shows that the first and the last of each chain are in the log that the checkpoint signs, and `proofs/consistency.json`, where it is there, that this log only adds to what it was before the period. `checkpoints.ndjson` has the checkpoints since, each of which',
    'names the one before.',
    '',
    '## What happened',
    '',
    '| type | records |',
    '| --- | --- |',
    ...rows(tally.byType),
    '',
    '| outcome | records |',
    '| --- | --- |',
    ...rows(tally.byOutcome),
    '',
    '## Controls',
    '',
    'Records that are evidence for a control. That there are some does not show that a control is met, nor does it show the contrary that there are none. `controls.json` has the types behind each number.',
    '',
    '| framework | control | about | shown by | records |',
    '| --- | --- | --- | --- | --- |',
    ...mapping,
    '',
  ].join('\n');
}
