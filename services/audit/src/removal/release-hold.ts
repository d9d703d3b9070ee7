import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Holds, holdsPath, holdView, release, viewOf } from './legal-hold.ts';
import { type Turns, wakeAt } from './removal-turn.ts';

export const releaseHold = ({ holds, turns, clock }: { holds: Holds; turns: Turns; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: `${holdsPath}/{holdId}:release`,
    summary: 'End a legal hold: what it kept follows retention again, and requests that are made after that',
    action: 'audit:configure',
    versioned: true,
    response: holdView,
    async handle({ tenantId, params: { holdId: id }, cause, expectedVersion }) {
      const decide = (hold: Parameters<typeof release>[1]) => release(id, hold, clock.now());
      const entry = await changeExisting(holds.in(tenantId), id, decide, { cause, expectedVersion });
      await wakeAt(turns, tenantId, { at: clock.now(), now: clock.now() });
      return { body: viewOf(entry), version: entry.version };
    },
  });
