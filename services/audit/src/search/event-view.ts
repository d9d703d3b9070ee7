import { type ChainedRecord, recordSchema } from '@reeve/audit-log';
import { z } from 'zod';
import type { Log } from '../log/log.ts';
import { fromStored, type StoredRecord } from '../log/record.ts';

/** A record as it is read: what was hashed, the hash, and the key that signs the checkpoints of the log. */
export const eventView = z.object({ ...recordSchema.shape, hash: z.string(), keyId: z.string() });
export type EventView = z.infer<typeof eventView>;

/** What the routes that show records need of a log. */
export type Readable = Pick<Log, 'records' | 'signingKey'>;

const viewOf = ({ record, hash }: Pick<ChainedRecord, 'record' | 'hash'>, keyId: string): EventView => ({
  ...record,
  hash,
  keyId,
});

export const viewOfStored = ({ signingKey }: Pick<Log, 'signingKey'>, { state }: { state: StoredRecord }): EventView =>
  viewOf(fromStored(state), signingKey().kid);
