// Has the rules look at what was chained. It runs before the offsets are committed, so a crash repeats it; an alert that has seen a record does not see it
// again. A rule that fails is told of and holds up nobody's log.
import { metrics } from '@opentelemetry/api';
import type { AuditRecord, ChainedRecord } from '@reeve/audit-log';
import { newId, serviceCause, type TenantId } from '@reeve/contracts';
import { DuplicateKeyError } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import { fromStored, type Records } from '../chains/chain-store.ts';
import type { Filters } from '../search/plan-search.ts';
import { search } from '../search/search-events.ts';
import { type Alert, type Alerts, extend, raise } from './alert.ts';
import type { Places } from './places.ts';
import { minuteMs, type Rule } from './rule.ts';
import { type AllRuleSettings, type RuleSettings, thresholdsOf, unchanged } from './rule-settings.ts';
import { type RuleId, ruleIds, ruleOf } from './rules.ts';

type Parts = {
  records: Records;
  alerts: Alerts;
  settings: AllRuleSettings;
  places: () => Places | null;
  onError: (error: unknown) => void;
};

/** A change of a rule counts after that at the latest. */
const settingsKeptMs = 5_000;
/** An open alert is brought up to date this often. */
const extendEveryMs = minuteMs;

const raised = metrics.getMeter('@reeve/audit').createCounter('reeve.audit.alerts', {
  description: 'Alerts raised, by rule',
});

const byTrigger = new Map<string, RuleId[]>();
for (const id of ruleIds)
  for (const type of ruleOf(id).triggers) byTrigger.set(type, [...(byTrigger.get(type) ?? []), id]);

export function createDetector({ records, alerts, settings, places, onError }: Parts) {
  const cached = new LRUCache<TenantId, Map<string, RuleSettings>>({ max: 5_000, ttl: settingsKeptMs });

  async function settingsOf(tenantId: TenantId): Promise<Map<string, RuleSettings>> {
    const known = cached.get(tenantId);
    if (known) return known;
    const found = new Map<string, RuleSettings>();
    for await (const { id, state } of settings.in(tenantId).all('inOrder', {})) found.set(id, state);
    cached.set(tenantId, found);
    return found;
  }

  const finder = (tenantId: TenantId) => async (filters: Filters, limit: number) =>
    (await search(records, tenantId, { filters, limit })).items.map(({ state }) => fromStored(state).record);

  async function consider(
    tenantId: TenantId,
    { id, rule, record, subject }: { id: RuleId; rule: Rule; record: AuditRecord; subject: string },
  ): Promise<void> {
    const own = (await settingsOf(tenantId)).get(id) ?? unchanged;
    if (!own.enabled || (rule.needsPlaces && !places())) return;
    const { items } = await alerts.in(tenantId).list('bySubject', { rule: id, subject }, { limit: 1 });
    const last = items[0];
    if (last && last.state.lastAt >= record.time) return;
    const isOpen = last?.state.status === 'open';
    if (last && isOpen && Date.parse(record.time) - Date.parse(last.state.lastAt) < extendEveryMs) return;
    const evidence = await rule.look({
      record,
      subject,
      thresholds: thresholdsOf(rule, own),
      since: last?.state.lastAt ?? null,
      find: finder(tenantId),
      places: places(),
    });
    if (!evidence) return;
    const { correlationId, eventId } = record;
    const cause = serviceCause('audit', { correlationId, causationId: eventId });
    if (last && isOpen) {
      const decide = (alert: Alert | null) => alert && extend(alert, evidence);
      await alerts.in(tenantId).change(last.id, decide, { cause });
      return;
    }
    const alertId = newId('alert');
    const decision = raise(tenantId, alertId, { ruleId: id, rule, subject, evidence });
    try {
      await alerts.in(tenantId).create(alertId, decision, cause);
      raised.add(1, { rule: id });
    } catch (error) {
      // Another instance saw it too.
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }

  return {
    /** Of many records about one subject, the last of each minute is looked at. */
    async examine(chained: readonly ChainedRecord[]): Promise<void> {
      const looks = new Map<string, { id: RuleId; rule: Rule; record: AuditRecord; subject: string }>();
      for (const { record } of chained)
        for (const id of byTrigger.get(record.type) ?? []) {
          const rule = ruleOf(id);
          const subject = rule.subjectOf(record);
          if (subject === null || subject === '') continue;
          const minute = Math.floor(Date.parse(record.time) / minuteMs);
          looks.set(`${record.tenantId} ${id} ${minute} ${subject}`, { id, rule, record, subject });
        }
      for (const look of looks.values()) await consider(look.record.tenantId as TenantId, look).catch(onError);
    },
  };
}
