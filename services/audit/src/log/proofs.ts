// Proofs over the trees that checkpoints sign: that a record is in the log, and that a log only adds to what it was.
import { type ConsistencyProof, consistencyPath, type InclusionProof, inclusionPath } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { SignedCheckpoint } from './checkpoint.ts';
import type { Log } from './log.ts';
import type { StoredRecord } from './record.ts';
import { subtreesOf } from './record-tree.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'tiles'>;

const inHex = (path: readonly Buffer[]) => path.map(hash => hash.toString('hex'));

const sizeIn = ({ content }: SignedCheckpoint, chain: string): number =>
  content.chains.find(one => one.chain === chain)?.size ?? 0;

/** That a record is in the log that the checkpoint signs, which must reach it (RFC 9162 §2.1.3). */
export async function inclusionProof(
  parts: Parts,
  tenantId: TenantId,
  { record, checkpoint }: { record: StoredRecord; checkpoint: SignedCheckpoint },
): Promise<InclusionProof> {
  const { chain, sequence, canonical, hash } = record;
  const size = sizeIn(checkpoint, chain);
  const path = await inclusionPath(sequence - 1, size, subtreesOf(parts, { tenantId, chain, size }));
  return { record: canonical, hash, checkpoint: checkpoint.jws, path: inHex(path) };
}

/** That the newer of two checkpoints only adds to the older (RFC 9162 §2.1.4). */
export async function consistencyProof(
  parts: Parts,
  tenantId: TenantId,
  { older, newer }: { older: SignedCheckpoint; newer: SignedCheckpoint },
): Promise<ConsistencyProof> {
  const chains = await Promise.all(
    older.content.chains.map(async ({ chain, size: before }) => {
      const size = sizeIn(newer, chain);
      const path = await consistencyPath(before, size, subtreesOf(parts, { tenantId, chain, size }));
      return { chain, path: inHex(path) };
    }),
  );
  return { from: older.jws, to: newer.jws, chains };
}
