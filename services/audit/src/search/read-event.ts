import { readExisting, tenantRoute } from '@reeve/service-kit';
import { eventView, type Readable, viewOfStored } from './event-view.ts';

export const readEvent = (log: Readable) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events/{eventId}',
    summary: 'Read one audit record',
    action: 'audit:read',
    crossOrigin: true,
    response: eventView,
    async handle({ tenantId, params }) {
      return { body: viewOfStored(log, await readExisting(log.records.in(tenantId), params.eventId)) };
    },
  });
