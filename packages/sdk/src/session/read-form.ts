// The form that a request brings, whether or not somebody has read it before.
import type { IncomingMessage } from 'node:http';
import { ReeveError } from '../errors.ts';

const longestForm = 32_768;

export type WithBody = IncomingMessage & { body?: unknown };

/** What a parser before us has left in `body`. */
export function fieldOf({ body }: WithBody, name: string): string | undefined {
  const value: unknown =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

export async function readForm(request: WithBody, name: string): Promise<string | undefined> {
  if (request.body !== undefined || request.readableEnded) return fieldOf(request, name);
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) return undefined;
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > longestForm) throw new ReeveError('csrf_refused', 'the form is too long');
  }
  const values = new URLSearchParams(text).getAll(name);
  return values.length === 1 ? values[0] : undefined;
}
