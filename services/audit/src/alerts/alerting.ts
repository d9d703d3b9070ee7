// Asks a rule what it finds by a record, and raises an alert or adds to the one that is open.
import { metrics } from '@opentelemetry/api';
import type { AuditRecord } from '@reeve/audit-log';
import { type Id, newId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Places } from '@reeve/service-kit/places';
import { type Clock, DuplicateKeyError } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import { finderOf } from '../log/find-records.ts';
import type { Records } from '../log/record.ts';
import { type Alert, type Alerts, extend, raise } from './alert.ts';
import { before, type Evidence, hourMs, type Rule, type Thresholds } from './rule.ts';
import type { RuleId } from './rules.ts';

type Parts = { records: Records; alerts: Alerts; places: () => Places | null; clock: Clock };

export type Consideration = {
  id: RuleId;
  rule: Rule;
  record: AuditRecord;
  subject: string;
  thresholds: Thresholds;
};

/** An open alert is brought up to date this often. */
const extendEveryMs = 1_000;
/** Of one rule and tenant: what comes beyond is one alert together. */
const mostAnHour = 20;
/** Stands for the subjects of a rule that raises alerts about very many. */
const manySubjects = '*';

const raised = metrics.getMeter('@reeve/audit').createCounter('reeve.audit.alerts', {
  description: 'Alerts raised, by rule',
});

const causeOf = ({ correlationId, eventId }: AuditRecord) =>
  serviceCause('audit', { correlationId, causationId: eventId });

export function createAlerting({ records, alerts, places, clock }: Parts) {
  const extended = new LRUCache<string, true>({ max: 10_000, ttl: extendEveryMs });

  async function addTo(tenantId: TenantId, id: string, found: Evidence, record: AuditRecord): Promise<Alert | null> {
    const decide = (alert: Alert | null) => alert && extend(alert, found);
    return (await alerts.in(tenantId).change(id, decide, { cause: causeOf(record) }))?.state ?? null;
  }

  async function raiseNew(tenantId: TenantId, found: Evidence, of: Consideration): Promise<void> {
    const { id: rule, subject, record } = of;
    const isFlood = subject !== manySubjects && (await raisedLately(tenantId, rule)) >= mostAnHour;
    if (isFlood) return void (await consider(tenantId, aboutMany(of)));
    const id: Id<'alert'> = newId('alert');
    const at = clock.now().toISOString();
    const decision = raise({ tenantId, id }, { ruleId: rule, rule: of.rule, subject, evidence: found, at });
    try {
      await alerts.in(tenantId).create(id, decision, causeOf(record));
      raised.add(1, { rule });
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

  /** True where the rule found nothing. */
  async function consider(tenantId: TenantId, of: Consideration): Promise<boolean> {
    const { id: rule, record, subject, thresholds } = of;
    const { items } = await alerts.in(tenantId).list('bySubject', { rule, subject }, { limit: 1 });
    const last = items[0];
    if (last?.state.evidence.some(({ eventId }) => eventId === record.eventId)) return false;
    const isOpen = last?.state.status === 'open';
    const since = last && !isOpen ? acknowledgedUntil(last.state, clock.now()) : null;
    if (since !== null && record.time <= since) return false;
    if (last && isOpen) {
      if (extended.has(last.id)) return false;
      extended.set(last.id, true);
    }
    const find = finderOf(records, tenantId);
    const found = await of.rule.look({ record, subject, thresholds, since, find, places: places() });
    if (!found) return true;
    if (!last || !isOpen) await raiseNew(tenantId, found, of);
    // Acknowledged meanwhile: looked at again, it may be a new one.
    else if ((await addTo(tenantId, last.id, found, record))?.status === 'acknowledged') await consider(tenantId, of);
    return false;
  }

  return { consider };
}

/** What an acknowledgement covers is not raised again. A record that says it is of the future counts as of now. */
function acknowledgedUntil({ lastAt, acknowledgedAt }: Alert, now: Date): string {
  const covered = acknowledgedAt !== null && acknowledgedAt > lastAt ? acknowledgedAt : lastAt;
  return covered < now.toISOString() ? covered : now.toISOString();
}

function aboutMany(of: Consideration): Consideration {
  const { rule, subject } = of;
  const look: Rule['look'] = async asked => {
    const found = await rule.look({ ...asked, subject, since: null });
    const more = `more than ${mostAnHour} alerts within an hour; now ${subject}`;
    return found && { ...found, summary: `${more}: ${found.summary}` };
  };
  return { ...of, subject: manySubjects, rule: { ...rule, look } };
}
