// What a request may hold, before any schema looks at it and by the schema of its route. Every refusal names the field.
import { isText, ProblemError } from '@reeve/contracts';
import type { z } from 'zod';
import { fieldErrors } from './problem-json.ts';

const deepest = 32;

type Found = { path: string; message: string };

/**
 * What is no text could not be hashed into the audit log; what is nested deeper than anything we take is not looked
 * into, since looking is recursive in those who come after.
 */
function whatIsUnsound(value: unknown, within: string): Found[] {
  const found: Found[] = [];
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value, path: within, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: one, path, depth } = next;
    if (typeof one === 'string' && !isText(one)) found.push({ path, message: 'holds characters that are not text' });
    if (typeof one !== 'object' || one === null) continue;
    if (depth === deepest) return [{ path: within, message: `is nested deeper than ${deepest} levels` }];
    for (const [key, inner] of Object.entries(one)) {
      waiting.push({ value: inner, path: path === '' ? key : `${path}.${key}`, depth: depth + 1 });
      if (!isText(key)) found.push({ path, message: 'holds characters that are not text' });
    }
  }
  return found.toReversed();
}

/** Throws `input_invalid`. `within` is `query`, or empty for the body. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, within: '' | 'query'): T {
  const unsound = whatIsUnsound(value, within);
  if (unsound.length > 0) {
    const errors = unsound.map(({ path, message }) => ({ field: path || 'body', message }));
    throw new ProblemError('input_invalid', undefined, { errors });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError('input_invalid', undefined, { errors: fieldErrors(parsed.error, within) });
}

/** Throws `input_invalid` for whatever is there. */
export function assertNothing(value: unknown, within: 'body' | 'query'): void {
  const unknown = Object.keys((value as object | undefined) ?? {});
  if (unknown.length === 0) return;
  const errors = unknown.map(field => ({ field: `${within}.${field}`, message: 'is not a known field' }));
  throw new ProblemError('input_invalid', undefined, { errors });
}
