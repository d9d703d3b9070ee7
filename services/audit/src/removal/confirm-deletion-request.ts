import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import {
  confirm,
  type DeletionRequest,
  type DeletionRequests,
  deletionsPath,
  personOf,
  requestView,
  viewOf,
} from './deletion-request.ts';
import { type Turns, wakeAt } from './removal-turn.ts';

type Parts = { requests: DeletionRequests; turns: Turns; delayMs: number; clock: Clock };

export const confirmDeletionRequest = ({ requests, turns, delayMs, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${deletionsPath}/{deletionId}:confirm`,
    summary: 'Confirm a deletion request of another person; the records are removed after a delay',
    action: 'audit:configure',
    versioned: true,
    response: requestView,
    async handle({ tenantId, params: { deletionId: id }, cause, expectedVersion }) {
      const now = clock.now();
      const decide = (was: DeletionRequest) => confirm(id, was, { confirmedBy: personOf(cause.actor), now, delayMs });
      // Before the change, so that a confirmed request is not forgotten by a process that ends between the two.
      await wakeAt(turns, tenantId, { at: new Date(now.getTime() + delayMs), now });
      const entry = await changeExisting(requests.in(tenantId), id, decide, { cause, expectedVersion });
      return { body: viewOf(entry), version: entry.version };
    },
  });
