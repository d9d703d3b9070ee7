// OCSF 1.8.0 (https://schema.ocsf.io/1.8.0). Each record becomes an event of the class that fits its type; tenant, chain, sequence,
// hashes and the record itself travel along, so that the export stays verifiable at the SIEM's end (lesson L16).
import { isIP } from 'node:net';
import type { AuditRecord, ChainedRecord } from '../record.ts';
import { decodeStatement, hashOfStatement, type StatementKind } from '../statements.ts';
import { type Format, lineOf } from './entry.ts';

type Ocsf = Record<string, unknown>;
type Shape = { class: 2004 | 3001 | 3002 | 3004 | 3005 | 3006 | 6003; activity: number };

const version = '1.8.0';
const categories = { 2004: 2, 3001: 3, 3002: 3, 3004: 3, 3005: 3, 3006: 3, 6003: 6 } as const;

const other = 99;

const account = (activity: number): Shape => ({ class: 3001, activity });
const authentication = (activity: number): Shape => ({ class: 3002, activity });
const entity = (activity: number): Shape => ({ class: 3004, activity });
const userAccess = (activity: number): Shape => ({ class: 3005, activity });
const group = (activity: number): Shape => ({ class: 3006, activity });
const api = (activity: number): Shape => ({ class: 6003, activity });
const finding = (activity: number): Shape => ({ class: 2004, activity });

/** Types with a class of their own; all others follow from their verb (`entityActivities`). */
const shapes: Record<string, Shape> = {
  'sign_in.succeeded': authentication(1),
  'sign_in.failed': authentication(1),
  'step_up.succeeded': authentication(1),
  'step_up.failed': authentication(1),
  'session.created': authentication(3),
  'session.revoked': authentication(2),
  'session.expired': authentication(2),
  'token.refreshed': authentication(5),
  'token.exchanged': authentication(4),
  'user.created': account(1),
  'user.reactivated': account(2),
  'user.deactivated': account(5),
  'user.deleted': account(6),
  'mfa_factor.enrolled': account(10),
  'mfa_factor.removed': account(11),
  'role.assigned': userAccess(1),
  'role.unassigned': userAccess(2),
  'consent.granted': userAccess(1),
  'consent.revoked': userAccess(2),
  'membership.added': group(3),
  'membership.removed': group(4),
  'group.created': group(6),
  'group.deleted': group(5),
  'secret.accessed': api(2),
  'delivery.accepted': api(1),
  'delivery.rejected': api(1),
  'delivery.duplicated': api(1),
  'audit.read': api(2),
  'audit.exported': api(2),
  'alert.raised': finding(1),
  'alert.acknowledged': finding(2),
  'access.denied': api(99),
  'access.platform_used': api(99),
};

const entityActivities: Record<string, number> = {
  created: 1,
  stored: 1,
  requested: 1,
  updated: 3,
  rotated: 3,
  secret_rotated: 3,
  token_rotated: 3,
  deleted: 4,
  destroyed: 4,
  linked: 6,
  unlinked: 7,
  enabled: 8,
  disabled: 9,
  activated: 10,
  installed: 10,
  uninstalled: 11,
  suspended: 12,
  resumed: 13,
};

