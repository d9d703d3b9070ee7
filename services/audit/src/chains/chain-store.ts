// How chained records lie in the store: the canonical JSON, byte for byte what was hashed, and beside it what it can be searched by.
import { type AuditRecord, addLeaf, type ChainedRecord, type Frontier } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Collections, QueryShape, Store } from '@reeve/store';
import { type SearchFields, searchFieldsOf } from '../search/search-fields.ts';

export type StoredRecord = SearchFields & {
  chain: string;
  sequence: number;
  hash: string;
  canonical: string;
  /** Offset in the source partition: how a redelivery is told from a producer's duplicate. */
  offset: string;
  /** When it was chained; rises along the chain, as `time` need not. */
  loggedAt: string;
};

/** Where a chain stands. Written after its records, so it may lag behind them after a crash: see `loadHead`. */
export type Head = {
  sequence: number;
  hash: string;
  offset: string;
  loggedAt: string;
  /** Of the Merkle tree over the hashes of its records: the roots of the complete subtrees, in hex. */
  frontier: string[];
};

export type Records = Collections<StoredRecord>;
export type Heads = Collections<Head>;

export const place = (chain: string, sequence: number) => `${chain}#${sequence}`;

const newestOf = (...equality: (keyof SearchFields)[]) =>
  ({ equality, sort: 'time', direction: 'descending' }) as const;

/** Each is an index: tenant, that field, time. */
export const recordQueries = {
  byTime: newestOf(),
  byType: newestOf('type'),
  byActor: newestOf('actorId'),
  byTarget: newestOf('targetId'),
  byOutcome: newestOf('outcome'),
  byIp: newestOf('ip'),
  bySession: newestOf('sessionId'),
  byCorrelation: newestOf('correlationId'),
  byAbout: newestOf('about'),
  byWord: newestOf('words'),
  storyOf: { equality: ['about'], sort: 'time' },
  storyOfCorrelation: { equality: ['correlationId'], sort: 'time' },
  byChain: { equality: ['chain'], sort: 'sequence' },
} as const satisfies Record<string, QueryShape<StoredRecord>>;

/** A record's id is its event's id, so an event is chained once however often it arrives; its place is unique, so a chain never forks. */
export function defineRecords(store: Store): Records {
  return store.collections<StoredRecord>({
    name: 'audit_records',
    unique: { place: record => place(record.chain, record.sequence) },
    queries: recordQueries,
  });
}

export function defineHeads(store: Store): Heads {
  return store.collections<Head>({ name: 'audit_heads', queries: { inOrder: { equality: [] } } });
}

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

export const frontierOf = (head: Head | null): Frontier => (head?.frontier ?? []).map(hash => Buffer.from(hash, 'hex'));

/** The head after further records of its chain. */
export function advance(
  head: Head | null,
  records: readonly Pick<StoredRecord, 'sequence' | 'hash' | 'offset' | 'loggedAt'>[],
): Head | null {
  const last = records.at(-1);
  if (!last) return head;
  let frontier = frontierOf(head);
  for (const { sequence, hash } of records) frontier = addLeaf(frontier, sequence - 1, Buffer.from(hash, 'hex'));
  const { sequence, hash, offset, loggedAt } = last;
  return { sequence, hash, offset, loggedAt, frontier: frontier.map(root => root.toString('hex')) };
}

/** The last record may be beyond the stored head: by the batch that a crash left without its head, or what another writer added meanwhile. */
export async function loadHead(
  { records, heads }: { records: Records; heads: Heads },
  tenantId: TenantId,
  chain: string,
): Promise<Head | null> {
  return catchUp(records, { tenantId, chain, stored: (await heads.in(tenantId).get(chain))?.state });
}

/** The same from a stored head that has been read already. */
export async function catchUp(
  records: Records,
  { tenantId, chain, stored }: { tenantId: TenantId; chain: string; stored: Head | undefined },
): Promise<Head | null> {
  // A head of a time before there was a tree: it is made of all records.
  let head = stored?.frontier ? stored : null;
  for (;;) {
    const next = await records.in(tenantId).getByUnique('place', place(chain, (head?.sequence ?? 0) + 1));
    if (!next) return head;
    head = advance(head, [next.state]);
  }
}
