import { because, type EventDraft, invalidField, ProblemError } from '@reeve/contracts';
import { pageOf, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Places } from './places.ts';
import { severities } from './rule.ts';
import { type AllRuleSettings, type RuleSettings, unchanged } from './rule-settings.ts';
import { type RuleId, ruleIds, ruleOf } from './rules.ts';

type Parts = { settings: AllRuleSettings; places: () => Places | null };

const path = '/v1/tenants/{tenantId}/audit/alert-rules' as const;

const ruleView = z.object({
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

function shown({ places }: Parts, id: RuleId, settings: RuleSettings): z.infer<typeof ruleView> {
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

export const listAlertRules = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the rules that raise alerts, with their thresholds here',
    action: 'audit:read',
    response: pageOf(ruleView),
    async handle({ tenantId }) {
      const own = async (id: RuleId) => (await parts.settings.in(tenantId).get(id))?.state ?? unchanged;
      const items = await Promise.all(ruleIds.map(async id => shown(parts, id, await own(id))));
      return { body: { items, nextCursor: null } };
    },
  });

export const updateAlertRule = (parts: Parts) =>
  tenantRoute({
    method: 'patch',
    path: `${path}/{ruleId}`,
    summary: 'Switch a rule on or off, or change its thresholds; null is the default again',
    action: 'audit:configure',
    body: z.strictObject({
      enabled: z.boolean().optional(),
      thresholds: z.record(z.string(), z.number().int().nullable()).default({}),
    }),
    response: ruleView,
    async handle({ tenantId, params, body, cause, expectedVersion }) {
      const id = ruleIds.find(one => one === params['ruleId']);
      if (id === undefined) throw new ProblemError('alert_rule_unknown');
      for (const [name, value] of Object.entries(body.thresholds)) assertThreshold(id, name, value);
      const decide = (was: RuleSettings | null) => {
        const { enabled, thresholds } = was ?? unchanged;
        const changed = Object.entries({ ...thresholds, ...body.thresholds });
        const state: RuleSettings = {
          enabled: body.enabled ?? enabled,
          thresholds: Object.fromEntries(changed.flatMap(([name, value]) => (value === null ? [] : [[name, value]]))),
        };
        return { state, events: [updated(id, state)] };
      };
      const entry = await parts.settings.in(tenantId).change(id, decide, { cause, expectedVersion });
      return { body: shown(parts, id, entry?.state ?? unchanged), version: entry?.version ?? 0 };
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

const updated = (id: RuleId, { enabled, thresholds }: RuleSettings): EventDraft<'alert_rule.updated'> => ({
  type: 'alert_rule.updated',
  target: { type: 'alert_rule', id, name: ruleOf(id).title },
  outcome: 'success',
  reason: because('requested'),
  details: { enabled, thresholds: Object.entries(thresholds).map(([name, value]) => `${name}: ${value}`) },
});
