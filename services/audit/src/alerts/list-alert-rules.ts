import { pageOf, tenantRoute } from '@reeve/service-kit';
import { alertRulesPath, type RuleParts, type RuleSettings, ruleView, unchanged, viewOf } from './rule-settings.ts';
import { ruleIds } from './rules.ts';

export const listAlertRules = (parts: RuleParts) =>
  tenantRoute({
    method: 'get',
    path: alertRulesPath,
    summary: 'List the rules that raise alerts, with their thresholds here',
    action: 'audit:read',
    crossOrigin: true,
    response: pageOf(ruleView),
    async handle({ tenantId }) {
      const changed = new Map<string, RuleSettings>();
      for await (const { id, state } of parts.settings.in(tenantId).all('inOrder', {})) changed.set(id, state);
      const items = ruleIds.map(id => viewOf(parts, id, changed.get(id) ?? unchanged));
      return { body: { items, nextCursor: null } };
    },
  });
