// Reads a stretch of a chain as it is now: its records, and in place of those that were removed their tombstones. What
// is in neither is missing, and nobody is given a log that hides it.
import type { TenantId } from '@reeve/contracts';
import type { Log } from './log.ts';
import { place, type StoredRecord } from './record.ts';
import { chainedAt, hashesOf, tombstonesOf } from './tombstone.ts';

export type Chain = { tenantId: TenantId; chain: string };
/** What chains are read from. */
export type Chains = Pick<Log, 'records' | 'tombstones'>;

/** `sequence` is the place up to which the chain has been read with it. */
export type Step = { chain: string; sequence: number; loggedAt: string } & (
  | { record: StoredRecord; statements?: never }
  /** JWS of tombstones. `loggedAt` is that of the first record in whose place they are read. */
  | { statements: string[]; record?: never }
);

export async function* readChain(
  { records, tombstones }: Chains,
  { tenantId, chain }: Chain,
  { from, to }: { from: number; to: number },
): AsyncGenerator<Step> {
  let next = from;
  const given = new Set<string>();
  async function* gap(end: number): AsyncGenerator<Step> {
    if (next > end) return;
    for await (const { last, ofBlock } of tombstonesOf(tombstones, { tenantId, chain }, { from: next, to: end })) {
      const loggedAt = chainedAt(ofBlock, next);
      if (loggedAt === null) throw missing(chain, next);
      const known = new Set(ofBlock.flatMap(({ jws }) => [...hashesOf(jws).keys()]));
      for (; next <= last; next += 1) if (!known.has(next)) throw missing(chain, next);
      const fresh = ofBlock.map(({ jws }) => jws).filter(jws => !given.has(jws));
      for (const jws of fresh) given.add(jws);
      yield { chain, sequence: last, loggedAt, statements: fresh };
    }
    if (next <= end) throw missing(chain, next);
  }
  const range = { from, to };
  for await (const { state: record } of records.in(tenantId).all('byChain', { chain }, { range })) {
    yield* gap(record.sequence - 1);
    next = record.sequence + 1;
    yield { chain, sequence: record.sequence, loggedAt: record.loggedAt, record };
  }
  yield* gap(to);
}

const missing = (chain: string, sequence: number) => new Error(`record ${sequence} of ${chain} is missing`);

/** The hashes of a stretch of a chain, whether the records are there or not. */
export async function hashesBetween(
  chains: Chains,
  chain: Chain,
  { from, to }: { from: number; to: number },
): Promise<string[]> {
  const hashes = new Map<number, string>();
  for await (const { record, statements = [] } of readChain(chains, chain, { from, to })) {
    if (record) hashes.set(record.sequence, record.hash);
    for (const jws of statements) for (const [sequence, hash] of hashesOf(jws)) hashes.set(sequence, hash);
  }
  return Array.from({ length: to - from + 1 }, (_, at) => hashes.get(from + at) ?? '');
}

/**
 * How many places of a chain, from its first on, were chained when `holds` says, which has to be true of all of them
 * up to one and of none after it: a binary search.
 */
export async function countWhile(
  { records, tombstones }: Chains,
  { tenantId, chain, size }: Chain & { size: number },
  holds: (loggedAt: string) => boolean,
): Promise<number> {
  async function chainedAtPlace(sequence: number): Promise<string> {
    const record = await records.in(tenantId).getByUnique('place', place(chain, sequence));
    if (record) return record.state.loggedAt;
    for await (const { ofBlock } of tombstonesOf(tombstones, { tenantId, chain }, { from: sequence, to: sequence })) {
      const loggedAt = chainedAt(ofBlock, sequence);
      if (loggedAt !== null) return loggedAt;
    }
    throw missing(chain, sequence);
  }

  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(await chainedAtPlace(middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}
