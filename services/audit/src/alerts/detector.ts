// Has the rules look at what was chained. It runs before the offsets are committed, so a crash repeats it; an alert that has seen a record does not see it
// again. A rule that fails is told of and holds up nobody's log.
import { metrics } from '@opentelemetry/api';
import type { AuditRecord, ChainedRecord } from '@reeve/audit-log';
import { newId, serviceCause, type TenantId } from '@reeve/contracts';
import { type Clock, DuplicateKeyError, isStoreUnavailable } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import { fromStored, type Records } from '../chains/chain-store.ts';
import type { Filters } from '../search/plan-search.ts';
import { search } from '../search/search-events.ts';
import { type Alert, type Alerts, extend, raise } from './alert.ts';
import type { Places } from './places.ts';
import { before, hourMs, minuteMs, type Rule } from './rule.ts';
import { type AllRuleSettings, type RuleSettings, thresholdsOf, unchanged } from './rule-settings.ts';
import { type RuleId, ruleIds, ruleOf } from './rules.ts';

type Parts = {
  records: Records;
  alerts: Alerts;
  settings: AllRuleSettings;
  places: () => Places | null;
  clock: Clock;
  onError: (error: unknown) => void;
};

/** A change of a rule counts after that at the latest. */
const settingsKeptMs = 5_000;
/** An open alert is brought up to date this often. */
const extendEveryMs = 1_000;
/** Of one rule and tenant: what comes beyond is one alert together. */
const mostAnHour = 20;
const longestSubject = 500;
const looksAtOnce = 8;

type Looking = { id: RuleId; rule: Rule; record: AuditRecord; subject: string };

const raised = metrics.getMeter('@reeve/audit').createCounter('reeve.audit.alerts', {
  description: 'Alerts raised, by rule',
});

const byTrigger = new Map<string, RuleId[]>();
for (const id of ruleIds)
  for (const type of ruleOf(id).triggers) byTrigger.set(type, [...(byTrigger.get(type) ?? []), id]);

export function createDetector({ records, alerts, settings, places, clock, onError }: Parts) {
  const extended = new LRUCache<string, true>({ max: 10_000, ttl: extendEveryMs });
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

  async function consider(tenantId: TenantId, look: Looking): Promise<void> {
    const { id, rule, record, subject } = look;
    const own = (await settingsOf(tenantId)).get(id) ?? unchanged;
    if (!own.enabled || (rule.needsPlaces && !places())) return;
    const { items } = await alerts.in(tenantId).list('bySubject', { rule: id, subject }, { limit: 1 });
    const last = items[0];
    if (last?.state.evidence.some(({ eventId }) => eventId === record.eventId)) return;
    const isOpen = last?.state.status === 'open';
    const since = last && !isOpen ? seenUntil(last.state, clock.now()) : null;
    if (since !== null && record.time <= since) return;
    if (last && isOpen) {
      if (extended.has(last.id)) return;
      extended.set(last.id, true);
    }
    const thresholds = thresholdsOf(rule, own);
    const find = finder(tenantId);
    const evidence = await rule.look({ record, subject, thresholds, since, find, places: places() });
    if (!evidence) return;
    const { correlationId, eventId } = record;
    const cause = serviceCause('audit', { correlationId, causationId: eventId });
    if (last && isOpen) {
      const decide = (alert: Alert | null) => alert && extend(alert, evidence);
      const now = await alerts.in(tenantId).change(last.id, decide, { cause });
      // Acknowledged meanwhile: looked at again, it may be a new one.
      if (now?.state.status === 'acknowledged') await consider(tenantId, look);
      return;
    }
    const isFlood = subject !== manySubjects && (await raisedLately(tenantId, id)) >= mostAnHour;
    if (isFlood) return consider(tenantId, { ...look, subject: manySubjects, rule: { ...rule, look: flood(rule) } });
    const alertId = newId('alert');
    const at = clock.now().toISOString();
    const decision = raise(tenantId, alertId, { ruleId: id, rule, subject, evidence, at });
    try {
      await alerts.in(tenantId).create(alertId, decision, cause);
      raised.add(1, { rule: id });
    } catch (error) {
      // Another instance saw it too.
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }

  async function raisedLately(tenantId: TenantId, rule: RuleId): Promise<number> {
    const { items } = await alerts.in(tenantId).list('byRule', { rule }, { limit: mostAnHour });
    const from = before(clock.now().toISOString(), hourMs);
    return items.filter(({ state }) => state.raisedAt > from).length;
  }

  return {
    /** Of many records about one subject, the first and the last of each minute are looked at. Throws where the store does not answer: the batch comes again. */
    async examine(chained: readonly ChainedRecord[]): Promise<void> {
      const looks = new Map<string, Looking[]>();
      for (const { record } of chained)
        for (const id of byTrigger.get(record.type) ?? []) {
          const rule = ruleOf(id);
          const subject = rule.subjectOf(record);
          if (subject === null || subject === '' || subject.length > longestSubject) continue;
          const minute = Math.floor(Date.parse(record.time) / minuteMs);
          const key = `${record.tenantId} ${id} ${minute} ${subject}`;
          const [first] = looks.get(key) ?? [];
          const look = { id, rule, record, subject };
          looks.set(key, first ? [first, look] : [look]);
        }
      const waiting = looks.values();
      const work = async () => {
        for (const some of waiting)
          for (const look of some)
            await consider(look.record.tenantId as TenantId, look).catch(error => {
              if (isStoreUnavailable(error)) throw error;
              onError(error);
            });
      };
      await Promise.all(Array.from({ length: looksAtOnce }, work));
    },
  };
}

/** What was seen to when it was acknowledged is not seen to again. A record that says it is of the future counts as of now. */
function seenUntil({ lastAt, acknowledgedAt }: Alert, now: Date): string {
  const seen = acknowledgedAt !== null && acknowledgedAt > lastAt ? acknowledgedAt : lastAt;
  return seen < now.toISOString() ? seen : now.toISOString();
}

/** Stands for the subjects of a rule that raises alerts about very many. */
const manySubjects = '*';

const flood =
  (rule: Rule): Rule['look'] =>
  async look => {
    const subject = rule.subjectOf(look.record) ?? '';
    const evidence = await rule.look({ ...look, subject, since: null });
    return (
      evidence && {
        ...evidence,
        summary: `more than ${mostAnHour} alerts within an hour; now ${subject}: ${evidence.summary}`,
      }
    );
  };
