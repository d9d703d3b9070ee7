// A tenant's checkpoints, numbered from 1: one number, one checkpoint, whichever instance signs it.
import { type Checkpoint, decodeStatement } from '@reeve/audit-log';
import { ProblemError, type TenantId } from '@reeve/contracts';
import type { Collections, Store } from '@reeve/store';

export type StoredCheckpoint = { number: number; time: string; jws: string };
export type Checkpoints = Collections<StoredCheckpoint>;

export type Signed = StoredCheckpoint & { content: Checkpoint; keyId: string };

export function defineCheckpoints(store: Store): Checkpoints {
  return store.collections<StoredCheckpoint>({
    name: 'audit_checkpoints',
    queries: { newest: { equality: [], sort: 'number', direction: 'descending' } },
  });
}

export const checkpointId = (number: number) => String(number);

export function signedOf(stored: StoredCheckpoint): Signed {
  const { kind, keyId, content } = decodeStatement(stored.jws);
  if (kind !== 'reeve-checkpoint') throw new TypeError('not a checkpoint');
  return { ...stored, keyId, content };
}

export async function lastCheckpoint(checkpoints: Checkpoints, tenantId: TenantId): Promise<Signed | null> {
  const { items } = await checkpoints.in(tenantId).list('newest', {}, { limit: 1 });
  return items[0] ? signedOf(items[0].state) : null;
}

export async function getCheckpoint(checkpoints: Checkpoints, tenantId: TenantId, number: number): Promise<Signed> {
  const found = await checkpoints.in(tenantId).get(checkpointId(number));
  if (!found) throw new ProblemError('checkpoint_unknown');
  return signedOf(found.state);
}
