// kafkajs 2.2.4 encodes each header of each record into a zeroed buffer of 512 bytes of its own, and each length into one more: some eighty
// buffers for one webhook, and the collector has more to do than the encoder. Imported for its effect: the encoder begins small (up to
// 64 bytes V8 keeps a typed array in its own heap), grows into unzeroed memory, of which it only ever hands out what it wrote, and
// writes lengths where they belong.
import { createRequire } from 'node:module';

type Encoding = {
  buf: Buffer;
  offset: number;
  ensureAvailable(this: Encoding, length: number): void;
  writeUVarInt(this: Encoding, value: number): Encoding;
};
type EncoderClass = { prototype: Encoding; nextPowerOfTwo(size: number): number };

const Encoder = createRequire(import.meta.url)('kafkajs/src/protocol/encoder.js') as EncoderClass;

const smallest = 64;
const kafkajsDefault = 511;
const longestVarInt = 5;

const nextPowerOfTwo = (size: number) => 1 << (32 - Math.clz32(size));

Encoder.nextPowerOfTwo = size => (size === kafkajsDefault ? smallest : nextPowerOfTwo(size));

Encoder.prototype.ensureAvailable = function ensureAvailable(length) {
  const needed = this.offset + length;
  if (needed <= this.buf.length) return;
  const grown = Buffer.allocUnsafe(nextPowerOfTwo(needed));
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
