// What tombstones tell of places that were not reached yet: the hashes of the records that were there, and why they
// went. By block, as tombstones are, so that a longer one shares its blocks with the one before.
import { blockOf, hashesIn, type Tombstone } from '../statements.ts';

export type Why = Pick<Tombstone, 'reason' | 'reference'>;
export type Removal = Why & { hash: string };
export type Removals = ReadonlyMap<number, ReadonlyMap<number, Removal>>;

export const noRemovals: Removals = new Map();

export const removalAt = (removals: Removals, place: number): Removal | undefined =>
  removals.get(blockOf(place))?.get(place);

/** With what a tombstone tells of the places after `reached` up to `last`. What lies in blocks before is forgotten. */
export function withTombstone(
  removals: Removals,
  tombstone: Tombstone,
  { reached, last }: { reached: number; last: number },
): Removals {
  const { reason, reference } = tombstone;
  // It tells of one block alone.
  const block = blockOf(tombstone.removed[0]?.first ?? 1);
  const places = new Map(removals.get(block));
  for (const [place, hash] of hashesIn(tombstone))
    if (place > reached && place <= last && !places.has(place)) places.set(place, { reason, reference, hash });
  const ahead = [...removals].filter(([other]) => other >= blockOf(reached + 1));
  return new Map(places.size === 0 ? ahead : [...ahead, [block, places]]);
}
