// What a line of an export holds, whatever its format: a record as it was hashed, or a signed statement about the log.
import type { AuditRecord, ChainedRecord } from '../record.ts';

export type Line =
  | ({ kind: 'record' } & ChainedRecord)
  /** A compact JWS. */
  | { kind: 'statement'; jws: string };

export type Format = {
  contentType: string;
  /** Of a file. */
  extension: string;
  /** The first line of a file, where there is one that is no record. */
  header?: string;
  /** One line, without its end. `keyId` is the key that signs the checkpoints of the log. */
  writeRecord(chained: ChainedRecord, keyId: string): string;
  writeStatement(jws: string): string;
  /** Reads a line back and checks that all of it says what the record says. Throws for a line that was not written so. */
  read(line: string): Line;
};

/**
 * A record from the JSON that was hashed. Throws when it has not what a verifier rests on; whether the rest is as Reeve writes it,
 * the hash says.
 */
export function readCanonical(canonical: string): AuditRecord {
  const record = JSON.parse(canonical) as Partial<AuditRecord> | null;
  for (const member of ['tenantId', 'chain', 'previousHash'] as const)
    if (typeof record?.[member] !== 'string') throw new TypeError(`the member "${member}" is missing`);
  if (!Number.isSafeInteger(record?.sequence) || Number(record?.sequence) < 1)
    throw new TypeError('the member "sequence" is no number from 1');
  return record as AuditRecord;
}

/** For a format that holds the canonical record among other fields: what a reader sees has to be what was hashed, so the line is made again and compared. */
export function readAgain(
  format: Pick<Format, 'writeRecord'>,
  line: string,
  { canonical, hash, keyId }: { canonical: unknown; hash: unknown; keyId: unknown },
): Line {
  if (typeof canonical !== 'string' || typeof hash !== 'string' || typeof keyId !== 'string')
    throw new TypeError('the record, its hash or the key id is missing');
  const chained = { record: readCanonical(canonical), canonical, hash };
  if (line !== format.writeRecord(chained, keyId))
    throw new TypeError('its fields differ from the record that it holds');
  return { kind: 'record', ...chained };
}
