import { event, invalidField } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Log } from '../log/log.ts';
import { batchEnded, type Turns, wakeAt } from './removal-turn.ts';
import {
  type Days,
  daysSchema,
  type Policies,
  type Policy,
  policyId,
  retentionPath,
  retentionView,
  viewOf,
  withDays,
} from './retention-policy.ts';
import { recordClass } from './scope.ts';

type Parts = Pick<Log, 'records' | 'heads' | 'clock'> & { policies: Policies; turns: Turns; delayMs: number };

export const updateRetention = ({ policies, turns, delayMs, ...log }: Parts) =>
  tenantRoute({
    method: 'patch',
    path: retentionPath,
    summary:
      'Change how long records are kept; what is left out stays. Less time counts after a delay, ' +
      'and not for what a legal hold keeps',
    action: 'audit:configure',
    versioned: true,
    body: z.strictObject({ classes: z.partialRecord(recordClass, daysSchema) }),
    response: retentionView,
    async handle({ tenantId, body: { classes }, cause, expectedVersion }) {
      if (Object.keys(classes).length === 0) throw invalidField('classes', 'names no class');
      const now = log.clock.now();
      const details = { classes: Object.entries(classes).map(([name, kept]) => `${name}: ${inWords(kept)}`) };
      const updated = event('retention.updated', { id: policyId, because: 'requested', details });
      const decide = (policy: Policy | null) => {
        const state = withDays(policy ?? { rules: {} }, classes, { now, delayMs });
        return state && { state, events: [updated] };
      };
      const entry = await policies.in(tenantId).change(policyId, decide, { cause, expectedVersion });
      await wakeAt(turns, tenantId, { at: now, now });
      // What is kept for longer from now on is not removed any more when this is answered.
      await batchEnded(turns, tenantId, log.clock);
      return { body: await viewOf(log, tenantId, entry?.state), version: entry?.version ?? 0 };
    },
  });

const inWords = (kept: Days) => (kept === null ? 'for ever' : `${kept} days`);
