// A Kafka consumer: chains what arrives, then publishes it as OCSF. Offsets are committed after both, so a crash repeats the batch, and
// the chain knows what it has.
import { type AuditRecord, type ChainedRecord, toOcsf } from '@reeve/audit-log';
import { identityHeadSchema, type Message, type TenantId } from '@reeve/contracts';
import { type Batch, PoisonMessageError, type Received } from '@reeve/event-bus';
import type { Arrival, ChainWriter } from './chain-writer.ts';

type Parts = { writer: ChainWriter; publish: (messages: readonly Message[]) => Promise<void> };

export const ingest =
  ({ writer, publish }: Parts) =>
  async ({ topic, partition, events }: Batch): Promise<void> => {
    const chainId = `${topic}/${partition}`;
    const byTenant = new Map<TenantId, Arrival[]>();
    for (const event of events) {
      const arrivals = byTenant.get(event.tenantId) ?? [];
      arrivals.push({ record: recordOf(event, chainId), offset: event.offset });
      byTenant.set(event.tenantId, arrivals);
    }
    const chained = await Promise.all(
      [...byTenant].map(([tenantId, arrivals]) => writer.append(tenantId, chainId, arrivals)),
    );
    await publish(chained.flat().map(messageOf));
  };

function recordOf(event: Received, chainId: string): Arrival['record'] {
  const parsed = identityHeadSchema.safeParse(event.data);
  if (!parsed.success) {
    throw new PoisonMessageError(
      'head_invalid',
      `the event's head is not valid: ${parsed.error.issues.map(issue => issue.path.join('.')).join(', ')}`,
    );
  }
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

function messageOf(chained: ChainedRecord): Message {
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
      data: toOcsf(chained),
    },
  };
}
