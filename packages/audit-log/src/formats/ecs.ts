// Elastic Common Schema 8.17. `event.original` is the canonical record; what ECS has no field for is under `reeve`.
import { isIP } from 'node:net';
import { type AuditRecord, canonicalJson } from '../record.ts';
import { decodeStatement, hashOfStatement } from '../statements.ts';
import { type Format, lineOf } from './entry.ts';
import { shapeOf } from './ocsf-classes.ts';

type Fields = Record<string, unknown>;

const version = '8.17.0';
const dataset = { module: 'reeve', dataset: 'reeve.audit' };

/** ECS knows no "denied" among its outcomes. */
const outcomes = { success: 'success', failure: 'failure', denied: 'failure' } as const;

const changes = new Map(
  Object.entries({
    created: 'creation',
    stored: 'creation',
    deleted: 'deletion',
    destroyed: 'deletion',
  }),
);
const verbOf = (type: string) => type.slice(type.indexOf('.') + 1);
/** https://www.elastic.co/docs/reference/ecs/ecs-allowed-values-event-category */
function categorize({ type, outcome }: AuditRecord): { category: string[]; type: string[] } {
  const verb = verbOf(type);
  const change = changes.get(verb) ?? 'change';
  switch (shapeOf(type).class) {
    case 2004:
      return { category: ['threat'], type: ['indicator'] };
    case 3001:
      return { category: ['iam'], type: ['user', change] };
    case 3002:
      if (type.startsWith('session.')) return { category: ['session'], type: [verb === 'created' ? 'start' : 'end'] };
      return { category: ['authentication'], type: ['start'] };
    case 3004:
      return { category: ['configuration'], type: [change] };
    case 3005:
      return { category: ['iam'], type: ['admin', 'change'] };
    case 3006:
      return { category: ['iam'], type: ['group', change] };
    case 6003:
      return { category: ['api'], type: [outcome === 'denied' ? 'denied' : 'access'] };
  }
}

/** Elasticsearch takes a dot for a step into an object, and refuses some other names. Reeve gives none but these. */
const plainName = /^[A-Za-z]\w*$/;

/**
 * ECS keeps labels as keywords: texts, and lists of texts. So a member of the details is of one type, whichever event
 * it is of, and no index refuses a record for the type of a field.
 */
function labelsOf({ details }: AuditRecord): Fields {
  const names = Object.keys(details).filter(name => plainName.test(name));
  // A record that was just chained has its members in another order than one that was read.
  const labels = names.toSorted().flatMap(name => {
    const label = labelOf(details[name]);
    return label === null ? [] : [[name, label] as const];
  });
  return labels.length === 0 ? {} : { labels: Object.fromEntries(labels) };
}

function labelOf(value: unknown): string | string[] | null {
  if (Array.isArray(value)) return value.flatMap(one => textOf(one) ?? []);
  return textOf(value);
}

const textOf = (value: unknown): string | null =>
  value === null || typeof value === 'string' ? value : canonicalJson(value);

const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

function userOf({ actor, target }: AuditRecord): Fields {
  const isUser = actor.type === 'user';
  const acting = isUser ? present({ id: actor.id, name: actor.name }) : {};
  return target.type === 'user' ? { ...acting, target: present({ id: target.id, name: target.name }) } : acting;
}

function toEcs({ record, canonical, hash }: Parameters<Format['writeRecord']>[0], keyId: string): Fields {
  const { actor, target, context, reason } = record;
  const users = [actor.type === 'user' ? actor.id : null, target.type === 'user' ? target.id : null].filter(
    id => id !== null,
  );
  const client = actor.type === 'client' || actor.type === 'service';
  return {
    '@timestamp': record.time,
    ecs: { version },
    event: {
      kind: record.type === 'alert.raised' ? 'alert' : 'event',
      ...categorize(record),
      action: record.type,
      outcome: outcomes[record.outcome],
      reason: reason.code,
      id: record.eventId,
      ...dataset,
      provider: record.source,
      sequence: record.sequence,
      hash,
      original: canonical,
    },
    user: userOf(record),
    ...(client ? { client: { user: present({ id: actor.id, name: actor.name }) } } : {}),
    ...(['group', 'membership'].includes(target.type) ? { group: present({ id: target.id, name: target.name }) } : {}),
    ...(isIP(context.ip ?? '') === 0 ? {} : { source: { ip: context.ip } }),
    ...(context.userAgent === null ? {} : { user_agent: { original: context.userAgent } }),
    ...(context.requestId === null ? {} : { http: { request: { id: context.requestId } } }),
    ...(record.traceId === null ? {} : { trace: { id: record.traceId } }),
    ...(reason.rule === null ? {} : { rule: { name: reason.rule } }),
    organization: { id: record.tenantId },
    ...labelsOf(record),
    related: { user: [...new Set(users)], ip: isIP(context.ip ?? '') === 0 ? [] : [context.ip] },
    reeve: {
      tenant: record.tenantId,
      chain: record.chain,
      sequence: record.sequence,
      previous_hash: record.previousHash,
      hash,
      key_id: keyId,
      outcome: record.outcome,
      correlation_id: record.correlationId,
      target: present({ type: target.type, id: target.id, name: target.name }),
      session_id: context.sessionId,
    },
  };
}

function writeStatement(jws: string): string {
  const { kind, keyId, content } = decodeStatement(jws);
  return JSON.stringify({
    '@timestamp': content.time,
    ecs: { version },
    event: {
      kind: 'event',
      category: ['configuration'],
      type: ['creation'],
      action: kind,
      outcome: 'success',
      id: hashOfStatement(jws),
      ...dataset,
      original: jws,
    },
    organization: { id: content.tenantId },
    reeve: { tenant: content.tenantId, key_id: keyId },
  });
}

export const ecs: Format = {
  contentType: 'application/x-ndjson',
  extension: 'ecs.ndjson',
  isJson: true,

  writeRecord: (chained, keyId) => JSON.stringify(toEcs(chained, keyId)),

  writeStatement,

  formerly: {
    writeStatement,
    writeRecord(chained, keyId) {
      const { labels: _, ...fields } = toEcs(chained, keyId);
      return JSON.stringify(fields);
    },
  },

  read(line) {
    const { event, reeve } = JSON.parse(line) as { event?: Fields; reeve?: Fields };
    return lineOf({ raw: event?.['original'], hash: reeve?.['hash'], keyId: reeve?.['key_id'] });
  },
};
