import { type ChainedRecord, recordSchema } from '@reeve/audit-log';
import { z } from 'zod';

/** A record as it is read: what was hashed, the hash, and the key that signs the checkpoints of the log. */
export const eventView = z.object({ ...recordSchema.shape, hash: z.string(), keyId: z.string() });

export const viewOf = (
  { record, hash }: Pick<ChainedRecord, 'record' | 'hash'>,
  keyId: string,
): z.infer<typeof eventView> => ({
  ...record,
  hash,
  keyId,
});
