import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import {
  cancel,
  type DeletionRequest,
  type DeletionRequests,
  deletionsPath,
  requestView,
  viewOf,
} from './deletion-request.ts';
import { batchEnded, type Turns } from './removal-turn.ts';

type Parts = { requests: DeletionRequests; turns: Turns; clock: Clock };

export const cancelDeletionRequest = ({ requests, turns, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${deletionsPath}/{deletionId}:cancel`,
    summary: 'Cancel a deletion request; what is removed already stays removed',
    action: 'audit:configure',
    versioned: true,
    response: requestView,
    async handle({ tenantId, params: { deletionId: id }, cause, expectedVersion }) {
      const decide = (was: DeletionRequest) => cancel(id, was, clock.now());
      const entry = await changeExisting(requests.in(tenantId), id, decide, { cause, expectedVersion });
      await batchEnded(turns, tenantId, clock);
      return { body: viewOf(entry), version: entry.version };
    },
  });
