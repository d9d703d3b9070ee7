import { timingSafeEqual } from 'node:crypto';

/** Takes as long for a text that is nearly the right one as for any other of its length. */
export function isSameText(given: string | null, wanted: string): boolean {
  const [one, other] = [Buffer.from(given ?? ''), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
