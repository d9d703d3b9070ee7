// What Reeve signs about a log: each statement is a compact JWS (RFC 7515) with Ed25519 (RFC 8037), its kind in the header `typ`. Whoever has the
// public keys can check it with any JOSE library.
import { hash as digest } from 'node:crypto';
import {
  CompactSign,
  compactVerify,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  type ProtectedHeaderParameters,
} from 'jose';
import { z } from 'zod';
import { canonicalJson } from './record.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const sequence = z.number().int().positive();
const time = z.iso.datetime();

/** Where one chain stands: how many records it has, the hash of the last and when that was chained, and the root of the Merkle tree over all hashes. */
const chainHead = z.object({ chain: z.string(), size: sequence, head: hash, time, root: hash });

/** Where a tenant's log stands. */
const checkpointSchema = z.object({
  tenantId: z.string(),
  /** From 1, without gaps. */
  number: sequence,
  time,
  /** SHA-256 of the JWS of the checkpoint before, in hex; 64 zeros for the first. */
  previous: hash,
  /** Root of the Merkle tree over the canonical JSON of each of `chains`, in their order. */
  root: hash,
  /** In the order of their names, by UTF-16 code units. */
  chains: z.array(chainHead),
});

/** What an export holds, so that one that was cut short is found out also where it is of a period. */
const manifestSchema = z.object({
  tenantId: z.string(),
  time,
  /** Of the chaining; null where the export has no such bound. */
  from: time.nullable(),
  to: time.nullable(),
  /** The JWS of the checkpoint that the log had then. */
  checkpoint: z.string(),
  /** In the order in which they are exported. `previousHash` is that of the record `first`, `head` the hash of the record `last`. */
  chains: z.array(z.object({ chain: z.string(), first: sequence, last: sequence, previousHash: hash, head: hash })),
});

const schemas = { 'reeve-checkpoint': checkpointSchema, 'reeve-export': manifestSchema } as const;

export type StatementKind = keyof typeof schemas;
export type Checkpoint = z.infer<typeof checkpointSchema>;
export type ChainHead = Checkpoint['chains'][number];
export type Manifest = z.infer<typeof manifestSchema>;
export type Statement =
  | { kind: 'reeve-checkpoint'; keyId: string; content: Checkpoint }
  | { kind: 'reeve-export'; keyId: string; content: Manifest };

/** A JWK Set as served at `/.well-known/reeve-audit-keys`. Only its Ed25519 keys are used. */
export type KeySet = { keys: readonly JWK[] };

export class StatementError extends Error {
  readonly problem: 'unreadable' | 'unknown_key' | 'bad_signature';

  constructor(problem: StatementError['problem'], detail: string) {
    super(detail);
    this.name = 'StatementError';
    this.problem = problem;
  }
}

const algorithm = 'EdDSA';

/** The leaf of a chain in the tree whose root a checkpoint holds. */
export const leafOfChain = (head: ChainHead): Buffer => Buffer.from(canonicalJson(head), 'utf8');

/** What the next checkpoint names as `previous`. */
export const hashOfStatement = (jws: string): string => digest('sha256', jws, 'hex');

/** `key` is a private Ed25519 JWK with `kid`. */
export async function signStatement<K extends StatementKind>(
  key: JWK & { kid: string },
  kind: K,
  content: z.infer<(typeof schemas)[K]>,
): Promise<string> {
  return new CompactSign(Buffer.from(canonicalJson(content), 'utf8'))
    .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: kind })
    .sign(await importJWK(key, algorithm));
}

/** Reads a statement and checks its signature. Throws StatementError. */
export async function readStatement(jws: string, keys: KeySet): Promise<Statement> {
  const statement = decodeStatement(jws);
  const key = keys.keys.find(({ kid, kty, crv }) => kid === statement.keyId && kty === 'OKP' && crv === 'Ed25519');
  if (!key)
    throw new StatementError('unknown_key', `it is signed with the key ${statement.keyId}, which was not given`);
  try {
    await compactVerify(jws, await importJWK(key, algorithm), { algorithms: [algorithm] });
  } catch {
    throw new StatementError('bad_signature', `its signature by the key ${statement.keyId} is not valid`);
  }
  return statement;
}

/** What a statement says, whoever signed it. Throws StatementError. */
export function decodeStatement(jws: string): Statement {
  let header: ProtectedHeaderParameters;
  let payload: unknown;
  try {
    header = decodeProtectedHeader(jws);
    payload = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    throw new StatementError('unreadable', 'it is not a JWS');
  }
  const kind = Object.hasOwn(schemas, header.typ ?? '') ? (header.typ as StatementKind) : null;
  const parsed = kind && schemas[kind].safeParse(payload);
  if (!parsed?.success || header.kid === undefined)
    throw new StatementError('unreadable', 'it is no statement of a known kind, or lacks what its kind requires');
  return { kind, keyId: header.kid, content: parsed.data } as Statement;
}
