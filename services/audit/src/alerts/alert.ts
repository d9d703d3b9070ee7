// An alert: what a rule found, about whom, and the records that show it. While one is open, what the rule finds about
// the same subject is added to it.
import { type AuditRecord, alertToOcsf } from '@reeve/audit-log';
import { event, type Id, type TenantId } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Draft, type Entry, type RawDraft } from '@reeve/store';
import { z } from 'zod';
import { type Evidence, type Rule, severities } from './rule.ts';
import { type RuleId, ruleIds } from './rules.ts';

const shownRecord = z.object({
  eventId: z.string().describe('…/audit/events/:id has the record'),
  type: z.string(),
  time: z.string(),
  actorId: z.string().nullable(),
  ip: z.string().nullable(),
});
type ShownRecord = z.infer<typeof shownRecord>;

const alertState = z.object({
  rule: z.enum(ruleIds),
  title: z.string(),
  severity: z.enum(severities),
  subject: z.string().describe('Whom or what it is about: an address, or the id of a user, connection, endpoint, …'),
  summary: z.string(),
  status: z.enum(['open', 'acknowledged']),
  raisedAt: z.string(),
  firstAt: z.string(),
  lastAt: z.string(),
  evidence: z.array(shownRecord).describe('The records that show it, newest first; at most 50'),
  acknowledgedAt: z.string().nullable(),
  acknowledgedBy: z.object({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable(),
  note: z.string().nullable(),
});

export type Alert = z.infer<typeof alertState>;
export type Alerts = Collections<Alert>;

export const alertsPath = '/v1/tenants/{tenantId}/audit/alerts' as const;
export const alertView = z.object({ id: z.string(), ...alertState.shape });

const mostEvidence = 50;

export const alerts = collection<Alert>({
  name: 'audit_alerts',
  unique: { open: ({ rule, subject, status }) => (status === 'open' ? `${rule} ${subject}` : null) },
  queries: {
    newest: { equality: [], direction: 'descending' },
    byStatus: { equality: ['status'], direction: 'descending', narrowedBy: ['rule'] },
    byRule: { equality: ['rule'], direction: 'descending' },
    bySubject: { equality: ['rule', 'subject'], sort: 'lastAt', direction: 'descending' },
  },
});

export const viewOf = ({ id, state }: Entry<Alert>): z.infer<typeof alertView> => ({ id, ...state });

type AlertId = Id<'alert'>;

const shown = ({ eventId, type, time, actor, context }: AuditRecord): ShownRecord => ({
  eventId,
  type,
  time,
  actorId: actor.id,
  ip: context.ip,
});

const newestFirst = (one: ShownRecord, other: ShownRecord) =>
  one.time < other.time ? 1 : one.time > other.time ? -1 : 0;

const idsOf = (evidence: readonly ShownRecord[]) => evidence.map(({ eventId }) => eventId);

type Happened = 'alert.raised' | 'alert.acknowledged';

/** For the log, and for SIEM and paging. */
function eventsOf(type: Happened, { tenantId, id }: { tenantId: TenantId; id: AlertId }, alert: Alert): Draft[] {
  const { rule, title, severity, subject, summary, firstAt, lastAt, note } = alert;
  const details = { rule, title, severity, subject, summary, firstAt, lastAt, note, evidence: idsOf(alert.evidence) };
  return [event(type, { id, name: title, because: rule, details }), finding(type, { tenantId, id }, alert)];
}

/** An OCSF Detection Finding. */
function finding(type: Happened, { tenantId, id }: { tenantId: TenantId; id: AlertId }, alert: Alert): RawDraft {
  const time = alert.acknowledgedAt ?? alert.lastAt;
  const found = alertToOcsf({ ...alert, tenantId, id, type, time, evidence: idsOf(alert.evidence) });
  return {
    topic: 'reeve.alert.v1',
    key: tenantId,
    type,
    subject: `alert/${id}`,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(found)),
  };
}

export function raise(
  of: { tenantId: TenantId; id: AlertId },
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
  return { state, events: eventsOf('alert.raised', of, state) };
}

/** Further records of the same: nobody is notified a second time. */
export function extend(alert: Alert, { records, summary }: Evidence): Decision<Alert> {
  const known = new Set(alert.evidence.map(({ eventId }) => eventId));
  const fresh = records.map(shown).filter(({ eventId }) => !known.has(eventId));
  if (alert.status !== 'open' || fresh.length === 0) return null;
  const evidence = [...fresh, ...alert.evidence].toSorted(newestFirst).slice(0, mostEvidence);
  const lastAt = evidence[0]?.time ?? alert.lastAt;
  return { state: { ...alert, summary, lastAt: lastAt > alert.lastAt ? lastAt : alert.lastAt, evidence }, events: [] };
}

export function acknowledge(
  of: { tenantId: TenantId; id: AlertId },
  alert: Alert,
  { by, note, at }: { by: NonNullable<Alert['acknowledgedBy']>; note: string | null; at: string },
): Decision<Alert> {
  if (alert.status === 'acknowledged') return null;
  const state: Alert = { ...alert, status: 'acknowledged', acknowledgedAt: at, acknowledgedBy: by, note };
  return { state, events: eventsOf('alert.acknowledged', of, state) };
}
