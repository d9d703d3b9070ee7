// The Merkle tree over a chain, for proofs. Its hashes lie in tiles of 256: level 0 holds the hashes of the records,
// level n the roots of 256 tiles of the level below. A tile is made when it is first needed, of what is below it, and
// never changes; what is not a whole tile yet is computed each time. So a proof reads a few tiles, however long the
// chain is.
import { addLeaf, type Frontier, nodeHash, rootOf, type Subtree } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { type Chains, hashesBetween } from './read-chain.ts';
import type { Tiles } from './tile.ts';

const tileBits = 8;
const tileSize = 2 ** tileBits;
const hashBytes = 32;

/** The complete subtrees of the first `size` records of a chain. */
export function subtreesOf(
  { tiles, ...chains }: Chains & { tiles: Tiles },
  { tenantId, chain, size }: { tenantId: TenantId; chain: string; size: number },
): Subtree {
  /** Entries of a level from `from`, `count` of them: hashes of records, or roots of tiles of the level below. */
  async function compute(level: number, from: number, count: number): Promise<Buffer[]> {
    if (level > 0)
      return Promise.all(
        Array.from({ length: count }, async (_, index) => foldLevel(level - 1, await tile(level - 1, from + index))),
      );
    const hashes = await hashesBetween(chains, { tenantId, chain }, { from: from + 1, to: from + count });
    return hashes.map(hash => Buffer.from(hash, 'hex'));
  }

  async function tile(level: number, index: number): Promise<Buffer[]> {
    const id = `${chain}/${level}/${index}`;
    const stored = await tiles.in(tenantId).get(id);
    if (stored) {
      const bytes = Buffer.from(stored.state.hashes, 'base64');
      return Array.from({ length: tileSize }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes));
    }
    const hashes = await compute(level, index * tileSize, tileSize);
    await tiles.in(tenantId).put(id, { hashes: Buffer.concat(hashes).toString('base64') });
    return hashes;
  }

  return async (level, index) => {
    const tileLevel = Math.floor(level / tileBits);
    const count = 2 ** (level % tileBits);
    const from = index * count;
    const tileIndex = Math.floor(from / tileSize);
    const isWhole = (tileIndex + 1) * tileSize ** (tileLevel + 1) <= size;
    const within = from % tileSize;
    const entries = isWhole
      ? (await tile(tileLevel, tileIndex)).slice(within, within + count)
      : await compute(tileLevel, from, count);
    return foldLevel(tileLevel, entries);
  };
}

/** The root over a power of two of entries. */
function foldLevel(level: number, entries: readonly Buffer[]): Buffer {
  if (level === 0) return rootOf(entries.reduce<Frontier>((frontier, hash, at) => addLeaf(frontier, at, hash), []));
  let row = entries;
  while (row.length > 1)
    row = row.filter((_, at) => at % 2 === 0).map((left, at) => nodeHash(left, row[at * 2 + 1] as Buffer));
  return row[0] as Buffer;
}
