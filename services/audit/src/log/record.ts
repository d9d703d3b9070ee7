// A record as it lies in the store: the canonical JSON, byte for byte what was hashed, and beside it what it is found
// by.
import type { AuditRecord, ChainedRecord } from '@reeve/audit-log';
import { type Collections, collection, type QueryShape } from '@reeve/store';
import { type SearchFields, searchFieldsOf } from './search-fields.ts';

export type StoredRecord = SearchFields & {
  chain: string;
  sequence: number;
  hash: string;
  canonical: string;
  /** Offset in the source partition: tells a redelivery apart from a producer's duplicate. */
  offset: string;
  /** When it was chained; rises along the chain, as `time` need not. */
  loggedAt: string;
};

export type Records = Collections<StoredRecord>;

export const place = (chain: string, sequence: number) => `${chain}#${sequence}`;

type Field = keyof SearchFields;

const newestOf = (equality: readonly Field[], narrowedBy: readonly Field[] = []) =>
  ({ equality, sort: 'time', direction: 'descending', narrowedBy }) as const;

/**
 * Each is an index: tenant, that field, time. What names few records (a session, a word) is not narrowed: the rest of
 * a search is compared while it is read.
 */
export const recordQueries = {
  byTime: newestOf([]),
  byType: newestOf(['type'], ['outcome']),
  byActor: newestOf(['actorId'], ['type', 'outcome']),
  byTarget: newestOf(['targetId'], ['type', 'outcome']),
  byOutcome: newestOf(['outcome']),
  byIp: newestOf(['ip'], ['type', 'outcome']),
  bySession: newestOf(['sessionId']),
  byCorrelation: newestOf(['correlationId']),
  byAbout: newestOf(['about'], ['type', 'outcome']),
  byWord: newestOf(['words']),
  storyOf: { equality: ['about'], sort: 'time' },
  storyOfCorrelation: { equality: ['correlationId'], sort: 'time' },
  byChain: { equality: ['chain'], sort: 'sequence', narrowedBy: ['searchVersion'] },
} as const satisfies Record<string, QueryShape<StoredRecord>>;

/**
 * A record's id is its event's id, so an event is chained once however often it arrives; its place is unique, so a
 * chain never forks.
 */
export const records = collection<StoredRecord>({
  name: 'audit_records',
  unique: { place: record => place(record.chain, record.sequence) },
  queries: recordQueries,
});

export function toStored(
  { record, canonical, hash }: ChainedRecord,
  { offset, loggedAt }: { offset: string; loggedAt: string },
): StoredRecord {
  const { chain, sequence } = record;
  return { chain, sequence, hash, canonical, offset, loggedAt, ...searchFieldsOf(record) };
}

export function fromStored({ canonical, hash }: StoredRecord): ChainedRecord {
  return { record: JSON.parse(canonical) as AuditRecord, canonical, hash };
}
