import { randomBytes } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { decoysOf, packedList, placesInList, randomPlace } from './status-list.ts';

test('the example of the draft is packed as the draft has it', async () => {
  const bits = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
  const over = bits.flatMap((bit, place) => (bit === 1 ? [place] : []));
  const bytes = Buffer.from(await packedList(over, bits.length), 'base64url');
  expect(bytes.toString('hex')).toBe('78dadbb918000217015d');
  expect(inflateSync(bytes).toString('hex')).toBe('b9a3');
});

test('an empty list and a full one are whole', async () => {
  const read = async (over: number[]) => inflateSync(Buffer.from(await packedList(over), 'base64url'));
  expect((await read([])).equals(Buffer.alloc(placesInList / 8))).toBe(true);
  const all = Array.from({ length: placesInList }, (_, place) => place);
  expect((await read(all)).equals(Buffer.alloc(placesInList / 8, 0xff))).toBe(true);
});

test('decoys follow from the seed alone, are many, and nobody gets their places', () => {
  const seed = randomBytes(32);
  const decoys = decoysOf(seed);
  expect([...decoysOf(seed)]).toEqual([...decoys]);
  expect([...decoysOf(randomBytes(32)).keys()]).not.toEqual([...decoys.keys()]);
  expect(decoys.size).toBeGreaterThan(placesInList / 40);
  for (const [place, share] of decoys) {
    expect(place >= 0 && place < placesInList).toBe(true);
    expect(share >= 0 && share < 1).toBe(true);
  }
  const given = Array.from({ length: 10_000 }, () => randomPlace(decoys));
  expect(given.some(place => decoys.has(place))).toBe(false);
  expect(Math.max(...given)).toBeGreaterThan(placesInList * 0.99);
  expect(Math.min(...given)).toBeLessThan(placesInList * 0.01);
});
