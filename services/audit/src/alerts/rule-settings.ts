// What a tenant changed of a rule. What it did not change is as the rule has it, also after an upgrade.
import { event } from '@reeve/contracts';
import type { Places } from '@reeve/service-kit/places';
import { type Collections, collection, type Decision } from '@reeve/store';
import { z } from 'zod';
import { type Rule, severities } from './rule.ts';
import { type RuleId, ruleIds, ruleOf } from './rules.ts';

export type RuleSettings = { enabled: boolean; thresholds: Record<string, number> };
export type AllRuleSettings = Collections<RuleSettings>;
export type RuleParts = { settings: AllRuleSettings; places: () => Places | null };

export const alertRulesPath = '/v1/tenants/{tenantId}/audit/alert-rules' as const;

export const ruleView = z.object({
  id: z.enum(ruleIds),
  title: z.string(),
  severity: z.enum(severities),
  enabled: z.boolean(),
  available: z.boolean().describe('False where the operator has not given what it needs: a database of places'),
  triggers: z.array(z.string()).describe('Types of records that it looks at'),
  thresholds: z.record(
    z.string(),
    z.object({ value: z.number(), default: z.number(), min: z.number(), max: z.number(), means: z.string() }),
  ),
});

/** By the id of the rule. */
export const ruleSettings = collection<RuleSettings>({
  name: 'audit_alert_rules',
  queries: { inOrder: { equality: [] } },
});

export const unchanged: RuleSettings = { enabled: true, thresholds: {} };

export function thresholdsOf(rule: Rule, { thresholds }: RuleSettings): Record<string, number> {
  return Object.fromEntries(
    Object.entries(rule.thresholds).map(([name, { default: value }]) => [name, thresholds[name] ?? value]),
  );
}

export function viewOf({ places }: RuleParts, id: RuleId, settings: RuleSettings): z.infer<typeof ruleView> {
  const { title, severity, triggers, needsPlaces, thresholds } = ruleOf(id);
  return {
    id,
    title,
    severity,
    enabled: settings.enabled,
    available: !needsPlaces || places() !== null,
    triggers: [...triggers],
    thresholds: Object.fromEntries(
      Object.entries(thresholds).map(([name, one]) => [
        name,
        { value: settings.thresholds[name] ?? one.default, ...one },
      ]),
    ),
  };
}

type Change = { enabled?: boolean | undefined; thresholds: Readonly<Record<string, number | null>> };

/** Null for a threshold is the default again. */
export function update(id: RuleId, was: RuleSettings, change: Change): NonNullable<Decision<RuleSettings>> {
  const thresholds: Record<string, number> = {};
  for (const [name, value] of Object.entries({ ...was.thresholds, ...change.thresholds }))
    if (value !== null) thresholds[name] = value;
  const state: RuleSettings = { enabled: change.enabled ?? was.enabled, thresholds };
  const details = {
    enabled: state.enabled,
    thresholds: Object.entries(thresholds).map(([name, value]) => `${name}: ${value}`),
  };
  const { title: name } = ruleOf(id);
  return { state, events: [event('alert_rule.updated', { id, name, because: 'requested', details })] };
}
