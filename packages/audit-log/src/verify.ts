// Checks an export: that each record hashes to what it says, that each follows its predecessor, and that none of a chain is
// missing, doubled or out of order. Needs nothing but the export.
import { type ChainedRecord, canonicalJson, genesisHash, hashOf, recordSchema } from './record.ts';

export type Finding = {
  /** Line of the export, from 1. */
  line: number;
  chain: string | null;
  sequence: number | null;
  problem: 'unreadable' | 'altered' | 'broken_link' | 'missing' | 'out_of_order' | 'other_tenant';
  detail: string;
};

export type Verification = {
  records: number;
  chains: { chain: string; first: number; last: number; head: string }[];
  /** The first thing that is wrong; nothing after it is checked, since nothing after it can be relied on. */
  finding: Finding | null;
};

/** A line of the NDJSON export as it is. */
export function readChained(line: string): ChainedRecord {
  const parsed = JSON.parse(line) as Record<string, unknown>;
  // A member that comes twice, of which one reader takes the first and another the last, does not survive this.
  if (JSON.stringify(parsed) !== line.trim()) throw new TypeError('the line is not as it was exported');
  const { hash, ...record } = parsed;
  if (typeof hash !== 'string') throw new TypeError('the field "hash" is missing');
  return { record: recordSchema.parse(record), hash };
}

export type Reader = (line: string) => ChainedRecord;

/**
 * Verifies the lines of one tenant's export in their order. An export may begin in the middle of a chain (a period, a page): then the
 * first record of each chain is taken as its beginning, and `first` says so by not being 1.
 */
export async function verifyExport(lines: AsyncIterable<string>, read: Reader = readChained): Promise<Verification> {
  const heads = new Map<string, { first: number; sequence: number; hash: string }>();
  let tenantId: string | null = null;
  let line = 0;
  let records = 0;
  const result = (finding: Finding | null): Verification => ({
    records,
    chains: [...heads].map(([chain, { first, sequence, hash }]) => ({ chain, first, last: sequence, head: hash })),
    finding,
  });

  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    let chained: ChainedRecord;
    try {
      chained = read(text);
    } catch (error) {
      return result({
        line,
        chain: null,
        sequence: null,
        problem: 'unreadable',
        detail: error instanceof Error ? error.message : 'not a record',
      });
    }
    const { record, hash } = chained;
    const { chain, sequence, previousHash } = record;
    const fail = (problem: Finding['problem'], detail: string) => result({ line, chain, sequence, problem, detail });
    tenantId ??= record.tenantId;
    if (record.tenantId !== tenantId) return fail('other_tenant', `the record belongs to ${record.tenantId}`);
    if (hashOf(previousHash, canonicalJson(record)) !== hash)
      return fail('altered', 'the record does not hash to its hash');
    const head = heads.get(chain);
    if (head) {
      if (sequence > head.sequence + 1)
        return fail('missing', `records ${head.sequence + 1} to ${sequence - 1} are missing`);
      if (sequence <= head.sequence)
        return fail('out_of_order', `record ${sequence} comes after record ${head.sequence}`);
      if (previousHash !== head.hash) return fail('broken_link', 'the record does not follow its predecessor');
    } else if (sequence === 1 && previousHash !== genesisHash) {
      return fail('broken_link', 'the first record of a chain does not begin it');
    }
    heads.set(chain, { first: head?.first ?? sequence, sequence, hash });
    records += 1;
  }
  return result(null);
}
