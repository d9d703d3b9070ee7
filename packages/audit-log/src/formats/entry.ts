// What a line of an export holds, whatever its format: a record as it was hashed, or a signed statement about the log.
import { type AuditRecord, type ChainedRecord, recordSchema } from '../record.ts';

export type Line =
  | ({ kind: 'record'; keyId: string } & ChainedRecord)
  /** A compact JWS. */
  | { kind: 'statement'; jws: string };

export type Format = {
  contentType: string;
  /** Of a file. */
  extension: string;
  /** The first line of a file, where there is one that is no record. */
  header?: string;
  /** The line is the record itself, and not other fields with the record among them. */
  isRecordItself?: boolean;
  /** One line, without its end. `keyId` is the key that signs the checkpoints of the log. */
  writeRecord(chained: ChainedRecord, keyId: string): string;
  writeStatement(jws: string): string;
  /** Reads a line back. Throws for a line that is none of the format. */
  read(line: string): Line;
};

/** What a reader sees has to be what was hashed: the line is written again and compared. */
export function saysWhatItHolds(format: Format, text: string, line: Line): boolean {
  if (format.isRecordItself) return true;
  return text === (line.kind === 'record' ? format.writeRecord(line, line.keyId) : format.writeStatement(line.jws));
}

/** In their canonical order. */
const members = Object.keys(recordSchema.shape).toSorted().toString();

/**
 * A record from the JSON that was hashed. Throws when it has not what a verifier rests on; whether the rest is as Reeve writes it,
 * the hash says.
 */
export function readCanonical(canonical: string): AuditRecord {
  const record = JSON.parse(canonical) as Partial<AuditRecord> | null;
  if (Object.keys(record ?? {}).toString() !== members)
    throw new TypeError('it has not exactly the members of a record');
  for (const member of ['tenantId', 'chain', 'previousHash'] as const)
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
