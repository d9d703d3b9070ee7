import { invalidField, ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { alertRulesPath, type RuleParts, ruleView, unchanged, update, viewOf } from './rule-settings.ts';
import { type RuleId, ruleIds, ruleOf } from './rules.ts';

export const updateAlertRule = (parts: RuleParts) =>
  tenantRoute({
    method: 'patch',
    path: `${alertRulesPath}/{ruleId}`,
    summary: 'Switch a rule on or off, or change its thresholds; null is the default again',
    action: 'audit:configure',
    versioned: true,
    body: z.strictObject({
      enabled: z.boolean().optional(),
      thresholds: z.record(z.string(), z.number().int().nullable()).default({}),
    }),
    response: ruleView,
    async handle({ tenantId, params, body, cause, expectedVersion }) {
      const id = ruleIds.find(one => one === params.ruleId);
      if (id === undefined) throw new ProblemError('not_found');
      for (const [name, value] of Object.entries(body.thresholds)) assertThreshold(id, name, value);
      // A rule that nobody changed has no settings yet.
      const settings = parts.settings.in(tenantId);
      const entry = await settings.change(id, was => update(id, was ?? unchanged, body), { cause, expectedVersion });
      return { body: viewOf(parts, id, entry?.state ?? unchanged), version: entry?.version ?? 0 };
    },
  });

function assertThreshold(id: RuleId, name: string, value: number | null): void {
  const { thresholds } = ruleOf(id);
  const field = `thresholds.${name}`;
  const known = Object.hasOwn(thresholds, name) ? thresholds[name] : undefined;
  if (!known) throw invalidField(field, `must be one of ${Object.keys(thresholds).join(', ')}`);
  if (value !== null && (value < known.min || value > known.max))
    throw invalidField(field, `must be from ${known.min} to ${known.max}`);
}
