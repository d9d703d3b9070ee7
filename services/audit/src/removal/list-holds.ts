import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Holds, holdsPath, holdView, viewOf } from './legal-hold.ts';

export const listHolds = ({ holds }: { holds: Holds }) =>
  tenantRoute({
    method: 'get',
    path: holdsPath,
    summary: 'List the legal holds, newest first, with those that were released',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(holdView),
    handle: async ({ tenantId, query }) => paged(await holds.in(tenantId).list('newest', {}, query), viewOf),
  });
