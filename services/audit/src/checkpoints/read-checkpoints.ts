import { consistencyProofSchema } from '@reeve/audit-log';
import { invalidField, ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Logs } from '../chains/read-chain.ts';
import { type Checkpoints, getCheckpoint, type Signed, signedOf } from './checkpoint-store.ts';
import { consistencyProof } from './proofs.ts';
import type { Tiles } from './record-tree.ts';

const checkpointView = z.object({
  number: z.number(),
  time: z.string(),
  keyId: z.string(),
  root: z.string(),
  chains: z.array(
    z.object({ chain: z.string(), size: z.number(), head: z.string(), time: z.string(), root: z.string() }),
  ),
  jws: z.string().describe('What was signed: a compact JWS; /.well-known/reeve-audit-keys has the key'),
});

const viewOf = ({ number, time, keyId, jws, content: { root, chains } }: Signed): z.infer<typeof checkpointView> => ({
  number,
  time,
  keyId,
  root,
  chains,
  jws,
});

function numberIn(params: Record<string, string>): number {
  const text = String(params['number']);
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new ProblemError('checkpoint_unknown');
  return Number(text);
}

export const listCheckpoints = ({ checkpoints }: { checkpoints: Checkpoints }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/checkpoints',
    summary: 'List the signed checkpoints of the log, newest first',
    action: 'audit:read',
    query: pageQuery,
    response: pageOf(checkpointView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await checkpoints.in(tenantId).list('newest', {}, query);
      return { body: { items: items.map(({ state }) => viewOf(signedOf(state))), nextCursor } };
    },
  });

export const readCheckpoint = ({ checkpoints }: { checkpoints: Checkpoints }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/checkpoints/{number}',
    summary: 'Read one checkpoint',
    action: 'audit:read',
    response: checkpointView,
    handle: async ({ tenantId, params }) => ({
      body: viewOf(await getCheckpoint(checkpoints, tenantId, numberIn(params))),
    }),
  });

export const proveConsistency = (parts: Logs & { checkpoints: Checkpoints; tiles: Tiles }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/checkpoints/{number}/consistency',
    summary: 'Prove that a checkpoint only adds to an older one (RFC 9162 §2.1.4)',
    action: 'audit:read',
    query: z.strictObject({ from: z.coerce.number().int().positive().describe('Number of the older checkpoint') }),
    response: consistencyProofSchema,
    async handle({ tenantId, params, query: { from } }) {
      const newer = await getCheckpoint(parts.checkpoints, tenantId, numberIn(params));
      if (from > newer.number) {
        throw invalidField('query.from', `must not be later than ${newer.number}`);
      }
      const older = await getCheckpoint(parts.checkpoints, tenantId, from);
      return { body: await consistencyProof(parts, tenantId, { older, newer }) };
    },
  });
