// A Kafka consumer: chains what arrives, then publishes it as OCSF. Offsets are committed after both, so a crash repeats the batch, and
// the chain knows what it has. What cannot be read goes to the dead letters, and a record in its place in the chain says so.
import { type AuditRecord, type ChainedRecord, toOcsf } from '@reeve/audit-log';
import {
  because,
  deadLetterTopic,
  emptyContext,
  identityHeadSchema,
  isId,
  type Message,
  platformTenantId,
  type TenantId,
} from '@reeve/contracts';
import { type Batch, PoisonMessageError, type Received, type SetAside } from '@reeve/event-bus';
import { v5 } from 'uuid';
import { z } from 'zod';
import type { Arrival, ChainWriter } from './chain-writer.ts';

type Parts = {
  writer: ChainWriter;
  signingKey: () => { kid: string };
  publish: (messages: readonly Message[]) => Promise<void>;
  /** Has the rules look at what was chained. */
  examine: (chained: readonly ChainedRecord[]) => Promise<void>;
};

export const ingest =
  ({ writer, signingKey, publish, examine }: Parts) =>
  async ({ topic, partition, events }: Batch): Promise<void> => {
    const chainId = `${topic}/${partition}`;
    const byTenant = new Map<TenantId, Arrival[]>();
    for (const event of events) {
      const arrivals = byTenant.get(event.tenantId) ?? [];
      arrivals.push({ record: recordOf(event, chainId), offset: event.offset });
      byTenant.set(event.tenantId, arrivals);
    }
    const chained = await writer.appendAll(chainId, byTenant);
    await publish(chained.map(one => messageOf(one, signingKey().kid)));
    await examine(chained);
  };

export const recordSetAside =
  ({ writer, signingKey, publish }: Omit<Parts, 'examine'>, group: string) =>
  async (letter: SetAside): Promise<void> => {
    const { topic, partition, offset, timestamp, headers, code, reason } = letter;
    const chainId = `${topic}/${partition}`;
    const { ce_tenantid: tenant, ce_id: id = null, ce_type: type = null, ce_correlationid: correlationId } = headers;
    const tenantId = isId('tenant', tenant) ? tenant : platformTenantId;
    const record: Arrival['record'] = {
      tenantId,
      chain: chainId,
      // The same however often the message comes.
      eventId: v5(`${chainId}/${offset}`, deadLetterIds),
      type: 'audit.dead_lettered',
      source: '/reeve/audit',
      subject: `event/${short(id) ?? '-'}`,
      time: new Date(Number(timestamp)).toISOString(),
      correlationId: short(correlationId ?? null) ?? `${chainId}/${offset}`,
      causationId: null,
      traceId: null,
      actor: { type: 'service', id: 'audit', name: null, via: 'system' },
      target: { type: 'event', id: short(id), name: short(type) },
      outcome: 'failure',
      reason: because(code),
      context: emptyContext,
      details: { topic, partition, offset, problem: reason, deadLetters: deadLetterTopic(topic, group) },
    };
    const chained = await writer.append(tenantId, chainId, [{ record, offset }]);
    await publish(chained.map(one => messageOf(one, signingKey().kid)));
  };

const instantSchema = z.iso.datetime();

/** The namespace (RFC 9562 §5.5) of ids that follow from the place of a message. */
const deadLetterIds = '6f1b7c52-3f0e-4b60-9a0f-0c5a5b1de6d1';

const longestHeader = 200;
const short = (header: string | null) => header?.slice(0, longestHeader).toWellFormed() ?? null;

function recordOf(event: Received, chainId: string): Arrival['record'] {
  const parsed = identityHeadSchema.safeParse(event.data);
  if (!parsed.success) {
    throw new PoisonMessageError(
      'head_invalid',
      `the event's head is not valid: ${parsed.error.issues.map(issue => issue.path.join('.')).join(', ')}`,
    );
  }
  // Search and the formats of SIEMs rest on it.
  if (!instantSchema.safeParse(event.time).success)
    throw new PoisonMessageError('attribute_invalid', 'ce_time is no RFC 3339 time in UTC');
  const { actor, target, outcome, reason, context, details } = parsed.data;
  const record: Omit<AuditRecord, 'sequence' | 'previousHash'> = {
    tenantId: event.tenantId,
    chain: chainId,
    eventId: event.id,
    type: event.type,
    source: event.source,
    subject: event.subject,
    time: event.time,
    correlationId: event.correlationId,
    causationId: event.causationId ?? null,
    traceId: event.traceparent?.split('-')[1] ?? null,
    actor,
    target,
    outcome,
    reason,
    context,
    details,
  };
  return record;
}

function messageOf(chained: ChainedRecord, keyId: string): Message {
  const { tenantId, chain, sequence, eventId, time, correlationId } = chained.record;
  return {
    topic: 'reeve.audit.v1',
    key: tenantId,
    event: {
      id: eventId,
      source: '/reeve/audit',
      type: 'audit.record',
      subject: `${chain}#${sequence}`,
      time,
      tenantId: tenantId as TenantId,
      correlationId,
      contentType: 'application/json',
      data: toOcsf(chained, keyId),
    },
  };
}
