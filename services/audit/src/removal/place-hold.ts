import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Holds, holdsPath, holdView, place, viewOf } from './legal-hold.ts';
import { batchEnded, type Turns } from './removal-turn.ts';
import { scope } from './scope.ts';

export const placeHold = ({ holds, turns, clock }: { holds: Holds; turns: Turns; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: holdsPath,
    summary: 'Keep the records of a scope, whatever retention or a deletion request says; holds when this is answered',
    action: 'audit:configure',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).describe('Of the matter'),
      reason: z.string().trim().min(1).max(1_000),
      scope: scope.default({}).describe('The whole log where it is left out'),
    }),
    status: 201,
    response: holdView,
    async handle({ tenantId, body, cause, freshId }) {
      const id = freshId('hold');
      const placed = place(id, { ...body, placedAt: clock.now().toISOString(), releasedAt: null });
      const { entry } = await createOnce(holds.in(tenantId), id, placed, { cause });
      await batchEnded(turns, tenantId, clock);
      return { body: viewOf(entry), version: entry.version };
    },
  });
