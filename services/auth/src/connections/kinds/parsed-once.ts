import type { z } from 'zod';

/**
 * The settings of a connection, parsed once for each object that holds them: a sign-in meets again and again the one
 * that is kept for a moment (connection-directory.ts). Nobody changes it.
 */
export function parsedOnce<S>(schema: z.ZodType<S>): (stored: unknown) => S {
  const parsed = new WeakMap<object, S>();
  return stored => {
    const settings = parsed.get(stored as object) ?? schema.parse(stored);
    parsed.set(stored as object, settings);
    return settings;
  };
}
