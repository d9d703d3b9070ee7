// Verifies an export of the audit log, or a stream of it, with nothing of Reeve at hand but its public keys.
import { type FormatName, formats, type KeySet, linesOf, type Verification, verifyLines } from '@reeve/audit-log';

export type { Finding, FormatName, KeySet, Problem, Verification } from '@reeve/audit-log';

export type AuditVerification = {
  /**
   * What `{audit}/.well-known/reeve-audit-keys` gave when the auditor fetched it. Without them no signature is checked,
   * and the result says so.
   */
  keys?: KeySet;
  /** `ndjson` unless said. */
  format?: FormatName;
  /** An `export` begins with what it holds; a `stream` (the feed, a topic, a sink) does not. `export` unless said. */
  of?: 'export' | 'stream';
  /** Checkpoints that were kept elsewhere: the log has to be the one that they tell of, and to reach them. */
  checkpoints?: readonly string[];
  /** Whose log it has to be. */
  tenantId?: string;
  /** When a stream began, where that was not the beginning of the log. */
  since?: string;
};

/**
 * Reads the bytes of a file or of an answer to their end. `finding` is the first thing that is wrong, or null. Throws a
 * TypeError for bytes that are no UTF-8.
 */
export function verifyAuditLog(
  bytes: AsyncIterable<Uint8Array>,
  { format = 'ndjson', ...options }: AuditVerification = {},
): Promise<Verification> {
  return verifyLines(linesOf(bytes), { format: formats[format], ...options });
}
