import type { z } from 'zod';
import { isLoopback } from './loopback.ts';

/**
 * For URLs that are handed on and compared as they are written: https, or http on this very machine; nothing that a
 * browser would not take for the host, nothing that comes back in a fragment, and nothing that is read in two ways.
 */
export function assertPlainUrl(text: string, context: z.RefinementCtx): void {
  const url = URL.parse(text);
  if (!url) return;
  const { protocol, hostname, username, password } = url;
  if (protocol === 'http:' && !isLoopback(hostname)) context.addIssue('must be https, or http on localhost');
  if (username !== '' || password !== '') context.addIssue('must hold no credentials');
  if (text.includes('#')) context.addIssue('must have no fragment');
  if (/[\\\s]/.test(text)) context.addIssue('must hold no backslash and no space');
}
