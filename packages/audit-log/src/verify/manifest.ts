// What the manifest of an export promises, and whether the file keeps it. Pure.
import type { Manifest } from '../statements.ts';
import type { Chain } from './chain.ts';
import type { SignedCheckpoint } from './checkpoints.ts';
import { Failure } from './finding.ts';

/**
 * All that it promises has to be in the checkpoint that it names, and all of that in it, where no period was asked
 * for.
 */
export function assertInCheckpoint({ chains: ranges, from, to }: Manifest, { content }: SignedCheckpoint) {
  for (const { chain, last, head } of ranges) {
    const signed = content.chains.find(one => one.chain === chain);
    if (!signed || last > signed.size || (last === signed.size && head !== signed.head))
      throw new Failure('differs_from_checkpoint', 'the manifest promises what its checkpoint does not have', {
        chain,
        sequence: last,
      });
  }
  if (from !== null || to !== null) return;
  const left = content.chains.find(
    ({ chain, size }) => !ranges.some(one => one.chain === chain && one.first === 1 && one.last === size),
  );
  if (left)
    throw new Failure('truncated', 'the manifest promises less than its checkpoint has', {
      chain: left.chain,
      sequence: left.size,
    });
}

/** Which of the manifest's chains a record is of: the one that was read last, or a later one. */
export function turnOf(
  manifest: Manifest,
  turn: number,
  { chain, sequence }: { chain: string; sequence: number },
): number {
  if (manifest.chains[turn]?.chain === chain) return turn;
  const next = manifest.chains.findIndex(one => one.chain === chain);
  if (next === -1) throw notInManifest(chain);
  if (next < turn) throw new Failure('out_of_order', 'its chain ended before', { chain, sequence });
  return next;
}

export const notInManifest = (chain: string) =>
  new Failure('not_in_manifest', 'the export should not hold this chain', { chain });

export function assertKept({ chains: ranges }: Manifest, chains: ReadonlyMap<string, Chain>) {
  for (const { chain, last, head } of ranges) {
    const position = chains.get(chain)?.position;
    const place = { chain, sequence: last };
    if (position?.last !== last)
      throw new Failure(
        'truncated',
        `the export holds records up to ${last}, the file up to ${position?.last ?? 'none'}`,
        place,
      );
    if (position.hash !== head) throw new Failure('broken_link', `the manifest signed another record ${last}`, place);
  }
}
