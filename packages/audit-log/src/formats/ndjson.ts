// The record as it was hashed, with its hash and the key id at the end of the object.
import { canonicalJson } from '../record.ts';
import { type Format, type Line, lineOf, readCanonical } from './entry.ts';

const ending = /,"hash":"([0-9a-f]{64})","keyId":"([\w-]{1,100})"\}$/;

export const ndjson: Format = {
  contentType: 'application/x-ndjson',
  extension: 'ndjson',
  isRecordItself: true,

  writeRecord: ({ canonical, hash }, keyId) => `${canonical.slice(0, -1)},"hash":"${hash}","keyId":"${keyId}"}`,

  writeStatement: jws => JSON.stringify({ statement: jws }),

  read(line): Line {
    const found = ending.exec(line);
    if (found) {
      const canonical = `${line.slice(0, found.index)}}`;
      return {
        kind: 'record',
        record: readCanonical(canonical),
        canonical,
        hash: String(found[1]),
        keyId: String(found[2]),
      };
    }
    const parsed = JSON.parse(line) as Record<string, unknown> | null;
    const { statement, hash, keyId, ...rest } = parsed ?? {};
    // Written again by another tool, with its members in another order. One that comes twice, of which one reader takes the first and
    // another the last, does not survive this.
    if (JSON.stringify(parsed) !== line) throw new TypeError('the line is not as it was exported');
    if (typeof statement === 'string' && Object.keys(parsed ?? {}).length === 1)
      return { kind: 'statement', jws: statement };
    return lineOf({ raw: canonicalJson(rest), hash: hash ?? null, keyId });
  },
};
