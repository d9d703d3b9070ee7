// An audit record and its place in a chain. `hash = SHA-256(previousHash ‖ canonical JSON of the record)`, RFC 8785;
// docs/audit-format.md says the same for those who write their own verifier. Shared by the audit service, which makes
// chains, and the CLI, which checks them with nothing of the service at hand.
import { hash as digest } from 'node:crypto';
import { headSchema } from '@reeve/contracts';
import canonicalize from 'canonicalize';
import { z } from 'zod';

/** What is hashed. Every field is here; the hash is beside it. */
export const recordSchema = z.strictObject({
  tenantId: z.string(),
  /** `<topic>/<partition>`: one chain per tenant and source partition. */
  chain: z.string(),
  /** From 1, without gaps. */
  sequence: z.number().int().positive(),
  previousHash: z.string(),
  eventId: z.string(),
  type: z.string(),
  source: z.string(),
  subject: z.string(),
  time: z.string(),
  correlationId: z.string(),
  causationId: z.string().nullable(),
  traceId: z.string().nullable(),
  ...headSchema.shape,
  details: z.record(z.string(), z.unknown()),
});

export type AuditRecord = z.infer<typeof recordSchema>;
/** `canonical` is `canonicalJson(record)`: the bytes that were hashed. */
export type ChainedRecord = { record: AuditRecord; canonical: string; hash: string };

/** The previous hash of a chain's first record. */
export const genesisHash = '0'.repeat(64);

/** Of records that a sink is tried with: they are in no log. */
export const testChain = 'test/0';

/** RFC 8785. Throws for what JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}

/** `canonical` is `canonicalJson(record)`; it contains the previous hash, which is also put before it. */
export function hashOf(previousHash: string, canonical: string): string {
  return digest('sha256', previousHash + canonical, 'hex');
}

export function chain(
  previous: { hash: string; sequence: number } | null,
  rest: Omit<AuditRecord, 'sequence' | 'previousHash'>,
): ChainedRecord {
  const previousHash = previous?.hash ?? genesisHash;
  const record: AuditRecord = { ...rest, sequence: (previous?.sequence ?? 0) + 1, previousHash };
  const canonical = canonicalJson(record);
  return { record, canonical, hash: hashOf(previousHash, canonical) };
}
