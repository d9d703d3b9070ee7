// A token status list (draft-ietf-oauth-status-list): one bit for each of many sessions, which says that it is over.
// Who reads it learns that of the session whose token they hold, and of nobody else's: places are given at random,
// sessions of all tenants share a list, and some places are decoys that are nobody's. Pure, but for chance.
import { createCipheriv, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

export const placesInList = 2 ** 17;
/** Whoever counts what is over counts these as well. */
const decoys = placesInList / 32;
const bytesOfDecoy = 8;

const packed = promisify(deflate);

/** Places that are nobody's, each with the share of the list's life after which it is over. Follows from the seed. */
export function decoysOf(seed: Buffer): ReadonlyMap<number, number> {
  const cipher = createCipheriv('aes-256-ctr', seed, Buffer.alloc(16));
  const bytes = cipher.update(Buffer.alloc(decoys * bytesOfDecoy));
  const found = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += bytesOfDecoy)
    found.set(bytes.readUInt32LE(at) % placesInList, bytes.readUInt32LE(at + 4) / 2 ** 32);
  return found;
}

export function randomPlace(reserved: ReadonlyMap<number, number>): number {
  for (;;) {
    const place = randomInt(placesInList);
    if (!reserved.has(place)) return place;
  }
}

/** A bit each, from the least significant one on; zlib (RFC 1950), base64url. */
export async function packedList(over: Iterable<number>, places = placesInList): Promise<string> {
  const bytes = new Uint8Array(places / 8);
  for (const place of over) {
    const at = place >> 3;
    bytes[at] = (bytes[at] ?? 0) | (1 << (place & 7));
  }
  return (await packed(bytes, { level: 9 })).toString('base64url');
}
