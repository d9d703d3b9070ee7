// What an auditor is handed for one record, or for two checkpoints: verifiable with the public keys and nothing else.
import { z } from 'zod';
import { readCanonical } from './formats/entry.ts';
import { extendsTree, includes } from './merkle.ts';
import { type AuditRecord, hashOf } from './record.ts';
import { type Checkpoint, contradictionOf, type KeySet, readStatement, StatementError } from './statements.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const path = z.array(hash).max(64).describe('Hashes from the leaf up, in hex: RFC 9162 §2.1.3.1');

export const inclusionProofSchema = z.strictObject({
  record: z.string().describe('The canonical JSON of the record, byte for byte what was hashed'),
  hash: hash.describe('SHA-256 of its previousHash and its canonical JSON; the leaf of the tree'),
  checkpoint: z.string().describe('The JWS of a checkpoint that covers the record'),
  path,
});

export const consistencyProofSchema = z.strictObject({
  from: z.string().describe('The JWS of the older checkpoint'),
  to: z.string().describe('The JWS of the newer checkpoint'),
  chains: z.array(z.strictObject({ chain: z.string(), path: path.describe('RFC 9162 §2.1.4.1') })),
});

export type InclusionProof = z.infer<typeof inclusionProofSchema>;
export type ConsistencyProof = z.infer<typeof consistencyProofSchema>;

export type ProofResult = { holds: true } | { holds: false; problem: string };

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const refused = (problem: string): ProofResult => ({ holds: false, problem });

/** That a record is in the log that a checkpoint signs. */
export async function verifyInclusion(proof: InclusionProof, keys: KeySet): Promise<ProofResult> {
  const checkpoint = await checkpointOf(proof.checkpoint, keys);
  if ('problem' in checkpoint) return checkpoint;
  const record = recordIn(proof);
  if (!record) return refused('it holds no record, or not as a record is written');
  const { tenantId, chain, sequence, previousHash } = record;
  if (hashOf(previousHash, proof.record) !== proof.hash) return refused('the record does not hash to its hash');
  if (tenantId !== checkpoint.content.tenantId) return refused('the record and the checkpoint belong to two tenants');
  const head = checkpoint.content.chains.find(one => one.chain === chain);
  if (!head || sequence > head.size) return refused('the checkpoint does not cover the record');
  const place = { leaf: bytes(proof.hash), index: sequence - 1, size: head.size };
  if (!includes(place, proof.path.map(bytes), bytes(head.root)))
    return refused('the path does not lead to the root that the checkpoint signs');
  return { holds: true };
}

function recordIn({ record }: InclusionProof): AuditRecord | null {
  try {
    return readCanonical(record);
  } catch {
    return null;
  }
}

/** That a newer checkpoint only adds to an older one. */
export async function verifyConsistency(proof: ConsistencyProof, keys: KeySet): Promise<ProofResult> {
  const [older, newer] = [await checkpointOf(proof.from, keys), await checkpointOf(proof.to, keys)];
  if ('problem' in older) return older;
  if ('problem' in newer) return newer;
  if (older.content.number > newer.content.number) return refused('`from` is the newer checkpoint of the two');
  const contradiction = contradictionOf({ ...older, jws: proof.from }, { ...newer, jws: proof.to });
  if (contradiction) return refused(contradiction.detail);
  const chains = older.content.chains.map(({ chain }) => chain);
  if (proof.chains.map(({ chain }) => chain).toString() !== chains.toString())
    return refused('it does not have a path for each chain of the older checkpoint, in their order');
  for (const before of older.content.chains) {
    const after = newer.content.chains.find(({ chain }) => chain === before.chain);
    const proven = proof.chains.find(({ chain }) => chain === before.chain);
    if (!after || !proven) return refused(`the chain ${before.chain} is not in the newer checkpoint`);
    const trees = [before, after].map(({ size, root }) => ({ size, root: bytes(root) })) as [Tree, Tree];
    if (!extendsTree(...trees, proven.path.map(bytes))) return refused(`the chain ${before.chain} was rewritten`);
  }
  return { holds: true };
}

type Tree = { size: number; root: Buffer };

async function checkpointOf(
  jws: string,
  keys: KeySet,
): Promise<{ content: Checkpoint } | { holds: false; problem: string }> {
  try {
    const statement = await readStatement(jws, keys);
    if (statement.kind === 'reeve-checkpoint') return { content: statement.content };
    return { holds: false, problem: 'it holds another statement where a checkpoint should be' };
  } catch (error) {
    if (error instanceof StatementError) return { holds: false, problem: error.message };
    throw error;
  }
}
