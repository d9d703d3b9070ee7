import { tenantRoute } from '@reeve/service-kit';
import { type Checkpoints, checkpointView, getCheckpoint, numberIn, viewOf } from '../log/checkpoint.ts';

export const readCheckpoint = ({ checkpoints }: { checkpoints: Checkpoints }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/checkpoints/{number}',
    summary: 'Read one checkpoint',
    action: 'audit:read',
    crossOrigin: true,
    response: checkpointView,
    handle: async ({ tenantId, params }) => ({
      body: viewOf(await getCheckpoint(checkpoints, tenantId, numberIn(params.number))),
    }),
  });