const own = <T>(table: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

export function shapeOf(type: string): Shape {
  return own(shapes, type) ?? entity(own(entityActivities, type.slice(type.indexOf('.') + 1)) ?? other);
}

const statusIds = { success: 1, failure: 2, denied: 2 } as const;
const severityIds = { success: 1, failure: 2, denied: 3 } as const;

const longestIp = 40;

/** What a proxy passes on as an address need not be one. */
function endpointOf(ip: string | null): Ocsf {
  if (ip !== null && isIP(ip) !== 0 && ip.length <= longestIp) return { ip };
  return { name: ip || 'unknown' };
}

const protocols: Record<string, number> = { saml: 5, oidc: 4 };

/** How it was signed in; tokens are OAuth 2.0 whatever the sign-in was. */
function protocolOf({ type, details }: AuditRecord): Ocsf {
  if (type.startsWith('token.')) return { auth_protocol_id: 6 };
  const method = details['method'];
  if (typeof method !== 'string') return {};
  const id = own(protocols, method);
  return id === undefined ? { auth_protocol_id: other, auth_protocol: method } : { auth_protocol_id: id };
}

/** What happened to a session may have been done from another. */
function sessionOf({ target, context }: AuditRecord): Ocsf {
  const uid = target.type === 'session' ? target.id : context.sessionId;
  return uid === null ? {} : { session: { uid } };
}

function actorOf({ actor, context }: AuditRecord): Ocsf {
  const session = context.sessionId === null ? {} : { session: { uid: context.sessionId } };
  if (actor.type === 'user')
    return { user: { uid: actor.id ?? 'unknown', ...(actor.name === null ? {} : { name: actor.name }) }, ...session };
  return { app_uid: actor.id ?? actor.type, app_name: actor.name ?? actor.type, ...session };
}

function userOf({ target, details, actor }: AuditRecord): Ocsf {
  const userId = details['userId'];
  if (typeof userId === 'string')
    return { uid: userId, ...(target.type === 'user' && target.name !== null ? { name: target.name } : {}) };
  if (target.type === 'user' && target.id !== null)
    return { uid: target.id, ...(target.name === null ? {} : { name: target.name }) };
  return { uid: actor.type === 'user' && actor.id !== null ? actor.id : 'unknown' };
}

function classFields(shape: Shape, record: AuditRecord): Ocsf {
  const { target, details, type, source, context } = record;
  switch (shape.class) {
    case 2004:
      // The class has no place for who did it: the record has.
      return findingOf({ ...(details as Partial<FindingDetails>), id: target.id ?? 'unknown' }, type);
    case 3001:
      return { user: userOf(record), actor: actorOf(record) };
    case 3002:
      return {
        user: userOf(record),
        actor: actorOf(record),
        service: { name: 'Reeve', uid: source },
        ...protocolOf(record),
        ...sessionOf(record),
      };
    case 3004:
      return {
        entity: {
          type_id: other,
          type: target.type,
          uid: target.id ?? 'unknown',
          ...(target.name === null ? {} : { name: target.name }),
        },
        actor: actorOf(record),
      };
    case 3005: {
      const granted = details['scopes'] ?? details['role'];
      return { user: userOf(record), privileges: [granted ?? []].flat().map(String), actor: actorOf(record) };
    }
    case 3006:
      return {
        group: { uid: target.id ?? 'unknown', ...(target.name === null ? {} : { name: target.name }) },
        user: userOf(record),
        actor: actorOf(record),
      };
    case 6003:
      return {
        actor: actorOf(record),
        api: {
          operation: type,
          service: { name: source },
          ...(context.requestId === null ? {} : { request: { uid: context.requestId } }),
        },
        src_endpoint: endpointOf(context.ip),
        resources: [
          { type: target.type, uid: target.id ?? 'unknown', ...(target.name === null ? {} : { name: target.name }) },
        ],
      };
  }
}

type FindingDetails = {
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

const findingSeverities: Record<string, number> = { low: 2, medium: 3, high: 4, critical: 5 };
/** Of a finding: new, or in progress. */
const findingStatus = { 'alert.raised': 1, 'alert.acknowledged': 2 } as const;

/** What a Detection Finding has beyond every event. An alert that says less than Reeve's is still one. */
function findingOf({ id, ...details }: Partial<FindingDetails> & { id: string }, type: string): Ocsf {
  const { rule = 'unknown', title = type, severity = '', subject, summary, firstAt, lastAt, evidence = [] } = details;
  const ms = (time: string | undefined) => (time === undefined ? {} : Date.parse(time) || undefined);
  return {
    is_alert: type === 'alert.raised',
    severity_id: own(findingSeverities, severity) ?? 0,
    status_id: own<number>(findingStatus, type) ?? 0,
    finding_info: {
      uid: id,
      title,
      types: [rule],
      analytic: { type_id: 1, name: rule, uid: rule },
      ...(summary === undefined ? {} : { desc: summary }),
      ...(typeof ms(firstAt) === 'number' ? { first_seen_time: ms(firstAt) } : {}),
      ...(typeof ms(lastAt) === 'number' ? { last_seen_time: ms(lastAt) } : {}),
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
}: FindingDetails & { id: string; tenantId: string; type: keyof typeof findingStatus; time: string }): Ocsf {
  const activity = findingStatus[type];
  return {
    category_uid: 2,
    class_uid: 2004,
    activity_id: activity,
    type_uid: 200_400 + activity,
    time: Date.parse(time),
    message: `${details.title}: ${details.summary}`,
    metadata: {
      version,
      product: { name: 'Reeve', vendor_name: 'Reeve', uid: '/reeve/audit' },
      uid: `${id}/${activity}`,
      event_code: type,
      tenant_uid: tenantId,
    },
    ...findingOf({ ...details, id }, type),
    unmapped: { tenant: tenantId },
  };
}

/** One OCSF event. `raw_data` is the canonical record, byte for byte what was hashed. */
export function toOcsf({ record, canonical, hash }: ChainedRecord, keyId: string): Ocsf {
  const shape = shapeOf(record.type);
  const { tenantId, chain, sequence, previousHash, context } = record;
  return {
    category_uid: categories[shape.class],
    class_uid: shape.class,
    activity_id: shape.activity,
    ...(shape.activity === other ? { activity_name: record.type } : {}),
    type_uid: shape.class * 100 + shape.activity,
    time: Date.parse(record.time),
    severity_id: severityIds[record.outcome],
    status_id: statusIds[record.outcome],
    status_code: record.reason.code,
    message: `${record.type}: ${record.outcome}`,
    metadata: {
      version,
      product: { name: 'Reeve', vendor_name: 'Reeve', uid: record.source },
      uid: record.eventId,
      event_code: record.type,
      tenant_uid: tenantId,
      correlation_uid: record.correlationId,
      sequence,
      log_name: chain,
    },
    ...classFields(shape, record),
    ...(shape.class !== 6003 && shape.class !== 2004 && context.ip !== null
      ? { src_endpoint: endpointOf(context.ip) }
      : {}),
    unmapped: { tenant: tenantId, chain, sequence, previous_hash: previousHash, hash, key_id: keyId },
    raw_data: canonical,
  };
}

const statementCodes = {
  'reeve-checkpoint': 'checkpoint.signed',
  'reeve-export': 'audit.exported',
  'reeve-tombstone': 'records.removed',
} as const satisfies Record<StatementKind, string>;

/** A signed statement as the creation of an entity of its kind. `raw_data` is the JWS. */
export function statementToOcsf(jws: string): Ocsf {
  const { kind, keyId, content } = decodeStatement(jws);
  const code = statementCodes[kind];
  const uid = hashOfStatement(jws);
  return {
    category_uid: 3,
    class_uid: 3004,
    activity_id: 1,
    type_uid: 300401,
    time: Date.parse(content.time),
    severity_id: 1,
    status_id: 1,
    message: `${code}: success`,
    metadata: {
      version,
      product: { name: 'Reeve', vendor_name: 'Reeve', uid: '/reeve/audit' },
      uid,
      event_code: code,
      tenant_uid: content.tenantId,
    },
    entity: { type_id: other, type: kind, uid },
    actor: { app_uid: 'audit', app_name: 'audit' },
    unmapped: { tenant: content.tenantId, key_id: keyId },
    raw_data: jws,
  };
}

export const ocsf: Format = {
  contentType: 'application/x-ndjson',
  extension: 'ocsf.ndjson',

  writeRecord: (chained, keyId) => JSON.stringify(toOcsf(chained, keyId)),

  writeStatement: jws => JSON.stringify(statementToOcsf(jws)),

  read(line) {
    const { raw_data: raw, unmapped } = JSON.parse(line) as { raw_data?: unknown; unmapped?: Ocsf };
    return lineOf({ raw, hash: unmapped?.['hash'], keyId: unmapped?.['key_id'] });
  },
};
