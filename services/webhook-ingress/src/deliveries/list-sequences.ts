import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Collections } from '@reeve/store';
import { z } from 'zod';
import type { Endpoints } from '../endpoints/endpoint.ts';
import type { Lane } from './lane.ts';

const sequenceView = z.object({
  orderingKey: z.string(),
  last: z.number().nullable(),
  missing: z.array(z.object({ from: z.number(), to: z.number() })),
  held: z.array(z.object({ sequence: z.number(), until: z.string() })),
});

export const listSequences = ({ endpoints, lanes }: { endpoints: Endpoints; lanes: Collections<Lane> }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/sequences',
    summary: 'Per ordering key: how far the sequence has come, what is missing and what is held',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(sequenceView),
    async handle({ tenantId, params: { endpointId }, query }) {
      await readExisting(endpoints.in(tenantId), endpointId);
      const page = await lanes.in(tenantId).list('byEndpoint', { endpointId }, query);
      return paged(page, ({ state }) => viewOf(state));
    },
  });

const viewOf = ({ orderingKey, last, missing, held }: Lane): z.infer<typeof sequenceView> => ({
  orderingKey,
  last,
  missing: missing.map(({ from, to }) => ({ from, to })),
  held: held.map(({ sequence, until }) => ({ sequence, until })),
});
