import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { linesOf } from './lines.ts';

async function* inPortions(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = 3): Promise<string[]> {
  const found: string[] = [];
  for await (const line of linesOf(inPortions(bytes, size))) found.push(line);
  return found;
}

test('a line ends with LF or CRLF and with nothing else, wherever the bytes are parted', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 }).map(one => one.toWellFormed().replaceAll(/[\r\n]/g, 'x'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('\n', '\r\n'),
      async (lines, size, end) => {
        expect(await read(Buffer.from(lines.map(line => line + end).join('')), size)).toEqual(lines);
      },
    ),
  );
  expect(await read(Buffer.from('a\u2028b\u2029c\u0085d\ve\rf\n\nlast'))).toEqual([
    'a\u2028b\u2029c\u0085d\ve\rf',
    '',
    'last',
  ]);
  expect(await read(Buffer.from('\ufeffa\n'))).toEqual(['\ufeffa']);
  expect(await read(Buffer.alloc(0))).toEqual([]);
});

test.each([[[0xff]], [[0xc0, 0xaf]], [[0xe2, 0x82]], [[0xed, 0xa0, 0x80]]])('bytes %j are not UTF-8', async bytes => {
  await expect(read(Buffer.from([0x61, ...bytes, 0x0a]), 1)).rejects.toThrow('not valid');
  await expect(read(Buffer.from([0x61, ...bytes]), 1)).rejects.toThrow('not valid');
});

test('a line without end is not waited for', async () => {
  async function* endless() {
    for (;;) yield Buffer.alloc(65_536, 'x');
  }
  await expect(
    (async () => {
      for await (const _ of linesOf(endless()));
    })(),
  ).rejects.toThrow('longer than');
});

test('a line has at most 16,777,216 characters, wherever its end comes', async () => {
  const longest = 16_777_216;
  async function* bytes(length: number, end: string) {
    for (let left = length; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 'x');
    yield Buffer.from(end);
  }
  const lengths = async (length: number, end: string) => {
    const found: number[] = [];
    for await (const line of linesOf(bytes(length, end))) found.push(line.length);
    return found;
  };
  expect(await lengths(longest, '\ny\n')).toEqual([longest, 1]);
  for (const end of ['\ny\n', '', '\n']) await expect(lengths(longest + 1, end)).rejects.toThrow('longer than');
});
