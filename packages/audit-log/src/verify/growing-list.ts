// A list that only grows at its end. A longer one shares its parts with the one that it grew from, so that growing is
// cheap and a state that holds the shorter one stays what it was.
const partSize = 32;

export type GrowingList<T> = { parts: readonly (readonly T[])[]; rest: readonly T[] };

export const emptyList: GrowingList<never> = { parts: [], rest: [] };

/** Where only the last ones are wanted, `keep` is how many at least. */
export function append<T>({ parts, rest }: GrowingList<T>, item: T, keep = Number.POSITIVE_INFINITY): GrowingList<T> {
  const longer = [...rest, item];
  if (longer.length < partSize) return { parts, rest: longer };
  return { parts: [...parts.slice(-Math.ceil(keep / partSize)), longer], rest: [] };
}

/** `back` is 1 for the last. */
export function fromEnd<T>({ parts, rest }: GrowingList<T>, back: number): T | undefined {
  if (back <= rest.length) return rest[rest.length - back];
  const before = back - rest.length - 1;
  return parts.at(-1 - Math.floor(before / partSize))?.at(-1 - (before % partSize));
}

export const itemsOf = <T>({ parts, rest }: GrowingList<T>): T[] => [...parts.flat(), ...rest];
