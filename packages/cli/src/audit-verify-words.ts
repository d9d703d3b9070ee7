// What people are told of a verification: what was shown, and what was not.
import {
  type AuditRecord,
  type ConsistencyProof,
  decodeStatement,
  type InclusionProof,
  type Verification,
} from '@reeve/audit-log';
import type { Proof } from './audit-verify-input.ts';

/** Refused: something is wrong. Unproven: nothing is, but anybody may have written it. */
export type Outcome = 'verified' | 'unproven' | 'refused';

/**
 * An export that says itself that its period holds nothing is whole; any other log that holds nothing proves nothing.
 */
const holdsNothing = ({ records, removed, manifest }: Verification) => records + removed === 0 && manifest === null;

export function outcomeOf(result: Verification): Outcome {
  if (result.finding || holdsNothing(result)) return 'refused';
  return whyUnproven(result) === null ? 'verified' : 'unproven';
}

const coversNothing = ({ manifest, beyondCheckpoint, records, removed }: Verification) =>
  manifest === null && beyondCheckpoint >= records + removed;

function whyUnproven(result: Verification): string | null {
  const { checkpoint } = result;
  if (!checkpoint?.signatureChecked) return 'no keys were given (--keys)';
  return coversNothing(result) ? `checkpoint ${checkpoint.number} covers none of them` : null;
}

/** Nothing that a file says may pass for what we say, or move the cursor. */
export const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');

export function describe(result: Verification): string {
  if (outcomeOf(result) === 'refused') return refusal(result).map(printable).join('\n');
  return [
    headline(result),
    ...result.chains.flatMap(one => chainLines(result, one)),
    ...leftOut(result),
    ...meaning(result),
  ]
    .map(printable)
    .join('\n');
}

function refusal({ tenantId, finding, records }: Verification): string[] {
  const whose = tenantId === null ? '' : `, the log of the tenant ${tenantId}`;
  if (!finding) return [`NOT verified${whose}: it holds no records`];
  const line = finding.line === 0 ? '' : `line ${finding.line}: `;
  const record = finding.sequence === null ? '' : `, record ${finding.sequence}`;
  const place = finding.chain === null ? '' : `chain ${finding.chain}${record}: `;
  return [
    `NOT verified${whose}: ${line}${place}${finding.problem}: ${finding.detail}`,
    `${records} records were read before it`,
  ];
}

function headline(result: Verification): string {
  const { records, removed, chains, tenantId, beyondCheckpoint } = result;
  const gone = removed === 0 ? '' : `, and the places of ${removed} that were removed,`;
  const whose = tenantId === null ? '' : ` of the tenant ${tenantId}`;
  const unproven = whyUnproven(result);
  if (unproven !== null) {
    const found = `NOT PROVEN: ${records} records in ${chains.length} chains${gone}${whose} fit together`;
    return `${found}, but ${unproven}, so anybody may have written them`;
  }
  const sizes = signedSizes(result);
  const signed = chains.filter(({ chain }) => sizes.has(chain)).length;
  const more = beyondCheckpoint === 0 ? '' : `; ${beyondCheckpoint} more are not`;
  return `verified: ${records - beyondCheckpoint} records in ${signed} chains${gone}${whose}${more}`;
}

type Chain = Verification['chains'][number];

const signedSizes = ({ checkpoint }: Verification) =>
  new Map(checkpoint?.chains.map(({ chain, size }) => [chain, size]));

function chainLines(result: Verification, { chain, first, last, head, removed }: Chain): string[] {
  const { checkpoint } = result;
  const size = signedSizes(result).get(chain) ?? 0;
  const of = size > last ? ` of ${size}` : '';
  const beyond = last - Math.max(size, first - 1);
  const after = checkpoint && beyond > 0 ? `, ${beyond} of them beyond the checkpoint` : '';
  const byReason = Map.groupBy(removed, ({ reason, reference }) => `${reason.replace('_', ' ')}, ${reference}`);
  return [
    `  ${chain}: records ${first} to ${last}${of}${after}, head ${head.slice(0, 16)}…`,
    ...[...byReason].map(([why, runs]) => `    removed (${why}): ${placesOf(runs)}`),
  ];
}

const mostRuns = 20;

