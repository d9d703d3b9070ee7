// What is written is, byte for byte, what kafkajs writes.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { checksum, encodeRecord } from './frugal-encoder.ts';

type Encode = (...args: Parameters<typeof encodeRecord>) => { buf: Buffer; offset: number };

const require = createRequire(import.meta.url);
const batches = 'kafkajs/src/protocol/recordBatch';
const recordModule = `${batches}/record/v0/index.js`;
const checksumModule = `${batches}/crc32C/index.js`;
const written = ({ buf, offset }: { buf: Buffer; offset: number }) => buf.subarray(0, offset).toString('hex');
let theirs: Encode;
let ours: Encode;
let theirChecksum: typeof checksum;
let ourChecksum: typeof checksum;

beforeAll(async () => {
  theirs = require(recordModule) as Encode;
  theirChecksum = require(checksumModule) as typeof checksum;
  ({ encodeRecord: ours, checksum: ourChecksum } = await import('./frugal-encoder.ts'));
});

/**
 * Of any length up to `longest`: an array of fast-check's stays short, and what the large are spared would not be
 * tried.
 */
const bytesUpTo = (longest: number) =>
  fc
    .tuple(fc.nat(longest), fc.nat(255))
    .map(([length, first]) => Buffer.alloc(length, Uint8Array.of(first, first + 1, first + 7)));
const bytes = bytesUpTo(20_000);
const text = fc.string({ unit: 'binary', maxLength: 200 });
const headerValue = fc.oneof(bytes, text);
const record = fc.record({
  offsetDelta: fc.nat(),
  timestampDelta: fc.oneof(fc.constant(0), fc.nat(), fc.maxSafeNat()),
  key: fc.option(fc.oneof(bytes, text)),
  value: fc.option(bytes),
  headers: fc.dictionary(text, fc.oneof(headerValue, fc.array(headerValue, { maxLength: 3 }))),
});

test('a record is what kafkajs makes of it', () => {
  fc.assert(fc.property(record, one => expect(written(ours(one))).toBe(written(theirs(one)))));
});

test('a checksum is what kafkajs makes of it', () => {
  fc.assert(fc.property(bytes, one => expect(ourChecksum(one)).toBe(theirChecksum(one))));
});

test('wrapping keeps every byte, of the small and of the large', () => {
  const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => ReturnType<typeof encodeRecord>;
  const part = bytesUpTo(40_000);
  fc.assert(
    fc.property(part, fc.array(fc.tuple(fc.nat(), part, fc.nat())), (first, layers) => {
      let encoder = new Encoder().writeVarIntBytes(first);
      let expected = encoder.buf.subarray(0, encoder.offset).toString('hex');
      for (const [before, other, after] of layers) {
        const wrapped = new Encoder()
          .writeVarInt(before)
          .writeEncoderArray([encoder, new Encoder().writeVarIntBytes(other)]);
        const around = [before, after].map(number => written(new Encoder().writeVarInt(number)));
        encoder = new Encoder().writeVarInt(after).writeEncoder(wrapped);
        expected = `${around[1]}${around[0]}${expected}${written(new Encoder().writeVarIntBytes(other))}`;
      }
      expect(written(encoder)).toBe(expected);
    }),
  );
});

test('kafkajs encodes with it, also where require is instrumented', () => {
  const program = `
    import { createRequire } from 'node:module';
    import { encodeRecord } from './frugal-encoder.ts';
    process.exitCode = createRequire(import.meta.url)('${recordModule}') === encodeRecord ? 0 : 3;`;
  const flags = ['--disable-warning=ExperimentalWarning', '--conditions=source', '--input-type=module-typescript'];
  const run = (...more: string[]) =>
    spawnSync(process.execPath, [...flags, ...more, '-e', program], { cwd: import.meta.dirname });
  expect(run().status).toBe(0);
  expect(run('--import', '../../service-kit/src/telemetry.ts').status).toBe(0);
});
