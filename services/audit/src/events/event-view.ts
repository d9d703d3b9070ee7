import { type ChainedRecord, recordSchema } from '@reeve/audit-log';
import { z } from 'zod';

/** A record as it is read and exported: what was hashed, and the hash. */
export const eventView = z.object({ ...recordSchema.shape, hash: z.string() });

export function viewOf({ record, hash }: ChainedRecord): z.infer<typeof eventView> {
  return { ...record, hash };
}
