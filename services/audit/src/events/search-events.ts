import { instant, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { fromStored, type Records } from '../chains/chain-store.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { eventView, viewOf } from './event-view.ts';

const query = pageQuery.extend({
  type: z.string().max(100).optional(),
  actor: z.string().max(200).optional(),
  target: z.string().max(200).optional(),
  outcome: z.enum(['success', 'failure', 'denied']).optional(),
  ip: z.string().max(100).optional(),
  session: z.string().max(100).optional(),
  correlation: z.string().max(100).optional(),
  text: z.string().min(2).max(200).optional().describe('Occurs anywhere in the record, in any case'),
  from: instant.optional(),
  to: instant.optional(),
});

export const searchEvents = ({ records, signingKey }: { records: Records; signingKey: () => SigningKey }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events',
    summary: 'Search the audit log, newest first; filters combine',
    action: 'audit:read',
    query,
    response: pageOf(eventView),
    async handle({ tenantId, query: { limit, cursor, ...filters } }) {
      const page = await records.in(tenantId).list('byTime', {}, { limit, cursor, where: whereOf(filters) });
      const items = page.items.map(({ state }) => viewOf(fromStored(state), signingKey().kid));
      return { body: { items, nextCursor: page.nextCursor } };
    },
  });

function whereOf({
  type,
  actor,
  target,
  outcome,
  ip,
  session,
  correlation,
  text,
  from,
  to,
}: Omit<z.infer<typeof query>, 'limit' | 'cursor'>) {
  const time = { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lte: to }) };
  // The record is searched as JSON, where a quote is written with a backslash.
  const literal =
    text === undefined
      ? undefined
      : JSON.stringify(text)
          .slice(1, -1)
          .replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const conditions = {
    type,
    actorId: actor,
    targetId: target,
    outcome,
    ip,
    sessionId: session,
    correlationId: correlation,
    canonical: literal === undefined ? undefined : { $regex: literal, $options: 'i' },
    time: Object.keys(time).length > 0 ? time : undefined,
  };
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined));
}
