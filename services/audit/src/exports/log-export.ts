// What an export holds: all that a checkpoint covers, or the period asked for of it, chain by chain. Planned first, so that the signed manifest
// at its head says where it ends, and so that a reader who was cut off goes on where it was.
import { type Format, genesisHash, type Manifest, signStatement } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { fromStored } from '../chains/chain-store.ts';
import { type Chain, countWhile, hashesBetween, type Logs, readChain, type Step } from '../chains/read-chain.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import type { Signed } from '../checkpoints/checkpoint-store.ts';

/** Of the chaining, which rises along a chain: so what is exported of a chain has no gaps. */
export type Period = { from?: string | undefined; to?: string | undefined };
export type Place = { chain: string; sequence: number };
export type Range = Manifest['chains'][number];

export async function planExport(
  logs: Logs,
  { tenantId, checkpoint, period: { from, to } }: { tenantId: TenantId; checkpoint: Signed; period: Period },
): Promise<Range[]> {
  const ranges: Range[] = [];
  for (const { chain, size } of checkpoint.content.chains) {
    const of = { tenantId, chain, size };
    const before = from === undefined ? 0 : await countWhile(logs, of, loggedAt => loggedAt < from);
    const last = to === undefined ? size : await countWhile(logs, of, loggedAt => loggedAt <= to);
    if (last <= before) continue;
    ranges.push(await rangeOf(logs, of, { first: before + 1, last }));
  }
  return ranges;
}

async function rangeOf(logs: Logs, of: Chain, { first, last }: { first: number; last: number }): Promise<Range> {
  const hashAt = async (sequence: number) =>
    (await hashesBetween(logs, of, { from: sequence, to: sequence }))[0] as string;
  const previousHash = first === 1 ? genesisHash : await hashAt(first - 1);
  return { chain: of.chain, first, last, previousHash, head: await hashAt(last) };
}

/** Of that plan, what comes after a position, and at most so many places of it. */
export async function planPart(
  logs: Logs,
  {
    position,
    most,
    ...of
  }: Parameters<typeof planExport>[1] & { position: Readonly<Record<string, number>>; most: number },
): Promise<Range[]> {
  const ranges: Range[] = [];
  let left = most;
  for (const { chain, first: begins, last: ends } of await planExport(logs, of)) {
    const first = Math.max(begins, (position[chain] ?? 0) + 1);
    const last = Math.min(ends, first + left - 1);
    if (last < first) continue;
    left -= last - first + 1;
    ranges.push(await rangeOf(logs, { tenantId: of.tenantId, chain }, { first, last }));
  }
  return ranges;
}

export async function signManifest(
  { signingKey, clock }: { signingKey: () => SigningKey; clock: Clock },
  { checkpoint, period, chains }: { checkpoint: Signed; period: Period; chains: Range[] },
): Promise<string> {
  return signStatement(signingKey(), 'reeve-export', {
    tenantId: checkpoint.content.tenantId,
    time: clock.now().toISOString(),
    from: period.from ?? null,
    to: period.to ?? null,
    checkpoint: checkpoint.jws,
    chains,
  });
}

/** What there is of the ranges in their order, from the place after `after` on, with constant memory. */
export async function* readRanges(
  logs: Logs,
  { tenantId, ranges, after }: { tenantId: TenantId; ranges: readonly Range[]; after?: Place | undefined },
): AsyncGenerator<Step> {
  const start = after ? ranges.findIndex(({ chain }) => chain === after.chain) : 0;
  for (const { chain, first, last } of ranges.slice(start)) {
    const from = after?.chain === chain ? Math.max(first, after.sequence + 1) : first;
    yield* readChain(logs, { tenantId, chain }, { from, to: last });
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