function placesOf(runs: Chain['removed']): string {
  const named = runs.slice(0, mostRuns).map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`));
  const more = runs.length > mostRuns ? `, and ${runs.length - mostRuns} runs more (--json has all)` : '';
  return `${named.join(', ')}${more}`;
}

/** What its checkpoint has, and an export of a period or a stream that began later has not. */
function leftOut({ checkpoint, chains }: Verification): string[] {
  const here = new Set(chains.map(({ chain }) => chain));
  return (checkpoint?.chains ?? [])
    .filter(({ chain }) => !here.has(chain))
    .map(({ chain, size }) => `  ${chain}: none of its ${size} records is here`);
}

function meaning(result: Verification): string[] {
  const sentences = [scope(result), whatHolds(result), ...keptCheckpoints(result), beyond(result)];
  if (!result.fieldsCompared)
    sentences.push(
      'What the lines show beside the records was NOT compared with them (--ignore-fields): rely on the records alone.',
    );
  return sentences.filter(sentence => sentence !== '');
}

function scope({ manifest, since, chains }: Verification): string {
  if (manifest) {
    if (manifest.from === null && manifest.to === null) return '';
    const [from, to] = [manifest.from ?? 'the beginning', manifest.to ?? manifest.time];
    const what = chains.length === 0 ? 'Nothing was' : 'This is what was';
    const period = `${what} chained from ${from} to ${to}, as the manifest of the export says.`;
    return `${period} The rest of the log is not shown here.`;
  }
  if (since !== null) return `The stream is said to begin at ${since}: what was before that is not shown here.`;
  return chains.some(({ first }) => first > 1)
    ? 'It begins in the middle: what was before that is not shown here.'
    : '';
}

function whatHolds(result: Verification): string {
  const { checkpoint, chains, removed, manifest } = result;
  if (!checkpoint || coversNothing(result))
    return [
      'Nothing between the first and the last record of each chain is altered, missing or out of order.',
      `That nothing is missing after the last is not shown${checkpoint ? '' : ': there is no checkpoint'}.`,
    ].join(' ');
  const { number, time, keyId, signatureChecked } = checkpoint;
  const signed = signatureChecked
    ? `signed with the key ${keyId}`
    : `which names the key ${keyId}; nobody checked that`;
  const of = `checkpoint ${number} of ${time}, ${signed}`;
  if (chains.length === 0) return `The log was then that of ${of}.`;
  const none =
    removed === 0
      ? 'nothing is altered, missing or out of order'
      : 'nothing else is missing, and nothing is altered or out of order';
  const told = signatureChecked ? 'signed tombstones' : 'tombstones, whose signatures nobody checked,';
  const gone = removed === 0 ? '' : ` Of the removed records, ${told} have the hashes; what they said is not shown.`;
  const isPart = manifest && chains.some(({ chain, last }) => last < sizeOf(checkpoint, chain));
  if (isPart) return `Between these records ${none}. They are, as the manifest says, of the log of ${of}.${gone}`;
  return `From the first record of each of these chains on, ${none} up to ${of}.${gone}`;
}

const sizeOf = ({ chains }: NonNullable<Verification['checkpoint']>, chain: string) =>
  chains.find(one => one.chain === chain)?.size ?? 0;

function keptCheckpoints({ given }: Verification): string[] {
  return given
    .filter(({ chains, held }) => held < chains)
    .map(({ number, chains, held }) =>
      [
        `Checkpoint ${number}, which you gave: ${held} of its ${chains} chains were held against a record here.`,
        'Of the others this file does not have the places that it names;',
        'a proof of consistency with the checkpoint of this file shows them (verify-proof).',
      ].join(' '),
    );
}

function beyond({ beyondCheckpoint, checkpoint }: Verification): string {
  if (!checkpoint || beyondCheckpoint === 0) return '';
  return `${beyondCheckpoint} records are beyond it: nothing shows yet that they are Reeve's.`;
}

/** Of a proof that holds. */
export const describeProof = (proof: Proof): string =>
  ('record' in proof ? inclusionLines(proof) : consistencyLines(proof)).map(printable).join('\n');

function inclusionLines({ record, checkpoint }: InclusionProof): string[] {
  const { eventId, type, time, chain, sequence, tenantId } = JSON.parse(record) as AuditRecord;
  return [
    'verified: the record is in the log',
    `  event ${eventId}, ${type} of ${time}: record ${sequence} of ${chain}`,
    `  tenant ${tenantId}`,
    `  ${checkpointLine(checkpoint)}`,
  ];
}

function consistencyLines({ from, to }: ConsistencyProof): string[] {
  return [
    'verified: the log only grew',
    `  tenant ${decodeStatement(to).content.tenantId}`,
    `  from ${checkpointLine(from)}`,
    `  to ${checkpointLine(to)}`,
  ];
}

function checkpointLine(jws: string): string {
  const { kind, keyId, content } = decodeStatement(jws);
  return kind === 'reeve-checkpoint'
    ? `checkpoint ${content.number} of ${content.time}, signed with the key ${keyId}`
    : '';
}
