import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { eventView, type Readable, viewOfStored } from './event-view.ts';

const id = z.string().min(1).max(200).optional();
const ofOne = z
  .strictObject({ ...pageQuery.shape, user: id, session: id, connector: id, correlation: id })
  .refine(
    ({ user, session, connector, correlation }) => [user, session, connector, correlation].filter(Boolean).length === 1,
    { message: 'needs exactly one of user, session, connector, correlation', path: ['user'] },
  );

export const readTimeline = (log: Readable) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/timeline',
    summary: 'What happened to one user, session, connector or in one correlation, oldest first',
    action: 'audit:read',
    crossOrigin: true,
    query: ofOne,
    response: pageOf(eventView),
    async handle({ tenantId, query: { limit, cursor, correlation, user, session, connector } }) {
      const records = log.records.in(tenantId);
      const about = user ?? session ?? connector;
      const page =
        about === undefined
          ? await records.list('storyOfCorrelation', { correlationId: correlation ?? '' }, { limit, cursor })
          : await records.list('storyOf', { about }, { limit, cursor });
      return paged(page, entry => viewOfStored(log, entry));
    },
  });
