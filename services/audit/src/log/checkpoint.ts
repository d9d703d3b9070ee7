// A checkpoint: what was signed of a tenant's log at some time. Numbered from 1; one number, one checkpoint, whichever
// instance signs it.
import { type Checkpoint, decodeStatement } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { readExisting } from '@reeve/service-kit';
import { type Collections, collection } from '@reeve/store';
import { z } from 'zod';

export type StoredCheckpoint = { number: number; time: string; jws: string };
export type Checkpoints = Collections<StoredCheckpoint>;

export type SignedCheckpoint = StoredCheckpoint & { content: Checkpoint; keyId: string };

export const checkpointView = z.object({
  number: z.number(),
  time: z.string(),
  keyId: z.string(),
  root: z.string(),
  chains: z.array(
    z.object({ chain: z.string(), size: z.number(), head: z.string(), time: z.string(), root: z.string() }),
  ),
  jws: z.string().describe('What was signed: a compact JWS; /.well-known/reeve-audit-keys has the key'),
});

export const checkpoints = collection<StoredCheckpoint>({
  name: 'audit_checkpoints',
  queries: {
    newest: { equality: [], sort: 'number', direction: 'descending' },
    byTime: { equality: [], sort: 'time', direction: 'descending' },
  },
});

export const checkpointId = (number: number) => String(number);

export function signedOf(stored: StoredCheckpoint): SignedCheckpoint {
  const { kind, keyId, content } = decodeStatement(stored.jws);
  if (kind !== 'reeve-checkpoint') throw new TypeError('not a checkpoint');
  return { ...stored, keyId, content };
}

export async function lastCheckpoint(
  collections: Checkpoints,
  tenantId: TenantId,
  { before }: { before?: string } = {},
): Promise<SignedCheckpoint | null> {
  const own = collections.in(tenantId);
  const { items } = await (before === undefined
    ? own.list('newest', {}, { limit: 1 })
    : own.list('byTime', {}, { limit: 1, range: { before } }));
  return items[0] ? signedOf(items[0].state) : null;
}

/** Throws `not_found`. */
export async function getCheckpoint(
  collections: Checkpoints,
  tenantId: TenantId,
  number: number,
): Promise<SignedCheckpoint> {
  return signedOf((await readExisting(collections.in(tenantId), checkpointId(number))).state);
}

export function viewOf(checkpoint: SignedCheckpoint): z.infer<typeof checkpointView> {
  const { number, time, keyId, jws, content } = checkpoint;
  return { number, time, keyId, root: content.root, chains: content.chains, jws };
}

/** Of the path. 0, which no checkpoint has, where it is no number. */
export const numberIn = (text: string): number => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0);
