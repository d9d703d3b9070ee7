// An alert: what a rule found, about whom, and the records that show it. While one is open, what the rule finds about the same subject is added to it.
import { type AuditRecord, alertToOcsf } from '@reeve/audit-log';
import { because, type EventDraft } from '@reeve/contracts';
import type { Collections, Decision, Store } from '@reeve/store';
import type { Evidence, Rule, Severity } from './rule.ts';
import type { RuleId } from './rules.ts';

type Shown = { eventId: string; type: string; time: string; actorId: string | null; ip: string | null };

export type Alert = {
  rule: RuleId;
  title: string;
  severity: Severity;
  subject: string;
  summary: string;
  status: 'open' | 'acknowledged';
  raisedAt: string;
  firstAt: string;
  lastAt: string;
  /** Newest first; the newest of them, where there are very many. */
  evidence: Shown[];
  acknowledgedAt: string | null;
  acknowledgedBy: { type: string; id: string | null; name: string | null } | null;
  note: string | null;
};
export type Alerts = Collections<Alert>;

const mostEvidence = 50;

export function defineAlerts(store: Store): Alerts {
  return store.collections<Alert>({
    name: 'audit_alerts',
    unique: { open: ({ rule, subject, status }) => (status === 'open' ? `${rule} ${subject}` : null) },
    queries: {
      newest: { equality: [], direction: 'descending' },
      byStatus: { equality: ['status'], direction: 'descending' },
      byRule: { equality: ['rule'], direction: 'descending' },
      bySubject: { equality: ['rule', 'subject'], sort: 'lastAt', direction: 'descending' },
    },
  });
}

const shown = ({ eventId, type, time, actor, context }: AuditRecord): Shown => ({
  eventId,
  type,
  time,
  actorId: actor.id,
  ip: context.ip,
});

const newestFirst = (one: Shown, other: Shown) => (one.time < other.time ? 1 : one.time > other.time ? -1 : 0);

function event(type: 'alert.raised' | 'alert.acknowledged', id: string, alert: Alert): EventDraft {
  const { rule, title, severity, subject, summary, firstAt, lastAt, evidence, note } = alert;
  return {
    type,
    target: { type: 'alert', id, name: title },
    outcome: 'success',
    reason: because(rule),
    details: {
      rule,
      title,
      severity,
      subject,
      summary,
      firstAt,
      lastAt,
      evidence: evidence.map(({ eventId }) => eventId),
      note,
    },
  };
}

/** For SIEM and paging: an OCSF Detection Finding. */
function published(tenantId: string, id: string, type: 'alert.raised' | 'alert.acknowledged', alert: Alert) {
  const time = alert.acknowledgedAt ?? alert.lastAt;
  return {
    topic: 'reeve.alert.v1',
    key: tenantId,
    type,
    subject: `alert/${id}`,
    contentType: 'application/json',
    data: Buffer.from(
      JSON.stringify(
        alertToOcsf({ ...alert, tenantId, id, type, time, evidence: alert.evidence.map(({ eventId }) => eventId) }),
      ),
    ),
  };
}

export function raise(
  tenantId: string,
  id: string,
  {
    ruleId,
    rule,
    subject,
    evidence,
    at,
  }: { ruleId: RuleId; rule: Rule; subject: string; evidence: Evidence; at: string },
): NonNullable<Decision<Alert>> {
  const records = evidence.records.map(shown).toSorted(newestFirst);
  const times = records.map(({ time }) => time);
  const state: Alert = {
    rule: ruleId,
    title: rule.title,
    severity: rule.severity,
    subject,
    summary: evidence.summary,
    status: 'open',
    raisedAt: at,
    firstAt: times.at(-1) ?? '',
    lastAt: times[0] ?? '',
    evidence: records.slice(0, mostEvidence),
    acknowledgedAt: null,
    acknowledgedBy: null,
    note: null,
  };
  return { state, events: [event('alert.raised', id, state), published(tenantId, id, 'alert.raised', state)] };
}

/** Further records of the same: nobody is told a second time. */
export function extend(alert: Alert, { records, summary }: Evidence): Decision<Alert> {
  const known = new Set(alert.evidence.map(({ eventId }) => eventId));
  const fresh = records.map(shown).filter(({ eventId }) => !known.has(eventId));
  if (alert.status !== 'open' || fresh.length === 0) return null;
  const evidence = [...fresh, ...alert.evidence].toSorted(newestFirst).slice(0, mostEvidence);
  const lastAt = evidence[0]?.time ?? alert.lastAt;
  return { state: { ...alert, summary, lastAt: lastAt > alert.lastAt ? lastAt : alert.lastAt, evidence }, events: [] };
}

export function acknowledge(
  tenantId: string,
  id: string,
  alert: Alert,
  { by, note, at }: { by: NonNullable<Alert['acknowledgedBy']>; note: string | null; at: string },
): Decision<Alert> {
  if (alert.status === 'acknowledged') return null;
  const state: Alert = { ...alert, status: 'acknowledged', acknowledgedAt: at, acknowledgedBy: by, note };
  const type = 'alert.acknowledged';
  return { state, events: [event(type, id, state), published(tenantId, id, type, state)] };
}
