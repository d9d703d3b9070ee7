// What an export holds: all that a checkpoint covers, or the period asked for of it, chain by chain. Planned first, so that the signed manifest
// at its head says where it ends, and so that a reader who was cut off goes on where it was.
import { type ChainedRecord, genesisHash, type Manifest, signStatement } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { fromStored, type Records } from '../chains/chain-store.ts';
import { countWhile, recordAt } from '../chains/count-while.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import type { Signed } from '../checkpoints/checkpoint-store.ts';

/** Of the chaining, which rises along a chain: so what is exported of a chain has no gaps. */
export type Period = { from?: string | undefined; to?: string | undefined };
export type Place = { chain: string; sequence: number };
export type Range = Manifest['chains'][number];

export async function planExport(
  { records }: { records: Records },
  { tenantId, checkpoint, period: { from, to } }: { tenantId: TenantId; checkpoint: Signed; period: Period },
): Promise<Range[]> {
  const ranges: Range[] = [];
  for (const { chain, size } of checkpoint.content.chains) {
    const of = { tenantId, chain, size };
    const before = from === undefined ? 0 : await countWhile(records, of, ({ loggedAt }) => loggedAt < from);
    const last = to === undefined ? size : await countWhile(records, of, ({ loggedAt }) => loggedAt <= to);
    if (last <= before) continue;
    const previousHash = before === 0 ? genesisHash : (await recordAt(records, of, before)).hash;
    ranges.push({ chain, first: before + 1, last, previousHash, head: (await recordAt(records, of, last)).hash });
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

/** The records of the ranges in their order, from the one after `after` on, with constant memory. */
export async function* readRanges(
  { records }: { records: Records },
  { tenantId, ranges, after }: { tenantId: TenantId; ranges: readonly Range[]; after?: Place | undefined },
): AsyncGenerator<ChainedRecord> {
  const start = after ? ranges.findIndex(({ chain }) => chain === after.chain) : 0;
  for (const { chain, first, last } of ranges.slice(start)) {
    const from = after?.chain === chain ? Math.max(first, after.sequence + 1) : first;
    const where = { sequence: { $gte: from, $lte: last } };
    let next = from;
    for await (const { state } of records.in(tenantId).all('byChain', { chain }, where)) {
      if (state.sequence !== next) throw new Error(`record ${next} of ${chain} is missing`);
      next += 1;
      yield fromStored(state);
    }
    if (next <= last) throw new Error(`record ${next} of ${chain} is missing`);
  }
}
