import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import './bounded-decoder.ts';

type Decoder = Record<string, (reader: (from: Decoder) => unknown) => unknown> & { readInt8: () => number };

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Decoder;

const readers = ['readArray', 'readArrayAsync', 'readVarIntArray', 'readUVarIntArray'] as const;

/** As each reader has it: four bytes, zigzag, one more than there are. */
const length = (reader: (typeof readers)[number], count: number): number[] => {
  if (reader === 'readVarIntArray') return varInt(count * 2);
  return reader === 'readUVarIntArray'
    ? varInt(count + 1)
    : [count >>> 24, (count >>> 16) & 255, (count >>> 8) & 255, count & 255];
};
function varInt(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varInt(Math.floor(value / 128))];
}

const read = async (reader: (typeof readers)[number], bytes: number[]) =>
  new Decoder(Buffer.from(bytes))[reader]?.(from => from.readInt8());

describe.each(readers)('%s', reader => {
  test('reads an array that is there', async () => {
    expect(await read(reader, [...length(reader, 3), 1, 2, 3])).toEqual([1, 2, 3]);
    expect(await read(reader, length(reader, 0))).toEqual([]);
  });

  test('makes no room for one that is longer than what follows', async () => {
    const before = process.memoryUsage().heapTotal;
    await expect(read(reader, [...length(reader, 33_554_430), 1, 2, 3])).rejects.toThrow('longer than the answer');
    expect(process.memoryUsage().heapTotal - before).toBeLessThan(50_000_000);
  });
});
