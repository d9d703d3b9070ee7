// How long a tenant keeps the records of each class. Keeping them for less time deletes, so that counts only after a
// delay in which it can be taken back; keeping them for longer counts at once.
import type { TenantId } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import { z } from 'zod';
import type { Log } from '../log/log.ts';
import { classOf, type RecordClass, recordClass, recordClasses } from './scope.ts';

export const retentionPath = '/v1/tenants/{tenantId}/audit/retention' as const;

export const daysSchema = z.number().int().min(1).max(36_500).nullable().describe('Null keeps for ever');
export type Days = z.infer<typeof daysSchema>;

export const retentionView = z.object({
  classes: z.array(
    z.object({
      class: recordClass,
      days: daysSchema,
      before: z
        .object({ days: daysSchema, until: z.string() })
        .nullable()
        .describe('What counts until then: keeping for less time deletes, and begins after a delay'),
      oldest: z.string().nullable().describe('When the oldest record that is there was chained'),
    }),
  ),
});

/** `before` counts until `until`. */
export type Rule = { days: Days; before?: { days: Days; until: string } };
export type Policy = { rules: Partial<Record<RecordClass, Rule>> };
export type Policies = Collections<Policy>;

/** Each tenant has one. */
export const policyId = 'policy';

export const policies = collection<Policy>({ name: 'audit_retention' });

const dayMs = 86_400_000;
const isShorter = (one: Days, other: Days) => (one ?? Infinity) < (other ?? Infinity);

export function daysNow(rule: Rule | undefined, now: Date): Days {
  if (rule?.before && rule.before.until > now.toISOString()) return rule.before.days;
  return rule?.days ?? null;
}

/** What was chained before then may be removed; null where nothing may. */
export function cutoffOf(rule: Rule | undefined, now: Date): string | null {
  const days = daysNow(rule, now);
  return days === null ? null : new Date(now.getTime() - days * dayMs).toISOString();
}

/** The policy with the days given. Null where that changes nothing. */
export function withDays(
  policy: Policy,
  given: Partial<Record<RecordClass, Days>>,
  { now, delayMs }: { now: Date; delayMs: number },
): Policy | null {
  const until = new Date(now.getTime() + delayMs).toISOString();
  const rules: Policy['rules'] = { ...policy.rules };
  let changed = false;
  for (const name of recordClasses) {
    const days = given[name];
    const rule = policy.rules[name];
    if (days === undefined || days === (rule?.days ?? null)) continue;
    const before = daysNow(rule, now);
    rules[name] = isShorter(days, before) ? { days, before: { days: before, until } } : { days };
    changed = true;
  }
  return changed ? { rules } : null;
}

export async function viewOf(
  { records, heads }: Pick<Log, 'records' | 'heads'>,
  tenantId: TenantId,
  policy: Policy | undefined,
): Promise<z.infer<typeof retentionView>> {
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
