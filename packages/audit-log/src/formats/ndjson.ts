// The record as it was hashed, with its hash and the key id at the end of the object.
import { canonicalJson } from '../record.ts';
import { type Format, type Line, lineOf, readCanonical } from './entry.ts';

const beforeHash = ',"hash":"';
const beforeKeyId = '","keyId":"';
const ending = '"}';
const hashLength = 64;
const keyIds = /^[\w-]{1,100}$/;

/**
 * A line as it is written below. Null for any other. Without one expression for all of it, since this is done for each
 * record.
 */
function readWritten(line: string): Line | null {
  const end = line.lastIndexOf(beforeKeyId);
  const start = end - hashLength;
  const keyId = line.slice(end + beforeKeyId.length, -ending.length);
  if (!line.startsWith(beforeHash, start - beforeHash.length) || !line.endsWith(ending) || !keyIds.test(keyId))
    return null;
  const canonical = `${line.slice(0, start - beforeHash.length)}}`;
  try {
    return { kind: 'record', record: readCanonical(canonical), canonical, hash: line.slice(start, end), keyId };
  } catch {
    return null;
  }
}

/**
 * Written again by another tool, with its members in another order. One that comes twice, of which one reader takes
 * the first and another the last, does not survive that it has to be the same when it is written once more.
 */
function readRewritten(line: string): Line {
  const parsed = JSON.parse(line) as Record<string, unknown> | null;
  if (JSON.stringify(parsed) !== line) throw new TypeError('the line is not as it was exported');
  const { statement, hash, keyId, ...rest } = parsed ?? {};
  if (typeof statement === 'string' && Object.keys(parsed ?? {}).length === 1)
    return { kind: 'statement', jws: statement };
  return lineOf({ raw: canonicalJson(rest), hash: hash ?? null, keyId });
}

export const ndjson: Format = {
  contentType: 'application/x-ndjson',
  extension: 'ndjson',
  isJson: true,
  isRecordItself: true,

  writeRecord: ({ canonical, hash }, keyId) =>
    `${canonical.slice(0, -1)}${beforeHash}${hash}${beforeKeyId}${keyId}${ending}`,

  writeStatement: jws => JSON.stringify({ statement: jws }),

  read: line => readWritten(line) ?? readRewritten(line),
};
