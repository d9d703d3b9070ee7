// Text that can be stored, published, and hashed into the audit log.
import { z } from 'zod';

/** Half a surrogate pair has no encoding; NUL has no business in any field. */
export const isText = (value: string): boolean => value.isWellFormed() && !value.includes('\0');

export const textSchema = (longest: number) =>
  z.string().min(1).max(longest).refine(isText, 'holds characters that are not text');
