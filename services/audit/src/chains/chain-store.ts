// How chained records lie in the store: the canonical JSON, byte for byte what was hashed, and beside it the fields to search by.
import { type AuditRecord, type ChainedRecord, canonicalJson, recordSchema } from '@reeve/audit-log';
import type { Collections, Store } from '@reeve/store';

export type StoredRecord = {
  chain: string;
  sequence: number;
  hash: string;
  canonical: string;
  /** Offset in the source partition: how a redelivery is told from a producer's duplicate. */
  offset: string;
  /** When it was chained; rises along the chain, as `time` need not. */
  loggedAt: string;
  time: string;
  type: string;
  outcome: string;
  actorId: string | null;
  targetId: string | null;
  ip: string | null;
  sessionId: string | null;
  correlationId: string;
};

/** Where a chain stands. Written after its records, so it may lag behind them after a crash: see `loadHead`. */
export type Head = { sequence: number; hash: string; offset: string };

export type Records = Collections<StoredRecord>;
export type Heads = Collections<Head>;

export const place = (chain: string, sequence: number) => `${chain}#${sequence}`;

/** A record's id is its event's id, so an event is chained once however often it arrives; its place is unique, so a chain never forks. */
export function defineRecords(store: Store): Records {
  return store.collections<StoredRecord>({
    name: 'audit_records',
    unique: { place: record => place(record.chain, record.sequence) },
    queries: {
      byTime: { equality: [], sort: 'time', direction: 'descending' },
      byChain: { equality: ['chain'], sort: 'sequence' },
    },
  });
}

export function defineHeads(store: Store): Heads {
  return store.collections<Head>({ name: 'audit_heads', queries: { inOrder: { equality: [] } } });
}

export function toStored(
  { record, hash }: ChainedRecord,
  { offset, loggedAt }: { offset: string; loggedAt: string },
): StoredRecord {
  const { chain, sequence, time, type, outcome, actor, target, context, correlationId } = record;
  return {
    chain,
    sequence,
    hash,
    canonical: canonicalJson(record),
    offset,
    loggedAt,
    time,
    type,
    outcome,
    correlationId,
    actorId: actor.id,
    targetId: target.id,
    ip: context.ip,
    sessionId: context.sessionId,
  };
}

export function fromStored({ canonical, hash }: StoredRecord): ChainedRecord {
  const record: AuditRecord = recordSchema.parse(JSON.parse(canonical));
  return { record, hash };
}
