// What a verification found, for whoever tells people of it: no more than was shown.
import type { Manifest } from '../statements.ts';
import type { Chain } from './chain.ts';
import { isReached, type SignedCheckpoint } from './checkpoints.ts';
import type { Finding } from './finding.ts';
import { itemsOf } from './growing-list.ts';
import type { RemovedRun } from './position.ts';

export type Verification = {
  /** Whose log it is; null where nothing says it. */
  tenantId: string | null;
  records: number;
  /**
   * Records that were removed, as signed tombstones say; their places and hashes were followed like those of the
   * others.
   */
  removed: number;
  chains: {
    chain: string;
    first: number;
    last: number;
    head: string;
    /** The places of the removed ones. */
    removed: RemovedRun[];
  }[];
  /** The last checkpoint that was met, and whether its signature was checked: it is not where no keys were given. */
  checkpoint: {
    number: number;
    time: string;
    keyId: string;
    signatureChecked: boolean;
    /** What it has: the file may have less of it, and other chains not at all. */
    chains: { chain: string; size: number }[];
  } | null;
  /**
   * Records after the last checkpoint: nothing shows yet that they are Reeve's, or that none is missing behind them.
   */
  beyondCheckpoint: number;
  /** The checkpoints from elsewhere, and against how many of their chains the records of this file were held. */
  given: { number: number; time: string; chains: number; held: number }[];
  /** What the export says that it holds; null of a stream, and for a part of an export. */
  manifest: Pick<Manifest, 'time' | 'from' | 'to'> | null;
  /** When the stream began, as whoever verified it said. */
  since: string | null;
  /** Whether the other fields of each line were held against the record in it. */
  fieldsCompared: boolean;
  /** The first thing that is wrong; nothing after it is checked, since nothing after it can be relied on. */
  finding: Finding | null;
};

export type Verified = {
  tenantId: string | null;
  chains: ReadonlyMap<string, Chain>;
  last: SignedCheckpoint | null;
  given: readonly SignedCheckpoint[];
  manifest: Manifest | null;
  hasKeys: boolean;
};

export function verificationOf(
  { tenantId, chains, last, given, manifest, hasKeys }: Verified,
  more: Pick<Verification, 'since' | 'fieldsCompared' | 'finding'>,
): Verification {
  const sizes = new Map(last?.content.chains.map(({ chain, size }) => [chain, size]));
  const found = [...chains.values()].flatMap(({ name, position }) => (position ? [{ name, ...position }] : []));
  const total = (count: (chain: (typeof found)[number]) => number) => found.reduce((sum, one) => sum + count(one), 0);
  return {
    tenantId,
    records: total(({ records }) => records),
    removed: total(({ first, last: end, records }) => end - first + 1 - records),
    chains: found.map(({ name, first, last: end, hash, removed }) => ({
      chain: name,
      first,
      last: end,
      head: hash,
      removed: itemsOf(removed),
    })),
    checkpoint: last && {
      number: last.content.number,
      time: last.content.time,
      keyId: last.keyId,
      signatureChecked: hasKeys,
      chains: last.content.chains.map(({ chain, size }) => ({ chain, size })),
    },
    beyondCheckpoint: total(({ name, first, last: end }) =>
      Math.max(0, end - Math.max(sizes.get(name) ?? 0, first - 1)),
    ),
    given: given.map(({ content: { number, time, chains: heads } }) => ({
      number,
      time,
      chains: heads.length,
      held: heads.filter(({ chain, size }) => isReached(chains.get(chain), size)).length,
    })),
    manifest: manifest && { time: manifest.time, from: manifest.from, to: manifest.to },
    ...more,
  };
}
