// What an export holds: all that a checkpoint covers, or the period asked for of it, chain by chain. Planned first, so
// that the signed manifest at its head says where it ends, and so that a reader who was cut off goes on where it was.
// Hourly objects, evidence packages and the verification are exports as well.
import { type Format, type FormatName, formats, genesisHash, type Manifest, signStatement } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { SignedCheckpoint } from './checkpoint.ts';
import type { Log } from './log.ts';
import { type Chain, type Chains, countWhile, hashesBetween, readChain, type Step } from './read-chain.ts';
import { fromStored } from './record.ts';

/** Of the chaining, which rises along a chain: so what is exported of a chain has no gaps. */
export type Period = { from?: string | undefined; to?: string | undefined };
export type Place = { chain: string; sequence: number };
export type Range = Manifest['chains'][number];

type Whole = { tenantId: TenantId; checkpoint: SignedCheckpoint; period: Period };

type Stretch = Chain & { first: number; last: number };

/** Chain by chain, what was chained in the period. */
async function* stretchesOf(
  chains: Chains,
  { tenantId, checkpoint, period: { from, to } }: Whole,
): AsyncGenerator<Stretch> {
  for (const { chain, size } of checkpoint.content.chains) {
    const of = { tenantId, chain, size };
    const before = from === undefined ? 0 : await countWhile(chains, of, loggedAt => loggedAt < from);
    const last = to === undefined ? size : await countWhile(chains, of, loggedAt => loggedAt <= to);
    if (last > before) yield { tenantId, chain, first: before + 1, last };
  }
}

async function rangeOf(chains: Chains, { first, last, ...of }: Stretch): Promise<Range> {
  const hashAt = async (sequence: number) =>
    (await hashesBetween(chains, of, { from: sequence, to: sequence }))[0] as string;
  const previousHash = first === 1 ? genesisHash : await hashAt(first - 1);
  return { chain: of.chain, first, last, previousHash, head: await hashAt(last) };
}

export async function planExport(chains: Chains, whole: Whole): Promise<Range[]> {
  const ranges: Range[] = [];
  for await (const stretch of stretchesOf(chains, whole)) ranges.push(await rangeOf(chains, stretch));
  return ranges;
}

/** Of that plan, what comes after a position, and at most so many places of it. */
export async function planPart(
  chains: Chains,
  { position, most, ...whole }: Whole & { position: Readonly<Record<string, number>>; most: number },
): Promise<Range[]> {
  const ranges: Range[] = [];
  let left = most;
  for await (const stretch of stretchesOf(chains, whole)) {
    const first = Math.max(stretch.first, (position[stretch.chain] ?? 0) + 1);
    const last = Math.min(stretch.last, first + left - 1);
    if (last < first) continue;
    left -= last - first + 1;
    ranges.push(await rangeOf(chains, { ...stretch, first, last }));
  }
  return ranges;
}

export async function signManifest(
  { signingKey, clock }: Pick<Log, 'signingKey' | 'clock'>,
  { checkpoint, period, ranges }: { checkpoint: SignedCheckpoint; period: Period; ranges: readonly Range[] },
): Promise<string> {
  return signStatement(signingKey(), 'reeve-export', {
    tenantId: checkpoint.content.tenantId,
    time: clock.now().toISOString(),
    from: period.from ?? null,
    to: period.to ?? null,
    checkpoint: checkpoint.jws,
    chains: [...ranges],
  });
}

/** What there is of the ranges in their order, from the place after `after` on, with constant memory. */
export async function* readRanges(
  chains: Chains,
  { tenantId, ranges, after }: { tenantId: TenantId; ranges: readonly Range[]; after?: Place | undefined },
): AsyncGenerator<Step> {
  const start = after ? ranges.findIndex(({ chain }) => chain === after.chain) : 0;
  for (const { chain, first, last } of ranges.slice(start)) {
    const from = after?.chain === chain ? Math.max(first, after.sequence + 1) : first;
    yield* readChain(chains, { tenantId, chain }, { from, to: last });
  }
}

/** What a step of a chain is in a format. */
export function linesOfStep(
  { record, statements = [] }: Step,
  { writeRecord, writeStatement }: Pick<Format, 'writeRecord' | 'writeStatement'>,
  keyId: string,
): string[] {
  return record ? [writeRecord(fromStored(record), keyId)] : statements.map(writeStatement);
}

export type Export = {
  tenantId: TenantId;
  /** Null of an empty log. */
  checkpoint: SignedCheckpoint | null;
  period: Period;
  ranges: readonly Range[];
  /** Where a reader goes on who was cut off. */
  after?: Place | undefined;
  format: FormatName;
};

export async function* linesOfExport(
  log: Chains & Pick<Log, 'signingKey' | 'clock'>,
  { tenantId, checkpoint, period, ranges, after, format }: Export,
): AsyncGenerator<string> {
  const { header, writeStatement } = formats[format];
  const keyId = log.signingKey().kid;
  if (header !== undefined && !after) yield header;
  if (checkpoint && !after) yield writeStatement(await signManifest(log, { checkpoint, period, ranges }));
  for await (const step of readRanges(log, { tenantId, ranges, after }))
    yield* linesOfStep(step, formats[format], keyId);
}
