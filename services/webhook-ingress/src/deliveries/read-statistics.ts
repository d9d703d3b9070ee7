import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Collections } from '@reeve/store';
import { z } from 'zod';
import type { Endpoints } from '../endpoints/endpoint.ts';
import type { Lane } from './lane.ts';
import type { Lanes } from './lanes.ts';
import { mustExist } from './read-deliveries.ts';
import type { Tally } from './tallies.ts';

const range = z.object({ from: z.number(), to: z.number() });

export const readLanes = ({ endpoints, lanes }: { endpoints: Endpoints; lanes: Lanes }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/sequences',
    summary: 'Per ordering key: how far the sequence has come, what is missing and what is held',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(
      z.object({
        orderingKey: z.string(),
        last: z.number().nullable(),
        missing: z.array(range),
        held: z.array(z.object({ sequence: z.number(), until: z.string() })),
      }),
    ),
    async handle({ tenantId, params, query }) {
      const endpointId = String(params['endpointId']);
      await mustExist(endpoints, tenantId, endpointId);
      const page = await lanes.list(tenantId, endpointId, query);
      return { body: { items: page.items.map(({ state }) => laneView(state)), nextCursor: page.nextCursor } };
    },
  });

function laneView({ orderingKey, last, missing, held }: Lane) {
  return {
    orderingKey,
    last,
    missing: missing.map(({ from, to }) => ({ from, to })),
    held: held.map(({ sequence, until }) => ({ sequence, until })),
  };
}

export const readTallies = ({ endpoints, tallies }: { endpoints: Endpoints; tallies: Collections<Tally> }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/tallies',
    summary: 'Refusals and repetitions that were too many for an event each: counts by minute and reason, newest first',
    action: 'webhooks:read',
    query: pageQuery,
    response: pageOf(
      z.object({
        minute: z.string(),
        outcome: z.enum(['rejected', 'duplicated']),
        reason: z.string(),
        count: z.number(),
        bytes: z.number(),
      }),
    ),
    async handle({ tenantId, params, query }) {
      const endpointId = String(params['endpointId']);
      await mustExist(endpoints, tenantId, endpointId);
      const page = await tallies.in(tenantId).list('byEndpoint', { endpointId }, query);
      const items = page.items.map(({ state: { minute, type, reason, count, bytes } }) => ({
        minute,
        outcome: type === 'delivery.rejected' ? ('rejected' as const) : ('duplicated' as const),
        reason,
        count,
        bytes,
      }));
      return { body: { items, nextCursor: page.nextCursor } };
    },
  });
