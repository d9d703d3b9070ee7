import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Checkpoints, checkpointView, signedOf, viewOf } from '../log/checkpoint.ts';

export const listCheckpoints = ({ checkpoints }: { checkpoints: Checkpoints }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/checkpoints',
    summary: 'List the signed checkpoints of the log, newest first',
    action: 'audit:read',
    crossOrigin: true,
    query: pageQuery,
    response: pageOf(checkpointView),
    handle: async ({ tenantId, query }) =>
      paged(await checkpoints.in(tenantId).list('newest', {}, query), ({ state }) => viewOf(signedOf(state))),
  });
