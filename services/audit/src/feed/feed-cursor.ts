// Where a reader of the feed is, as text: opaque to the reader, and bound to the tenant.
import { createHash } from 'node:crypto';
import { ProblemError, type TenantId } from '@reeve/contracts';
import { z } from 'zod';
import type { Position } from '../log/read-after.ts';

const encoded = z.tuple([z.string(), z.record(z.string(), z.number().int().positive())]);

const fingerprint = (tenantId: TenantId) =>
  createHash('sha256').update(`feed\n${tenantId}`).digest('base64url').slice(0, 12);

export const encodePosition = (tenantId: TenantId, position: Position): string =>
  Buffer.from(JSON.stringify([fingerprint(tenantId), position])).toString('base64url');

export function decodePosition(tenantId: TenantId, cursor: string): Position {
  try {
    const [of, position] = encoded.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (of === fingerprint(tenantId)) return position;
  } catch (cause) {
    throw new ProblemError('cursor_invalid', undefined, { cause });
  }
  throw new ProblemError('cursor_invalid');
}
