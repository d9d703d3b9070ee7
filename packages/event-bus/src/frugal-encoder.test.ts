// What is written is, byte for byte, what kafkajs writes.
import { createRequire } from 'node:module';
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { encodeRecord } from './frugal-encoder.ts';

type Encode = (...args: Parameters<typeof encodeRecord>) => { buf: Buffer; offset: number };

const require = createRequire(import.meta.url);
const recordModule = 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
const written = ({ buf, offset }: { buf: Buffer; offset: number }) => buf.subarray(0, offset).toString('hex');
let theirs: Encode;
let ours: Encode;

beforeAll(async () => {
  theirs = require(recordModule) as Encode;
  ours = (await import('./frugal-encoder.ts')).encodeRecord;
});

const bytes = fc.uint8Array({ maxLength: 3_000 }).map(found => Buffer.from(found));
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

test('kafkajs encodes with it from now on', () => {
  expect(require(recordModule)).toBe(ours);
});
