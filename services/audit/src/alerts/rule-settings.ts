// What a tenant changed of a rule. What it did not change is as the rule has it, also after an upgrade.
import type { Collections, Store } from '@reeve/store';
import type { Rule } from './rule.ts';

export type RuleSettings = { enabled: boolean; thresholds: Record<string, number> };
export type AllRuleSettings = Collections<RuleSettings>;

export function defineRuleSettings(store: Store): AllRuleSettings {
  return store.collections<RuleSettings>({ name: 'audit_alert_rules', queries: { inOrder: { equality: [] } } });
}

export const unchanged: RuleSettings = { enabled: true, thresholds: {} };

export function thresholdsOf(rule: Rule, { thresholds }: RuleSettings): Record<string, number> {
  return Object.fromEntries(
    Object.entries(rule.thresholds).map(([name, { default: value }]) => [name, thresholds[name] ?? value]),
  );
}
