import { because, type EventDraft, invalidField, type TenantId } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { RemovalParts, Remover } from './remover.ts';
import { type Policy, policyId, withDays } from './retention-policy.ts';
import { classOf, type RecordClass, recordClass, recordClasses } from './scope.ts';

type Parts = RemovalParts & { remover: Remover; delayMs: number };

const path = '/v1/tenants/{tenantId}/audit/retention' as const;

const days = z.number().int().min(1).max(36_500).nullable().describe('Null keeps for ever');

const retentionView = z.object({
  classes: z.array(
    z.object({
      class: recordClass,
      days,
      before: z
        .object({ days, until: z.string() })
        .nullable()
        .describe('What counts until then: keeping for less time deletes, and begins after a delay'),
      oldest: z.string().nullable().describe('When the oldest record that is there was chained'),
    }),
  ),
});

async function shown({ records, heads }: RemovalParts, tenantId: TenantId, policy: Policy | undefined) {
  const oldest = new Map<RecordClass, string>();
  for await (const { id: chain } of heads.in(tenantId).all('inOrder', {})) {
    const { items } = await records.in(tenantId).list('byChain', { chain }, { limit: 1 });
    const loggedAt = items[0]?.state.loggedAt;
    const known = oldest.get(classOf(chain));
    if (loggedAt !== undefined && (known === undefined || loggedAt < known)) oldest.set(classOf(chain), loggedAt);
  }
  const classes = recordClasses.map(name => {
    const rule = policy?.rules[name];
    return { class: name, days: rule?.days ?? null, before: rule?.before ?? null, oldest: oldest.get(name) ?? null };
  });
  return { classes };
}

export const readRetention = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'Read how long the records of each class are kept; for ever where nobody said otherwise',
    action: 'audit:configure',
    response: retentionView,
    async handle({ tenantId }) {
      const entry = await parts.policies.in(tenantId).get(policyId);
      return { body: await shown(parts, tenantId, entry?.state), version: entry?.version ?? 0 };
    },
  });

export const updateRetention = (parts: Parts) =>
  tenantRoute({
    method: 'patch',
    path,
    summary:
      'Change how long records are kept; what is left out stays. Less time counts after a delay, and not for what a legal hold keeps',
    action: 'audit:configure',
    body: z.strictObject({ classes: z.partialRecord(recordClass, days) }),
    response: retentionView,
    async handle({ tenantId, body: { classes }, cause, expectedVersion }) {
      if (Object.keys(classes).length === 0) throw invalidField('classes', 'names no class');
      const now = parts.clock.now();
      const { policies, delayMs } = parts;
      const updated: EventDraft<'retention.updated'> = {
        type: 'retention.updated',
        target: { type: 'retention', id: policyId, name: null },
        outcome: 'success',
        reason: because('requested'),
        details: { classes: Object.entries(classes).map(([name, kept]) => `${name}: ${inDays(kept)}`) },
      };
      const decide = (policy: Policy | null) => {
        const state = withDays(policy ?? { rules: {} }, classes, { now, delayMs });
        return state && { state, events: [updated] };
      };
      const entry = await policies.in(tenantId).change(policyId, decide, { cause, expectedVersion });
      const begins = Object.values(entry?.state.rules ?? {}).flatMap(({ before }) => before?.until ?? []);
      for (const at of [now.toISOString(), ...begins]) await parts.remover.wakeAt(tenantId, new Date(at));
      // What is kept for longer from now on is not removed any more when this is answered.
      await parts.remover.batchEnded(tenantId);
      return { body: await shown(parts, tenantId, entry?.state), version: entry?.version ?? 0 };
    },
  });

const inDays = (kept: number | null) => (kept === null ? 'for ever' : `${kept} days`);
