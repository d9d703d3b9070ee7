// What Reeve signs about a log: each statement is a compact JWS (RFC 7515) with Ed25519 (RFC 8037), its kind in the
// header `typ`. Whoever has the public keys can check it with any JOSE library.
import { hash as digest } from 'node:crypto';
import { isCanonicalJws, parseJson } from '@reeve/contracts';
import { CompactSign, compactVerify, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { rootOfLeaves } from './merkle.ts';
import { canonicalJson, genesisHash } from './record.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const sequence = z.number().int().positive();
const time = z.iso.datetime();

/**
 * Where one chain stands: how many records it has, the hash of the last and when that was chained, and the root of the
 * Merkle tree over all hashes.
 */
const chainHead = z.strictObject({ chain: z.string(), size: sequence, head: hash, time, root: hash });

export type ChainHead = z.infer<typeof chainHead>;

/** Where a tenant's log stands. */
const checkpointSchema = z
  .strictObject({
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
  })
  .refine(isSound, 'its root is not that of its chains, or they are not in order');

/** What an export holds, so that one that was cut short is found out also where it is of a period. */
const manifestSchema = z
  .strictObject({
    tenantId: z.string(),
    time,
    /** Of the chaining; null where the export has no such bound. */
    from: time.nullable(),
    to: time.nullable(),
    /** The JWS of the checkpoint that the log had then. */
    checkpoint: z.string(),
    /**
     * In the order in which they are exported. `previousHash` is that of the record `first`, `head` the hash of the
     * record `last`.
     */
    chains: z.array(
      z.strictObject({ chain: z.string(), first: sequence, last: sequence, previousHash: hash, head: hash }),
    ),
  })
  .refine(({ chains }) => new Set(chains.map(({ chain }) => chain)).size === chains.length, 'a chain is there twice')
  .refine(({ chains }) => chains.every(({ first, last }) => first <= last), 'a chain ends before it begins');

const run = z.strictObject({ first: sequence, hashes: z.array(hash).min(1) });

/**
 * What is left of records that were removed: their places and hashes, so that the chain and its tree can still be
 * followed.
 */
const tombstoneSchema = z
  .strictObject({
    tenantId: z.string(),
    chain: z.string(),
    time,
    reason: z.enum(['retention', 'deletion_request']),
    /** The rule, as `webhook: 90 days`, or the id of the request. */
    reference: z.string(),
    /** In the order of the places, none twice. Of each run, the first place and the hashes from there on. */
    removed: z.array(run).min(1),
  })
  .refine(({ removed }) => removed.every(({ first }, at) => at === 0 || endOf(removed[at - 1]) < first), 'not in order')
  .refine(
    ({ removed }) => blockOf(removed[0]?.first ?? 1) === blockOf(endOf(removed.at(-1))),
    'it tells of more than one block',
  );

/** Places 1 to 256 are block 0, and so on. */
export const blockOf = (place: number): number => Math.floor((place - 1) / blockSize);
export const blockSize = 256;

/** The last place of a run. */
const endOf = ({ first, hashes }: z.infer<typeof run> = { first: 0, hashes: [] }) => first + hashes.length - 1;

/** The root follows from the chains, and those are in order, each once; the first checkpoint follows none. */
function isSound({
  number,
  previous,
  root,
  chains,
}: {
  number: number;
  previous: string;
  root: string;
  chains: ChainHead[];
}): boolean {
  const inOrder = chains.every(({ chain }, at) => at === 0 || (chains[at - 1]?.chain ?? '') < chain);
  return (
    inOrder &&
    (number > 1 || previous === genesisHash) &&
    rootOfLeaves(chains.map(leafOfChain)).toString('hex') === root
  );
}

const schemas = {
  'reeve-checkpoint': checkpointSchema,
  'reeve-export': manifestSchema,
  'reeve-tombstone': tombstoneSchema,
} as const;

export type StatementKind = keyof typeof schemas;
export type Checkpoint = z.infer<typeof checkpointSchema>;

export type Manifest = z.infer<typeof manifestSchema>;
export type Tombstone = z.infer<typeof tombstoneSchema>;
export type Statement =
  | { kind: 'reeve-checkpoint'; keyId: string; content: Checkpoint }
  | { kind: 'reeve-export'; keyId: string; content: Manifest }
  | { kind: 'reeve-tombstone'; keyId: string; content: Tombstone };

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

/** A key set may hold others as well. */
export const isSigningKey = ({ kty, crv }: JWK): boolean => kty === 'OKP' && crv === 'Ed25519';

/** Reads a statement and checks its signature. Throws StatementError. */
export async function readStatement(jws: string, keys: KeySet): Promise<Statement> {
  const statement = decodeStatement(jws);
  const key = keys.keys.find(one => one.kid === statement.keyId && isSigningKey(one));
  if (!key)
    throw new StatementError('unknown_key', `it is signed with the key ${statement.keyId}, which was not given`);
  try {
    await compactVerify(jws, await importJWK(key, algorithm), { algorithms: [algorithm] });
  } catch {
    throw new StatementError('bad_signature', `its signature by the key ${statement.keyId} is not valid`);
  }
  return statement;
}

/**
 * What a statement says, whoever signed it. There is one way to write it, so that nobody can make it look like two.
 * Throws StatementError.
 */
export function decodeStatement(jws: string): Statement {
  const [header, payload] = jws.split('.').map(part => Buffer.from(part, 'base64url').toString('utf8'));
  const { alg, kid, typ, ...more } = (isCanonicalJws(jws) ? objectIn(header) : null) ?? {};
  if (alg !== algorithm || typeof kid !== 'string' || Object.keys(more).length > 0)
    throw new StatementError('unreadable', 'it is not a JWS with the header alg EdDSA, kid and typ');
  const kind = typeof typ === 'string' && Object.hasOwn(schemas, typ) ? (typ as StatementKind) : null;
  const content = objectIn(payload);
  const parsed = kind && schemas[kind].safeParse(content);
  if (!parsed?.success || canonicalJson(content) !== payload)
    throw new StatementError('unreadable', 'it is no statement of a known kind, or not as its kind is written');
  return { kind, keyId: kid, content: parsed.data } as Statement;
}

function objectIn(text: string | undefined): Record<string, unknown> | null {
  try {
    const value = parseJson(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The hash of each record that was removed, by its place. */
export function hashesIn({ removed }: Pick<Tombstone, 'removed'>): Map<number, string> {
  return new Map(removed.flatMap(({ first, hashes }) => hashes.map((one, at) => [first + at, one] as const)));
}

type Signed = { content: Checkpoint; jws: string };

/** What two checkpoints of one log cannot both say; null where they agree. */
export function contradictionOf(one: Signed, other: Signed): { detail: string; chain?: string } | null {
  const [older, newer] = one.content.number <= other.content.number ? [one, other] : [other, one];
  const [before, after] = [older.content, newer.content];
  if (before.tenantId !== after.tenantId) return { detail: 'they belong to two tenants' };
  if (before.number === after.number)
    return older.jws === newer.jws ? null : { detail: `there are two checkpoints ${before.number}` };
  if (after.number === before.number + 1 && after.previous !== hashOfStatement(older.jws))
    return { detail: `checkpoint ${after.number} does not follow checkpoint ${before.number}` };
  for (const { chain, size, head } of before.chains) {
    const now = after.chains.find(found => found.chain === chain);
    if (!now || now.size < size)
      return { chain, detail: `checkpoint ${after.number} has fewer records than checkpoint ${before.number}` };
    if (now.size === size && now.head !== head)
      return { chain, detail: `checkpoints ${before.number} and ${after.number} signed two records ${size}` };
  }
  return null;
}
