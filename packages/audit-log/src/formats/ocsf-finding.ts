// OCSF's Detection Finding (2004): what an alert is, in the log and for those who read alerts alone.
import { classified, ocsfVersion, own, shapeOf } from './ocsf-classes.ts';

export type FindingDetails = {
  rule: string;
  title: string;
  severity: string;
  subject: string;
  summary: string;
  firstAt: string;
  lastAt: string;
  /** Ids of events. */
  evidence: string[];
};

const unknown = { id: 0, caption: 'Unknown' };
const severities: Record<string, typeof unknown> = {
  low: { id: 2, caption: 'Low' },
  medium: { id: 3, caption: 'Medium' },
  high: { id: 4, caption: 'High' },
  critical: { id: 5, caption: 'Critical' },
};
const statuses = {
  'alert.raised': { id: 1, caption: 'New' },
  'alert.acknowledged': { id: 2, caption: 'In Progress' },
} as const satisfies Record<string, typeof unknown>;

/** What a Detection Finding has beyond every event. An alert that says less than Reeve's is still one. */
export function findingOf({ id, ...details }: Partial<FindingDetails> & { id: string }, type: string) {
  const { rule = 'unknown', title = type, severity = '', subject, summary, firstAt, lastAt, evidence = [] } = details;
  const [grade, status] = [own(severities, severity) ?? unknown, own<typeof unknown>(statuses, type) ?? unknown];
  const [first, last] = [Date.parse(firstAt ?? ''), Date.parse(lastAt ?? '')];
  return {
    is_alert: type === 'alert.raised',
    severity_id: grade.id,
    severity: grade.caption,
    status_id: status.id,
    status: status.caption,
    finding_info: {
      uid: id,
      title,
      types: [rule],
      analytic: { type_id: 1, name: rule, uid: rule },
      ...(summary === undefined ? {} : { desc: summary }),
      ...(Number.isNaN(first) ? {} : { first_seen_time: first }),
      ...(Number.isNaN(last) ? {} : { last_seen_time: last }),
      related_events: evidence.map(uid => ({ uid })),
    },
    ...(subject === undefined ? {} : { evidences: [{ name: subject, data: { subject, events: evidence } }] }),
  };
}

/** An alert for those who read alerts alone. Its records are in the log; this names them. */
export function alertToOcsf({
  id,
  tenantId,
  type,
  time,
  ...details
}: FindingDetails & { id: string; tenantId: string; type: keyof typeof statuses; time: string }) {
  const shape = shapeOf(type);
  return {
    ...classified(shape, type),
    time: Date.parse(time),
    message: `${details.title}: ${details.summary}`,
    metadata: {
      version: ocsfVersion,
      product: { name: 'Reeve', vendor_name: 'Reeve', uid: '/reeve/audit' },
      uid: `${id}/${shape.activity}`,
      event_code: type,
      tenant_uid: tenantId,
    },
    ...findingOf({ ...details, id }, type),
    unmapped: { tenant: tenantId },
  };
}
