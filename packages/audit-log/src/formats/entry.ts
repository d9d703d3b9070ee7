// What a line of an export holds, whatever its format: a record as it was hashed, or a signed statement about the log.
import { parseCanonicalJson } from '../canonical-json.ts';
import { type AuditRecord, type ChainedRecord, recordSchema } from '../record.ts';

export type Line =
  | ({ kind: 'record'; keyId: string } & ChainedRecord)
  /** A compact JWS. */
  | { kind: 'statement'; jws: string };

type Writer = Pick<Format, 'writeRecord' | 'writeStatement'>;

export type Format = {
  contentType: string;
  /** Of a file. */
  extension: string;
  /** The first line of a file, where there is one that is no record. */
  header?: string;
  /** A line is a JSON text. */
  isJson?: boolean;
  /** The line is the record itself, and not other fields with the record among them. */
  isRecordItself?: boolean;
  /** One line, without its end. `keyId` is the key that signs the checkpoints of the log. */
  writeRecord(chained: ChainedRecord, keyId: string): string;
  writeStatement(jws: string): string;
  /** As a release before wrote it, where that was otherwise: what it exported stays verifiable. */
  formerly?: Writer;
  /** Reads a line back. Throws for a line that is none of the format. */
  read(line: string): Line;
};

/** What a reader sees has to be what was hashed: the line is written again and compared. */
export function saysWhatItHolds(format: Format, text: string, line: Line): boolean {
  if (format.isRecordItself || text === write(format, line)) return true;
  return format.formerly !== undefined && text === write(format.formerly, line);
}

const write = ({ writeRecord, writeStatement }: Writer, line: Line) =>
  line.kind === 'record' ? writeRecord(line, line.keyId) : writeStatement(line.jws);

/** In their canonical order. */
const members = Object.keys(recordSchema.shape).toSorted();

function hasMembers(record: object): boolean {
  let found = 0;
  for (const name in record) {
    if (name !== members[found]) return false;
    found += 1;
  }
  return found === members.length;
}

const texts = ['tenantId', 'chain', 'previousHash'] as const;

/**
 * A record from the JSON that was hashed. Throws when it is not canonical, or has not what a verifier rests on;
 * whether the rest is as Reeve writes it, the hash says.
 */
export function readCanonical(canonical: string): AuditRecord {
  const record = parseCanonicalJson(canonical) as Partial<AuditRecord> | null;
  if (!hasMembers(record ?? {})) throw new TypeError('it has not exactly the members of a record');
  for (const member of texts)
    if (typeof record?.[member] !== 'string') throw new TypeError(`the member "${member}" is missing`);
  if (!Number.isSafeInteger(record?.sequence) || Number(record?.sequence) < 1)
    throw new TypeError('the member "sequence" is no number from 1');
  return record as AuditRecord;
}

/** Of a format that holds the canonical record, or a JWS in its place, among other fields. */
export function lineOf({ raw, hash, keyId }: { raw: unknown; hash: unknown; keyId: unknown }): Line {
  if (typeof raw !== 'string') throw new TypeError('the record is missing');
  if (hash === undefined) return { kind: 'statement', jws: raw };
  if (typeof hash !== 'string' || typeof keyId !== 'string') throw new TypeError('the hash or the key id is missing');
  return { kind: 'record', record: readCanonical(raw), canonical: raw, hash, keyId };
}
