import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { fromStored, type Records } from '../chains/chain-store.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { eventView, viewOf } from './event-view.ts';

const id = z.string().min(1).max(200);
const ofOne = z
  .strictObject({ ...pageQuery.shape, user: id, session: id, connector: id, correlation: id })
  .partial({ user: true, session: true, connector: true, correlation: true })
  .refine(
    ({ user, session, connector, correlation }) => [user, session, connector, correlation].filter(Boolean).length === 1,
    {
      message: 'needs exactly one of user, session, connector, correlation',
      path: ['user'],
    },
  );

export const readTimeline = ({ records, signingKey }: { records: Records; signingKey: () => SigningKey }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/timeline',
    summary: 'What happened to one user, session, connector or in one correlation, oldest first',
    action: 'audit:read',
    query: ofOne,
    response: pageOf(eventView),
    async handle({ tenantId, query: { limit, cursor, correlation, user, session, connector } }) {
      const collection = records.in(tenantId);
      const options = { limit, cursor };
      const about = user ?? session ?? connector;
      const page =
        about === undefined
          ? await collection.list('storyOfCorrelation', { correlationId: correlation ?? '' }, options)
          : await collection.list('storyOf', { about }, options);
      const items = page.items.map(({ state }) => viewOf(fromStored(state), signingKey().kid));
      return { body: { items, nextCursor: page.nextCursor } };
    },
  });
