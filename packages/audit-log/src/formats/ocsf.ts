// OCSF 1.8.0 (https://schema.ocsf.io/1.8.0). Each record becomes an event of the class that fits its type; tenant,
// chain, sequence, hashes and the record itself travel along, so that the export stays verifiable at the SIEM's end
// (lesson L16).
import { isIP } from 'node:net';
import type { AuditRecord, ChainedRecord } from '../record.ts';
import { decodeStatement, hashOfStatement, type StatementKind } from '../statements.ts';
import { type Format, lineOf } from './entry.ts';
import { classified, ocsfVersion, other, own, shapeOf } from './ocsf-classes.ts';
import { type FindingDetails, findingOf } from './ocsf-finding.ts';
import { formerOcsf } from './ocsf-former.ts';

type Ocsf = Record<string, unknown>;

const statuses = {
  success: { status_id: 1, status: 'Success' },
  failure: { status_id: 2, status: 'Failure' },
  denied: { status_id: 2, status: 'Failure' },
} as const;
const severities = {
  success: { severity_id: 1, severity: 'Informational' },
  failure: { severity_id: 2, severity: 'Low' },
  denied: { severity_id: 3, severity: 'Medium' },
} as const;

const longestIp = 40;

/** What a proxy passes on as an address need not be one. */
function endpointOf(ip: string | null): Ocsf {
  if (ip !== null && isIP(ip) !== 0 && ip.length <= longestIp) return { ip };
  return { name: ip || 'unknown' };
}

const oauth = { auth_protocol_id: 6, auth_protocol: 'OAUTH 2.0' };
const protocols: Record<string, typeof oauth> = {
  saml: { auth_protocol_id: 5, auth_protocol: 'SAML' },
  oidc: { auth_protocol_id: 4, auth_protocol: 'OpenID' },
};

/** How it was signed in; tokens are OAuth 2.0 whatever the sign-in was. */
function protocolOf({ type, details }: AuditRecord): Ocsf {
  if (type.startsWith('token.')) return oauth;
  const method = details['method'];
  if (typeof method !== 'string') return {};
  return own(protocols, method) ?? { auth_protocol_id: other, auth_protocol: method };
}

/** What happened to a session may have been done from another. */
function sessionOf({ target, context }: AuditRecord): Ocsf {
  const uid = target.type === 'session' ? target.id : context.sessionId;
  return uid === null ? {} : { session: { uid } };
}

const named = (uid: string, name: string | null): Ocsf => (name === null ? { uid } : { uid, name });

/** As OCSF takes an address. */
const address = /^[\w!#$%&'*+\-/=?^`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$/;

/**
 * The address of the user that an event is about, where it is of this one. What people call themselves is none, even
 * where it looks like one.
 */
function emailOf({ target, details }: AuditRecord, uid: string): Ocsf {
  const { email } = details;
  const isTheirs = target.type === 'user' && target.id === uid;
  return isTheirs && typeof email === 'string' && address.test(email) ? { email_addr: email } : {};
}

function actorOf(record: AuditRecord): Ocsf {
  const { actor, context } = record;
  const session = context.sessionId === null ? {} : { session: { uid: context.sessionId } };
  if (actor.type !== 'user') return { app_uid: actor.id ?? actor.type, app_name: actor.name ?? actor.type, ...session };
  const uid = actor.id ?? 'unknown';
  return { user: { ...named(uid, actor.name), ...emailOf(record, uid) }, ...session };
}

function userOf(record: AuditRecord): Ocsf {
  const { target, details, actor } = record;
  const userId = details['userId'];
  if (typeof userId === 'string')
    return { ...named(userId, target.type === 'user' ? target.name : null), ...emailOf(record, userId) };
  if (target.type === 'user' && target.id !== null)
    return { ...named(target.id, target.name), ...emailOf(record, target.id) };
  return { uid: actor.type === 'user' && actor.id !== null ? actor.id : 'unknown' };
}

function entityOf(record: AuditRecord): Ocsf {
  const { type, id, name } = record.target;
  const uid = id ?? 'unknown';
  const email = emailOf(record, uid);
  return {
    type_id: other,
    type,
    ...named(uid, name),
    ...('email_addr' in email ? { user: { ...named(uid, name), ...email } } : {}),
  };
}

function classFields(classId: ReturnType<typeof shapeOf>['class'], record: AuditRecord): Ocsf {
  const { target, details, type, source, context } = record;
  switch (classId) {
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
      return { entity: entityOf(record), actor: actorOf(record) };
    case 3005: {
      const granted = details['scopes'] ?? details['role'];
      return { user: userOf(record), privileges: [granted ?? []].flat().map(String), actor: actorOf(record) };
    }
    case 3006:
      return { group: named(target.id ?? 'unknown', target.name), user: userOf(record), actor: actorOf(record) };
    case 6003:
      return {
        actor: actorOf(record),
        api: {
          operation: type,
          service: { name: source },
          ...(context.requestId === null ? {} : { request: { uid: context.requestId } }),
        },
        src_endpoint: endpointOf(context.ip),
        resources: [{ type: target.type, ...named(target.id ?? 'unknown', target.name) }],
      };
  }
}

/** Where the request came from, which is nowhere in a Detection Finding. */
function originOf({ ip, userAgent }: AuditRecord['context']): Ocsf {
  return {
    ...(ip === null ? {} : { src_endpoint: endpointOf(ip) }),
    ...(userAgent === null ? {} : { http_request: { user_agent: userAgent } }),
  };
}

/** One OCSF event. `raw_data` is the canonical record, byte for byte what was hashed. */
export function toOcsf({ record, canonical, hash }: ChainedRecord, keyId: string): Ocsf {
  const shape = shapeOf(record.type);
  const { tenantId, chain, sequence, previousHash, context } = record;
  return {
    ...classified(shape, record.type),
    time: Date.parse(record.time),
    ...severities[record.outcome],
    ...statuses[record.outcome],
    status_code: record.reason.code,
    message: `${record.type}: ${record.outcome}`,
    metadata: {
      version: ocsfVersion,
      product: { name: 'Reeve', vendor_name: 'Reeve', uid: record.source },
      uid: record.eventId,
      event_code: record.type,
      tenant_uid: tenantId,
      correlation_uid: record.correlationId,
      sequence,
      log_name: chain,
    },
    ...classFields(shape.class, record),
    ...(shape.class === 2004 ? {} : originOf(context)),
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
    ...classified({ class: 3004, activity: 1 }, code),
    time: Date.parse(content.time),
    ...severities.success,
    ...statuses.success,
    message: `${code}: success`,
    metadata: {
      version: ocsfVersion,
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
  isJson: true,

  writeRecord: (chained, keyId) => JSON.stringify(toOcsf(chained, keyId)),

  writeStatement: jws => JSON.stringify(statementToOcsf(jws)),

  formerly: {
    writeRecord: (chained, keyId) => JSON.stringify(formerOcsf(toOcsf(chained, keyId))),
    writeStatement: jws => JSON.stringify(formerOcsf(statementToOcsf(jws))),
  },

  read(line) {
    const { raw_data: raw, unmapped } = JSON.parse(line) as { raw_data?: unknown; unmapped?: Ocsf };
    return lineOf({ raw, hash: unmapped?.['hash'], keyId: unmapped?.['key_id'] });
  },
};
