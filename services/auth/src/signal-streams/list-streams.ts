import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Streams, statuses, streamView, viewOf } from './stream.ts';

const shown = streamView.extend({
  status: z.enum(statuses),
  failures: z.number().describe('Pushes in a row that failed'),
});

/** For administrators: who of their tenant's applications is told of its people, and where. */
export const listSignalStreams = ({ streams, issuer }: { streams: Streams; issuer: string }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/signal-streams',
    summary: 'List the streams by which applications are told of people (Shared Signals)',
    // A receiver is told of its own alone.
    action: 'clients:read',
    query: pageQuery,
    response: pageOf(shown),
    handle: async ({ tenantId, query }) =>
      paged(await streams.in(tenantId).list('inOrder', {}, query), entry => ({
        ...viewOf(entry, issuer),
        status: entry.state.status,
        failures: entry.state.failures,
      })),
  });
