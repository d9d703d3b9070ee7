import { because, type EventDraft, type Id, ProblemError, type TenantId } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import { z } from 'zod';
import { countWhile } from '../chains/read-chain.ts';
import { cancel, confirm, type DeletionRequest, personOf, request } from './deletion-request.ts';
import type { RemovalParts, Remover } from './remover.ts';
import { classOf, inWords, type Scope, scope } from './scope.ts';

type Parts = RemovalParts & { remover: Remover; delayMs: number };

const path = '/v1/tenants/{tenantId}/audit/deletion-requests' as const;

const person = z.object({ id: z.string(), name: z.string().nullable() });
const requestView = z.object({
  id: z.string(),
  scope,
  reason: z.string(),
  status: z.enum(['awaiting_confirmation', 'confirmed', 'done', 'cancelled']),
  requestedBy: person,
  requestedAt: z.string(),
  confirmedBy: person.nullable(),
  removesAt: z
    .string()
    .nullable()
    .describe('When the removal begins; until then, and while it goes on, it can be cancelled'),
  cancelledAt: z.string().nullable(),
  doneAt: z.string().nullable(),
  removed: z.number(),
  held: z.number().describe('Records that legal holds kept'),
});
const withCount = requestView.extend({ records: z.number().describe('Records that are in its scope now') });

const shown = ({ id, state }: Entry<DeletionRequest>) => ({ id, ...state });

const event = (
  type: 'deletion.requested' | 'deletion.confirmed' | 'deletion.cancelled',
  id: string,
  request: DeletionRequest,
): EventDraft => ({
  type,
  target: { type: 'deletion_request', id, name: null },
  outcome: 'success',
  reason: because('requested'),
  details: { scope: inWords(request.scope), statedReason: request.reason, removesAt: request.removesAt },
});

async function countIn(parts: Parts, tenantId: TenantId, { classes, about, from, to = '~' }: Scope): Promise<number> {
  const records = parts.records.in(tenantId);
  const chains = [];
  for await (const { id, state } of parts.heads.in(tenantId).all('inOrder', {}))
    if (!classes || classes.includes(classOf(id))) chains.push({ tenantId, chain: id, size: state.sequence });
  if (about !== undefined) {
    const where = { chain: { $in: chains.map(({ chain }) => chain) }, loggedAt: { $gte: from ?? '', $lte: to } };
    return records.count('byAbout', { about }, where);
  }
  let count = 0;
  for (const of of chains) {
    const { chain } = of;
    const before = from === undefined ? 0 : await countWhile(parts, of, loggedAt => loggedAt < from);
    const last = await countWhile(parts, of, loggedAt => loggedAt <= to);
    count += await records.count('byChain', { chain }, { sequence: { $gt: before, $lte: last } });
  }
  return count;
}

export const listDeletionRequests = ({ requests }: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the deletion requests, newest first',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(requestView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await requests.in(tenantId).list('newest', {}, query);
      return { body: { items: items.map(shown), nextCursor } };
    },
  });

export const readDeletionRequest = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path: `${path}/{requestId}`,
    summary: 'Read a deletion request, with how many records it would remove now and how far it is',
    action: 'audit:configure',
    response: withCount,
    async handle({ tenantId, params }) {
      const entry = await parts.requests.in(tenantId).get(String(params['requestId']));
      if (!entry) throw new ProblemError('deletion_request_unknown');
      const records = await countIn(parts, tenantId, entry.state.scope);
      return { body: { ...shown(entry), records }, version: entry.version };
    },
  });

export const createDeletionRequest = (parts: Parts) =>
  tenantRoute({
    method: 'post',
    path,
    summary:
      'Ask for records to be removed before their time, of what is in the log now; another person has to confirm',
    action: 'audit:configure',
    body: z.strictObject({ scope, reason: z.string().trim().min(1).max(1_000) }),
    status: 201,
    response: withCount,
    async handle({ tenantId, body, cause, freshId }) {
      const id: Id<'deletion'> = freshId('deletion');
      const state = request({ ...body, requestedBy: personOf(cause.actor) }, parts.clock.now());
      const decision = { state, events: [event('deletion.requested', id, state)] };
      const entry = await parts.requests.in(tenantId).create(id, decision, cause);
      if (!entry) throw new ProblemError('conflict');
      const records = await countIn(parts, tenantId, state.scope);
      return { body: { ...shown(entry), records }, version: entry.version };
    },
  });

function changeRequest(
  parts: Parts,
  verb: 'confirm' | 'cancel',
  summary: string,
  next: (request: DeletionRequest, by: () => ReturnType<typeof personOf>) => DeletionRequest,
) {
  const { requests, remover } = parts;
  const type = verb === 'confirm' ? 'deletion.confirmed' : 'deletion.cancelled';
  return tenantRoute({
    method: 'post',
    path: `${path}/{requestId}:${verb}`,
    summary,
    action: 'audit:configure',
    response: requestView,
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['requestId']);
      const decide = (request: DeletionRequest | null) => {
        if (!request) return null;
        const state = next(request, () => personOf(cause.actor));
        return { state, events: [event(type, id, state)] };
      };
      // Before the change, so that a confirmed request is not forgotten by a process that ends between the two.
      if (verb === 'confirm') await remover.wakeAt(tenantId, new Date(parts.clock.now().getTime() + parts.delayMs));
      const entry = await requests.in(tenantId).change(id, decide, { cause, expectedVersion });
      if (!entry) throw new ProblemError('deletion_request_unknown');
      if (verb === 'cancel') await remover.batchEnded(tenantId);
      return { body: shown(entry), version: entry.version };
    },
  });
}

export const confirmDeletionRequest = (parts: Parts) =>
  changeRequest(
    parts,
    'confirm',
    'Confirm a deletion request of another person; the records are removed after a delay',
    (request, by) => confirm(request, by(), { now: parts.clock.now(), delayMs: parts.delayMs }),
  );

export const cancelDeletionRequest = (parts: Parts) =>
  changeRequest(parts, 'cancel', 'Cancel a deletion request; what is removed already stays removed', request =>
    cancel(request, parts.clock.now()),
  );
