// Page cursors: opaque to the caller, bound to the tenant and the list they came from, so that a cursor of another
// tenant is refused and not merely useless.
import { createHash } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';

export type Position = { sort: string | number | null; id: string };

type Scope = { tenantId: string; list: string };

function fingerprint({ tenantId, list }: Scope): string {
  return createHash('sha256').update(`${tenantId}\n${list}`).digest('base64url').slice(0, 12);
}

export function encodeCursor(scope: Scope, position: Position): string {
  return Buffer.from(JSON.stringify([fingerprint(scope), position.sort, position.id])).toString('base64url');
}

export function decodeCursor(scope: Scope, cursor: string): Position {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new ProblemError('cursor_invalid', undefined, { cause });
  }
  if (!Array.isArray(parts) || parts.length !== 3 || parts[0] !== fingerprint(scope) || typeof parts[2] !== 'string') {
    throw new ProblemError('cursor_invalid');
  }
  const sort: unknown = parts[1];
  if (sort !== null && typeof sort !== 'string' && typeof sort !== 'number') throw new ProblemError('cursor_invalid');
  return { sort, id: parts[2] };
}
