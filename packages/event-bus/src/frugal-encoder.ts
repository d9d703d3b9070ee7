// kafkajs 2.2.4 encodes each header of each record into a zeroed buffer of 512 bytes of its own, and each length into
// one more: some eighty buffers for one webhook, and the collector has more to do than the encoder. Imported for its
// effect, before the first produce: an encoder begins small (up to 64 bytes V8 keeps a typed array in its own heap),
// grows into unzeroed memory, of which it only ever hands out what it wrote, and a record is written in one go. Its
// checksum takes a byte at a time, and is replaced by one that is three times as fast.
import { createRequire } from 'node:module';
import { replaceModule } from './replace-module.ts';

type HeaderValue = Buffer | string;
type Headers = Record<string, HeaderValue | HeaderValue[]>;
type KafkaRecord = {
  offsetDelta?: number;
  /** Milliseconds. */
  timestampDelta?: number;
  key: HeaderValue | null;
  value: Buffer | null;
  headers?: Headers;
};
type Encoding = {
  buf: Buffer;
  offset: number;
  ensureAvailable(this: Encoding, length: number): void;
  writeUVarInt(this: Encoding, value: number): Encoding;
  writeVarInt(value: number): Encoding;
  writeVarLong(value: number): Encoding;
  writeInt8(value: number): Encoding;
  writeVarIntBytes(value: HeaderValue | null): Encoding;
  writeVarIntString(value: string): Encoding;
  writeEncoder(this: Encoding, value: Encoding): Encoding;
  writeEncoderArray(this: Encoding, values: readonly Encoding[]): Encoding;
};
type EncoderClass = { new (): Encoding; prototype: Encoding; nextPowerOfTwo(size: number): number };

const require = createRequire(import.meta.url);
const Encoder = require('kafkajs/src/protocol/encoder.js') as EncoderClass;

const smallest = 64;
const kafkajsDefault = 511;
const longestVarInt = 5;
const longestDelta = 2 ** 30;

/**
 * What is longer than this is not copied into what wraps it: the wrapper writes itself into the free space before it.
 */
const large = 16_384;
const spaceBefore = 256;

const nextPowerOfTwo = (size: number) => 1 << (32 - Math.clz32(size));

Encoder.nextPowerOfTwo = size => (size === kafkajsDefault ? smallest : nextPowerOfTwo(size));

Encoder.prototype.ensureAvailable = function ensureAvailable(length) {
  const needed = this.offset + length;
  if (needed <= this.buf.length) return;
  const grown =
    needed < large
      ? Buffer.allocUnsafe(nextPowerOfTwo(needed))
      : Buffer.allocUnsafeSlow(spaceBefore + Math.max(needed, this.buf.length * 2)).subarray(spaceBefore);
  this.buf.copy(grown, 0, 0, this.offset);
  this.buf = grown;
};

/** Base 128, least significant group first (LEB128), as Kafka's records have it. */
Encoder.prototype.writeUVarInt = function writeUVarInt(value) {
  this.ensureAvailable(longestVarInt);
  let rest = value >>> 0;
  for (; rest > 0x7f; rest >>>= 7) this.buf[this.offset++] = (rest & 0x7f) | 0x80;
  this.buf[this.offset++] = rest;
  return this;
};

Encoder.prototype.writeEncoder = function writeEncoder({ buf, offset }) {
  if (offset > large && buf.byteOffset >= this.offset) {
    const around = Buffer.from(buf.buffer, buf.byteOffset - this.offset, this.offset + buf.length);
    this.buf.copy(around, 0, 0, this.offset);
    this.buf = around;
  } else {
    this.ensureAvailable(offset);
    buf.copy(this.buf, this.offset, 0, offset);
  }
  this.offset += offset;
  return this;
};

Encoder.prototype.writeEncoderArray = function writeEncoderArray(values) {
  const [first, ...others] = values;
  if (first && others.length === 0) return this.writeEncoder(first);
  this.ensureAvailable(values.reduce((sum, { offset }) => sum + offset, 0));
  for (const { buf, offset } of values) this.offset += buf.copy(this.buf, this.offset, 0, offset);
  return this;
};

/** A record of magic 2: https://kafka.apache.org/documentation/#record */
export function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }: KafkaRecord): Encoding {
  const body = new Encoder().writeInt8(0);
  if (Math.abs(timestampDelta) < longestDelta) body.writeVarInt(timestampDelta);
  else body.writeVarLong(timestampDelta);
  body.writeVarInt(offsetDelta).writeVarIntBytes(key).writeVarIntBytes(value);
  const fields = Object.entries(headers);
  body.writeVarInt(fields.reduce((sum, [, value]) => sum + (Array.isArray(value) ? value.length : 1), 0));
  for (const [name, value] of fields) {
    if (!Array.isArray(value)) body.writeVarIntString(name).writeVarIntBytes(value);
    else for (const one of value) body.writeVarIntString(name).writeVarIntBytes(one);
  }
  return new Encoder().writeVarInt(body.offset).writeEncoder(body);
}

/** CRC-32C, as Kafka's batches have it. */
const castagnoli = require('crc-32/crc32c.js') as { buf(bytes: Uint8Array): number };
export const checksum = (bytes: Uint8Array) => castagnoli.buf(bytes) >>> 0;

replaceModule('protocol/recordBatch/record/v0/index.js', encodeRecord);
replaceModule('protocol/recordBatch/crc32C/index.js', checksum);
