import { because, type EventDraft, type Id, ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { z } from 'zod';
import type { Hold, Holds } from './legal-hold.ts';
import type { Remover } from './remover.ts';
import { inWords, scope } from './scope.ts';

type Parts = { holds: Holds; remover: Remover; clock: Clock };

const path = '/v1/tenants/{tenantId}/audit/legal-holds' as const;

const holdView = z.object({
  id: z.string(),
  name: z.string(),
  reason: z.string(),
  scope,
  placedAt: z.string(),
  releasedAt: z.string().nullable(),
});

const shown = ({ id, state }: Entry<Hold>) => ({ id, ...state });

const event = (type: 'hold.placed' | 'hold.released', id: string, hold: Hold): EventDraft => ({
  type,
  target: { type: 'legal_hold', id, name: hold.name },
  outcome: 'success',
  reason: because('requested'),
  details: { scope: inWords(hold.scope), statedReason: hold.reason },
});

export const listHolds = ({ holds }: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the legal holds, newest first, with those that were released',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(holdView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await holds.in(tenantId).list('newest', {}, query);
      return { body: { items: items.map(shown), nextCursor } };
    },
  });

export const placeHold = ({ holds, remover, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path,
    summary: 'Keep the records of a scope, whatever retention or a deletion request says; holds when this is answered',
    action: 'audit:configure',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).describe('Of the matter'),
      reason: z.string().trim().min(1).max(1_000),
      scope: scope.default({}).describe('The whole log where it is left out'),
    }),
    status: 201,
    response: holdView,
    async handle({ tenantId, body, cause, freshId }) {
      const id: Id<'hold'> = freshId('hold');
      const state: Hold = { ...body, placedAt: clock.now().toISOString(), releasedAt: null };
      const decision = { state, events: [event('hold.placed', id, state)] };
      // Already there: the first request with this Idempotency-Key got as far as that.
      const entry = (await holds.in(tenantId).create(id, decision, cause)) ?? (await holds.in(tenantId).get(id));
      if (!entry) throw new ProblemError('conflict');
      await remover.batchEnded(tenantId);
      return { body: shown(entry), version: entry.version };
    },
  });

export const releaseHold = ({ holds, remover, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${path}/{holdId}:release`,
    summary: 'End a legal hold: what it kept follows retention again, and requests that are made after that',
    action: 'audit:configure',
    response: holdView,
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['holdId']);
      const releasedAt = clock.now().toISOString();
      const decide = (hold: Hold | null) =>
        hold?.releasedAt === null
          ? { state: { ...hold, releasedAt }, events: [event('hold.released', id, hold)] }
          : null;
      const entry = await holds.in(tenantId).change(id, decide, { cause, expectedVersion });
      if (!entry) throw new ProblemError('hold_unknown');
      await remover.wakeAt(tenantId, clock.now());
      return { body: shown(entry), version: entry.version };
    },
  });
