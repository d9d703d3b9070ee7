import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Collections } from '@reeve/store';
import { z } from 'zod';
import type { Endpoints } from '../endpoints/endpoint.ts';
import type { Tally } from './tallies.ts';

const tallyView = z.object({
  minute: z.string(),
  outcome: z.enum(['rejected', 'duplicated']),
  reason: z.string(),
  count: z.number(),
  bytes: z.number(),
});

export const listTallies = ({ endpoints, tallies }: { endpoints: Endpoints; tallies: Collections<Tally> }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/tallies',
    summary: 'Refusals and repetitions that were too many for an event each: counts by minute and reason, newest first',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(tallyView),
    async handle({ tenantId, params: { endpointId }, query }) {
      await readExisting(endpoints.in(tenantId), endpointId);
      const page = await tallies.in(tenantId).list('byEndpoint', { endpointId }, query);
      return paged(page, ({ state }) => viewOf(state));
    },
  });

const viewOf = ({ minute, type, reason, count, bytes }: Tally): z.infer<typeof tallyView> => ({
  minute,
  outcome: type === 'delivery.rejected' ? 'rejected' : 'duplicated',
  reason,
  count,
  bytes,
});
