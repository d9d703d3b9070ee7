// kafkajs makes room for as many elements as an answer says that an array has, before it reads the first of them: a
// few bytes of a stranger's ask for gigabytes. Imported for its effect: no array has more elements than bytes follow.
import { createRequire } from 'node:module';

type Decoding = {
  buffer: Buffer;
  offset: number;
  readInt32(): number;
  readVarInt(): number;
  readUVarInt(): number;
} & Record<ArrayReader, (this: Decoding, reader: (decoder: Decoding) => unknown) => unknown>;
type ArrayReader = 'readArray' | 'readArrayAsync' | 'readVarIntArray' | 'readUVarIntArray';

const require = createRequire(import.meta.url);
const { prototype } = require('kafkajs/src/protocol/decoder.js') as { prototype: Decoding };

const lengths = {
  readArray: 'readInt32',
  readArrayAsync: 'readInt32',
  readVarIntArray: 'readVarInt',
  readUVarIntArray: 'readUVarInt',
} as const;

for (const name of Object.keys(lengths) as ArrayReader[]) {
  const readAll = prototype[name];
  prototype[name] = function readBounded(reader) {
    const { offset } = this;
    // A compact array says one more than it has.
    if (this[lengths[name]]() - 1 > this.buffer.length - this.offset)
      throw new RangeError('an array is longer than the answer it is in');
    this.offset = offset;
    return readAll.call(this, reader);
  };
}
