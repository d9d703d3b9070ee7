// What a journal is made of: what its contents say of it, and what the store gives it.
import type { Cause, TenantId } from '@reeve/contracts';
import type { Clock } from './clock.ts';
import type { CollectionDefinition } from './definition.ts';
import type { Entry, StoredDocument } from './document.ts';
import type { Rows } from './driver.ts';
import type { SegmentDocument } from './journal-segments.ts';
import type { Draft } from './stamp.ts';

/** What a row tells, with the cause that it had. */
export type CausedDraft = Draft & { cause: Cause };

export type JournalDefinition<S> = CollectionDefinition<S> & {
  /**
   * The events of a row when it is created. Pure, and from fields that no later change touches: it may be asked again
   * after a crash.
   */
  eventsOf: (state: S, tenantId: TenantId) => readonly CausedDraft[];
  /** Where those go. */
  topics: ReadonlySet<string>;
};

/** A journal as a value, for the store to open. */
export const journal = <S>(definition: JournalDefinition<S>): JournalDefinition<S> => definition;

/**
 * Finishes a row that has no events by itself and was not settled when its writer was lost. Idempotent; it may be asked
 * again.
 */
export type Recover<S> = (row: Entry<S>, tenantId: TenantId) => Promise<void>;

export type JournalParts<S> = {
  rows: Rows<StoredDocument<S>>;
  segmentRows: Rows<SegmentDocument>;
  definition: JournalDefinition<S>;
  recover: Recover<S>;
  clock: Clock;
  source: string;
  leaseMs: number;
  sweepMs: number;
  /** Beyond this many, while Kafka is away, rows are left to later sweeps. */
  rowsInMemory: number;
  onError: (error: unknown) => void;
};
